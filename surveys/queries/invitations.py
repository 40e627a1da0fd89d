from __future__ import annotations

from datetime import datetime

from surveys.models import Invitation, InvitationQuerySet
from surveys.tokens import digest_of


def _by(token: str) -> InvitationQuerySet:
    return Invitation.objects.filter(digest=digest_of(token)).select_related("survey", "account", "contact__account")


def invitation_of(token: str) -> Invitation | None:
    """The invitation that ``token`` was made for, whether or not it may still be answered."""
    return _by(token).first()


def open_invitation(token: str, now: datetime) -> Invitation | None:
    """The invitation that may be answered with ``token`` at ``now``."""
    return _by(token).open(now).first()
