"""Pages in the reader's own language and time zone."""

from __future__ import annotations

from collections.abc import Callable
from zoneinfo import ZoneInfo

from django.http import HttpRequest, HttpResponse
from django.utils import timezone, translation

from accounts.models import User, Workspace


class ReaderMiddleware:
    """Use the language and the time zone of the person signed in; the workspace's zone where they chose none.

    The workspace is read once a request.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Answer ``request`` in the reader's language and zone."""
        with Workspace.read_once():
            return self._answer(request)

    def _answer(self, request: HttpRequest) -> HttpResponse:
        user = request.user
        if not isinstance(user, User):
            return self.get_response(request)
        zone = ZoneInfo(user.time_zone) if user.time_zone else Workspace.current().zone
        with translation.override(user.language), timezone.override(zone):
            request.LANGUAGE_CODE = translation.get_language()
            response = self.get_response(request)
            response.headers["Content-Language"] = user.language
            return response
