"""Addresses of the sample pages; the product never serves them."""

from pathlib import Path

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.template import engines
from django.urls import include, path

from tests.ui.curves import curves
from tests.ui.samples import sample

PAGES = Path(__file__).parent / "pages"


def page(request: HttpRequest, name: str) -> HttpResponse:
    """Draw one of the sample pages."""
    template = engines["django"].from_string((PAGES / f"{name}.html").read_text())
    return HttpResponse(template.render(sample(), request))


def done(request: HttpRequest) -> HttpResponse:
    """Accept, and say so in a toast that can be undone."""
    template = engines["django"].from_string(
        '<div hx-swap-oob="beforeend:#toasts">'
        '{% include "components/toast.html" with text="Task done" undo_url="/undo/" %}</div>'
    )
    return HttpResponse(template.render({}, request))


def undo(request: HttpRequest) -> HttpResponse:
    """Accept without a word."""
    return HttpResponse(status=204)


def refuse(request: HttpRequest) -> JsonResponse:
    """Refuse, with a reason."""
    return JsonResponse({"code": "task_taken", "message": "Another person has already done this."}, status=409)


def peek(request: HttpRequest) -> HttpResponse:
    """Preview the row."""
    return HttpResponse(f"<h2>Preview of {int(request.GET['task'])}</h2>")


def search(request: HttpRequest) -> HttpResponse:
    """Find one account by its name."""
    template = engines["django"].from_string('{% include "components/palette_results.html" %}')
    found = [{"url": "/details/", "label": "Northwind Logistics", "detail": "Ana", "icon": "accounts"}]
    matches = found if request.GET.get("q", "").lower() in "northwind logistics" else []
    return HttpResponse(template.render({"groups": [{"label": "Accounts", "results": matches}]}, request))


urlpatterns = [
    path("user/", include("allauth.urls")),
    path("done/", done),
    path("undo/", undo),
    path("refuse/", refuse),
    path("peek/", peek),
    path("search/", search),
    path("curves/", curves),
    path("<slug:name>/", page),
]
