"""The composition root: settings, urls, Celery, ASGI and WSGI. Nothing imports it but the process that starts."""

from cs_platform.celery import app as celery_app

__all__ = ["celery_app"]
