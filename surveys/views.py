"""The pages that customers see. They need neither a sign-in nor a cookie nor a script.

They are exempt from Django's CSRF check. That check keeps another site from using what the browser sends along by
itself, a session cookie, and here there is none: what acts for the customer is the token in the address, which no
other site knows. And the browsers inside mail programs, which often keep no cookies, must be able to answer.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import wraps
from typing import Any

from django.core.exceptions import RequestDataTooBig
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import override
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from accounts.models import Workspace
from common import clock
from common.errors import DomainError, NotFound
from surveys.models import Invitation, Response
from surveys.queries import invitation_of, open_invitation
from surveys.scales import scale_of
from surveys.services import answer, unsubscribe
from surveys.services.answers import COMMENT_LENGTH
from surveys.wording import wording_of

ONE_CLICK = ("List-Unsubscribe", "One-Click")
SCORE = re.compile(r"[0-9]{1,2}")

Page = Callable[[HttpRequest, str], HttpResponse]
InvitedPage = Callable[[HttpRequest, Invitation, str], HttpResponse]


def _for_invitation(find: Callable[[str], Invitation | None]) -> Callable[[InvitedPage], Page]:
    """Give a page the invitation that ``find`` finds for its token, in the invitation's language.

    Without one, the same 404 is shown whatever the reason: it must not tell a guess from an expired link.
    """

    def decorate(page: InvitedPage) -> Page:
        @csrf_exempt
        @require_http_methods(["GET", "HEAD", "POST"])
        @wraps(page)
        def wrapper(request: HttpRequest, token: str) -> HttpResponse:
            invitation = find(token)
            if invitation is None:
                return _gone(request)
            with override(invitation.language):
                try:
                    response = page(request, invitation, token)
                except NotFound:
                    response = None
            if response is None:
                return _gone(request)
            response.headers["Content-Language"] = invitation.language
            return response

        return wrapper

    return decorate


_open = _for_invitation(lambda token: open_invitation(token, clock.now()))


@_open
def answer_page(request: HttpRequest, invitation: Invitation, token: str) -> HttpResponse:
    """The question with its scale. Opening it, with a number in the address or not, changes nothing."""
    if request.method != "POST":
        given = _response_of(invitation)
        chosen = request.GET.get("score") or (given.score if given else "")
        return _question(request, invitation, token, chosen=chosen)
    typed = _posted(request, "score") or ""
    try:
        answer(token=token, score=int(typed) if SCORE.fullmatch(typed) else -1, comment=None, now=clock.now())
    except DomainError as error:
        if isinstance(error, NotFound):
            raise
        return _question(request, invitation, token, chosen=typed, error=error.message)
    return _see("comment", token)


@_open
def comment_page(request: HttpRequest, invitation: Invitation, token: str) -> HttpResponse:
    """The question after the score, which depends on it; what is written is kept when it is sent."""
    given = _response_of(invitation)
    if given is None:
        return _see("answer", token)
    if request.method != "POST":
        return _follow_up(request, invitation, token, given=given, comment=given.comment)
    typed = _posted(request, "comment")
    if typed is None:
        sentence = _("Your comment is far too long; please keep it under %(most)s characters.") % {
            "most": COMMENT_LENGTH
        }
        return _follow_up(request, invitation, token, given=given, comment=given.comment, error=sentence)
    try:
        answer(token=token, score=given.score, comment=typed, now=clock.now())
    except DomainError as error:
        if isinstance(error, NotFound):
            raise
        shown = typed.replace("\x00", "")
        return _follow_up(request, invitation, token, given=given, comment=shown, error=error.message)
    return _see("thanks", token)


@_open
def thanks_page(request: HttpRequest, invitation: Invitation, token: str) -> HttpResponse:
    """The last page, from which the answer can be changed until the invitation expires."""
    given = _response_of(invitation)
    if given is None:
        return _see("answer", token)
    return _page(request, "surveys/thanks.html", invitation, token, given=given)


@_for_invitation(invitation_of)
def unsubscribe_page(request: HttpRequest, invitation: Invitation, token: str) -> HttpResponse:
    """Unsubscribing, which works by itself from a mail program (RFC 8058) and after the invitation has expired."""
    name, value = ONE_CLICK
    if request.method == "POST" and _posted(request, name) == value:
        unsubscribe(token=token, now=clock.now())
        invitation.contact.refresh_from_db()
    return _page(request, "surveys/unsubscribe.html", invitation, token, name=name, value=value)


def _question(
    request: HttpRequest, invitation: Invitation, token: str, *, chosen: str | int, error: str = ""
) -> HttpResponse:
    scores = scale_of(invitation.survey).scores
    options = [(score, score) for score in scores]
    return _page(
        request,
        "surveys/question.html",
        invitation,
        token,
        options=options,
        size=len(scores),
        chosen=chosen,
        error=error,
        status=400 if error else 200,
    )


def _follow_up(
    request: HttpRequest, invitation: Invitation, token: str, *, given: Response, comment: str, error: str = ""
) -> HttpResponse:
    return _page(
        request,
        "surveys/comment.html",
        invitation,
        token,
        given=given,
        category=scale_of(invitation.survey).category(given.score),
        comment=comment,
        error=error,
        status=400 if error else 200,
    )


def _page(
    request: HttpRequest, template: str, invitation: Invitation, token: str, *, status: int = 200, **more: Any
) -> HttpResponse:
    workspace = Workspace.current()
    wording = wording_of(
        invitation.survey, language=invitation.language, contact=invitation.contact, company=workspace.name
    )
    category = more.pop("category", None)
    context = {
        "company": workspace.name,
        "invitation": invitation,
        "token": token,
        "wording": wording,
        "follow_up": wording.follow_up(category) if category else "",
        "open_until": invitation.expires_at.astimezone(workspace.zone).date(),
        **more,
    }
    return render(request, template, context, status=status)


def _gone(request: HttpRequest) -> HttpResponse:
    return render(request, "surveys/gone.html", {"company": Workspace.current().name}, status=404)


def _see(name: str, token: str) -> HttpResponse:
    return HttpResponseRedirect(reverse(f"surveys:{name}", args=[token]), status=303)


def _response_of(invitation: Invitation) -> Response | None:
    return Response.objects.filter(invitation=invitation).first()


def _posted(request: HttpRequest, name: str) -> str | None:
    """The field ``name`` of the form; None when the body is larger than any form of ours."""
    try:
        return request.POST.get(name, "")
    except RequestDataTooBig:
        return None
