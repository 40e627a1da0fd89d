"""One customer with an invitation, and the address of its page."""

from datetime import datetime
from typing import Any

from accounts.models import Contact
from surveys.models import Invitation, Survey
from surveys.services import invite
from surveys.tokens import token_for
from tests.factories import NOW, ContactFactory, SurveyFactory


def invited(
    *, kind: str = Survey.Kind.NPS, now: datetime = NOW, survey: Survey | None = None, **person: Any
) -> Invitation:
    """Invite a new contact to a survey."""
    contact: Contact = ContactFactory(**person)
    return ask(survey=survey or SurveyFactory(kind=kind), contact=contact, now=now)


def ask(*, survey: Survey, contact: Contact, occasion: str = "spring", now: datetime = NOW) -> Invitation:
    """Invite a contact who may be written to."""
    invitation = invite(survey=survey, contact=contact, occasion=occasion, now=now)
    assert isinstance(invitation, Invitation)
    return invitation


def token_of(invitation: Invitation) -> str:
    """The token in the invitation's links."""
    return token_for(survey_id=invitation.survey_id, contact_id=invitation.contact_id, occasion=invitation.occasion)


def page_of(invitation: Invitation, page: str = "") -> str:
    """The path of the invitation's first page, or of another one."""
    return f"/s/{token_of(invitation)}/{page}"
