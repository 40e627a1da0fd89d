from __future__ import annotations

from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from accounts.services.ledger import record
from common.errors import DomainError, NotFound
from common.text import storable
from surveys.models import Invitation, Response
from surveys.queries import open_invitation
from surveys.scales import scale_of
from surveys.services.reminders import take_back

COMMENT_LENGTH = 10_000


@transaction.atomic
def answer(*, token: str, score: int, comment: str | None, now: datetime) -> Response:
    """Keep what a customer answered; the same call again changes nothing, another score or comment replaces it.

    ``comment`` None leaves the comment as it is. The first answer is the event ``survey.answered``, another score
    ``survey.changed``; a comment alone is no event, since people write it a moment after the score.
    Raises NotFound for a token that is forged, expired, or of somebody who has left, and DomainError with ``fields``
    for a score off the scale and a comment that cannot be kept.
    """
    found = open_invitation(token, now)
    if found is None:
        raise NotFound(_("This link does not work any more."), code="no_such_invitation")
    scale = scale_of(found.survey)
    if score not in scale.scores:
        sentence = _("Choose a number from %(low)s to %(high)s.") % {"low": scale.lowest, "high": scale.highest}
        raise DomainError(sentence, code="bad_score", fields={"score": sentence})
    if comment is not None:
        comment = checked_comment(comment)
    # One answer an invitation: two that arrive together wait for each other here.
    invitation = Invitation.objects.select_for_update().get(pk=found.pk)
    response = Response.objects.filter(invitation=invitation).first()
    if response is None:
        response = Response.objects.create(
            invitation=invitation,
            survey=found.survey,
            account=found.account,
            contact=found.contact,
            score=score,
            comment=comment or "",
            answered_at=now,
        )
        take_back(invitation=invitation, now=now)
        _tell(response, kind="survey.answered", now=now)
        return response
    before = response.score
    wanted = response.comment if comment is None else comment
    if (before, response.comment) != (score, wanted):
        if before != score or response.comment:  # a first comment completes the answer
            response.changed_at = now
        response.score, response.comment = score, wanted
        response.save(update_fields=["score", "comment", "changed_at"])
        if before != score:
            _tell(response, kind="survey.changed", now=now, before=before)
    return response


def checked_comment(comment: str) -> str:
    """``comment`` as it is kept; raises DomainError when it cannot be."""
    comment = comment.replace("\r\n", "\n").strip()
    if not storable(comment):
        sentence = _("Your comment contains a character that cannot be stored; please remove it.")
        raise DomainError(sentence, code="bad_comment", fields={"comment": sentence})
    if len(comment) > COMMENT_LENGTH:
        sentence = _("Your comment is %(length)s characters long; please keep it under %(most)s.") % {
            "length": len(comment),
            "most": COMMENT_LENGTH,
        }
        raise DomainError(sentence, code="comment_too_long", fields={"comment": sentence})
    return comment


def _tell(response: Response, *, kind: str, now: datetime, **more: int) -> None:
    survey = response.survey
    record(
        account=response.account,
        kind=kind,
        happened_at=now,
        contact=response.contact,
        data={
            "survey": survey.key,
            "kind": survey.kind,
            "score": response.score,
            "category": scale_of(survey).category(response.score).value,
            "response": response.pk,
            **more,
        },
    )
