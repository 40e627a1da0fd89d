"""The least way to take a batch of events: the body goes into one statement as it came, and no middleware runs."""

import os

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "cs_platform.settings.production")

import django
from django.conf import settings
from django.core.handlers.wsgi import WSGIHandler
from django.db import connection
from django.http import HttpRequest, HttpResponse
from django.urls import path

INSERT = """
INSERT INTO bench_event
SELECT "messageId", type, "userId", event, context ->> 'groupId', timestamp, now(), properties
FROM jsonb_to_recordset(%s::jsonb -> 'batch') AS call (
    "messageId" text, type text, "userId" text, event text, context jsonb, timestamp timestamptz, properties jsonb
)
ON CONFLICT DO NOTHING
"""


def insert(request: HttpRequest) -> HttpResponse:
    """Insert the calls of the body."""
    with connection.cursor() as cursor:
        cursor.execute(INSERT, [request.body.decode()])
    return HttpResponse()


urlpatterns = [path("v1/batch", insert)]

django.setup()
settings.ROOT_URLCONF = __name__
settings.MIDDLEWARE = []
application = WSGIHandler()
