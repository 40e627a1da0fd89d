"""Which static files the site serves."""

from django.contrib.staticfiles.apps import StaticFilesConfig


class SiteStaticFiles(StaticFilesConfig):
    """Leaves out what packages bring and no page asks for: two thirds of the bytes and most of the time to compress."""

    ignore_patterns = [
        *StaticFilesConfig.ignore_patterns,
        "django_htmx",  # htmx is served from static/, at the one version that is tested
        "redoc",
        "rest_framework",
        "swagger-ui-es-bundle*",
        "swagger-ui.js*",
    ]
