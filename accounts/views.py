"""The page on which a customer says that they want no more mail. It needs neither a sign-in, a cookie nor a script."""

from __future__ import annotations

from django.core.exceptions import RequestDataTooBig
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import override
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from accounts.models import Workspace
from accounts.services.contacts import unsubscribe
from accounts.unsubscribing import contact_of
from common import clock

ONE_CLICK = ("List-Unsubscribe", "One-Click")


# What acts for the contact is the token in the address, which no other site knows; there is no session to misuse.
@csrf_exempt
@require_http_methods(["GET", "HEAD", "POST"])
def unsubscribe_page(request: HttpRequest, token: str) -> HttpResponse:
    """Unsubscribing; it works by itself from a mail program (RFC 8058). Opening the page changes nothing."""
    contact, company = contact_of(token), Workspace.current().name
    if contact is None:
        return render(request, "contacts/gone.html", {"company": company}, status=404)
    name, value = ONE_CLICK
    with override(contact.language or Workspace.current().language):
        if request.method == "POST" and _posted(request, name) == value:
            unsubscribe(contact=contact, now=clock.now())
        context = {"company": company, "contact": contact, "token": token, "name": name, "value": value}
        response = render(request, "contacts/unsubscribe.html", context)
        response.headers["Content-Language"] = contact.language or Workspace.current().language
        return response


def _posted(request: HttpRequest, name: str) -> str:
    try:
        return request.POST.get(name, "")
    except RequestDataTooBig:
        return ""
