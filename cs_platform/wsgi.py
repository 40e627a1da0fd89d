"""The WSGI entry point that gunicorn serves."""

import os

from django.core.wsgi import get_wsgi_application
from django.urls import get_resolver

from common.collector import settle

os.environ["CS_PROCESS"] = "web"
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "cs_platform.settings.production")
application = get_wsgi_application()
get_resolver().url_patterns  # noqa: B018  # every view is loaded before the first request comes
settle()
