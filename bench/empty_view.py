"""The least page there could be: the product's own middleware and session around a view that answers nothing."""

import os

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "cs_platform.settings.production")

from django.conf import settings
from django.core.wsgi import get_wsgi_application
from django.http import HttpRequest, HttpResponse
from django.urls import path


def empty(request: HttpRequest) -> HttpResponse:
    """Answer nothing."""
    return HttpResponse()


urlpatterns = [path("queue/", empty)]

application = get_wsgi_application()
settings.ROOT_URLCONF = __name__
