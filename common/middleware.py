"""Response headers that hold for every page."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse

GetResponse = Callable[[HttpRequest], HttpResponse]


class PrivatePagesMiddleware:
    """Keep every answer out of every cache, the browser's own included: each is made for one person.

    A page left open on a shared machine must not come back with the Back button after signing out.
    A view that has set its own `Cache-Control` keeps it, and static files never come this far.
    """

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Answer `request`, marking the response as private unless its view said otherwise."""
        response = self.get_response(request)
        response.headers.setdefault("Cache-Control", "no-store, private")
        return response
