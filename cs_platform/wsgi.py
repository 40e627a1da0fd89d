"""The WSGI entry point that gunicorn serves."""

import os

from django.core.wsgi import get_wsgi_application

os.environ["CS_PROCESS"] = "web"
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "cs_platform.settings.production")
application = get_wsgi_application()
