"""The ASGI entry point."""

import os

from django.core.asgi import get_asgi_application

os.environ["CS_PROCESS"] = "web"
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "cs_platform.settings.production")
application = get_asgi_application()
