"""The page for what no view dealt with."""

import sys

from django.http import HttpRequest, HttpResponse
from django.template import loader
from django.utils.translation import gettext as _
from django.views.defaults import server_error

from common.busy import RETRY_AFTER_SECONDS, UNANSWERED


def broken(request: HttpRequest) -> HttpResponse:
    """Answer 503 and say when to come back where the database put the request off, and otherwise 500."""
    if not isinstance(sys.exception(), UNANSWERED):
        return server_error(request)
    if request.headers.get("HX-Request"):
        response = HttpResponse(
            _("This took too long and was not done. Try again in a moment."),
            content_type="text/plain; charset=utf-8",
            status=503,
        )
    else:
        # As Django's own error page: without what asks the database.
        response = HttpResponse(loader.get_template("503.html").render(), status=503)
    response["Retry-After"] = str(RETRY_AFTER_SECONDS)
    return response
