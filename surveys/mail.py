from __future__ import annotations

from typing import TypedDict

from django.template.loader import render_to_string
from django.utils.translation import override

from accounts.models import Workspace
from common.text import one_line
from outbox.mail import inlined, sender, unsubscribe_headers
from surveys.models import Invitation
from surveys.scales import scale_of
from surveys.tokens import link
from surveys.wording import wording_of


class Mail(TypedDict):
    """A composed mail, as ``outbox.services.enqueue_email`` takes it."""

    subject: str
    text: str
    html: str
    headers: dict[str, str]


def compose(invitation: Invitation, token: str, *, reminds: bool = False) -> Mail:
    """The mail of an invitation or its reminder, in its language: the question with its scale, each number a link.

    A link only opens the page with the number chosen. The headers let a mail program unsubscribe by itself
    (RFC 8058).
    """
    survey, contact = invitation.survey, invitation.contact
    workspace = Workspace.current()
    address, unsubscribe = link("answer", token), link("unsubscribe", token)
    scores = [(score, f"{address}?score={score}") for score in scale_of(survey).scores]
    first_part = (len(scores) + 1) // 2 if len(scores) > 7 else len(scores)
    with override(invitation.language):
        wording = wording_of(survey, language=invitation.language, contact=contact, company=workspace.name)
        subject, name = (wording.reminder_subject, "reminder") if reminds else (wording.subject, "invitation")
        context = {
            "company": workspace.name,
            "wording": wording,
            "scores": scores,
            "scale_parts": [part for part in (scores[:first_part], scores[first_part:]) if part],
            "address": address,
            "unsubscribe": unsubscribe,
            "open_until": invitation.expires_at.astimezone(workspace.zone).date(),
        }
        text = render_to_string(f"email/surveys/{name}.txt", context)
        html = inlined(render_to_string(f"email/surveys/{name}.html", context))
    return Mail(
        subject=one_line(subject),
        text=text,
        html=html,
        headers={
            "From": sender(survey.sender_name or workspace.name),
            **unsubscribe_headers(unsubscribe),
        },
    )
