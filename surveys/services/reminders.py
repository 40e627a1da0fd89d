from __future__ import annotations

from contextlib import suppress
from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from accounts.models import Contact, User
from accounts.services.ledger import record
from accounts.services.settings import keep_change
from common.errors import DomainError
from outbox.models import HeldBack, Kind, Withdrawal
from outbox.services import drop, enqueue_email, reserve, withdraw
from surveys.mail import compose
from surveys.models import Invitation, Reminder, Response, Survey
from surveys.tokens import token_for

SWEEP = 500


@transaction.atomic
def set_reminder(*, survey: Survey, after_days: int | None, by: User | None, now: datetime) -> Survey:
    """Let a survey remind those who have not answered after so many days (None: nobody).

    The change is kept with who made it. Raises DomainError when that is not before the invitation expires.
    """
    survey = Survey.objects.select_for_update().get(pk=survey.pk)
    check_reminder(after_days=after_days, expires_after_days=survey.expires_after_days)
    before, survey.remind_after_days = survey.remind_after_days, after_days
    survey.save(update_fields=["remind_after_days", "updated_at"])
    keep_change(setting=setting_of(survey), before=before, after=after_days, by=by, now=now)
    return survey


def setting_of(survey: Survey) -> str:
    """The name of a survey's reminder among the settings whose changes are kept."""
    return f"survey:{survey.pk}:remind_after_days"


def check_reminder(*, after_days: int | None, expires_after_days: int) -> None:
    """Raise DomainError when a reminder could not come in the days for which an invitation may be answered."""
    if after_days is None or 1 <= after_days < expires_after_days:
        return
    if expires_after_days < 2:
        sentence = _("An invitation is open for a day only: there is no time for a reminder.")
    else:
        sentence = _("Enter a number of days from 1 to %(most)s, or nothing for no reminder.") % {
            "most": expires_after_days - 1
        }
    raise DomainError(sentence, code="bad_reminder", fields={"remind_after_days": sentence})


def remind(*, now: datetime, limit: int) -> int:
    """Owe a reminder to contacts who have not answered in the days that their survey gives.

    Returns how many invitations it looked at: less than ``limit`` when no more are due. An invitation has one
    reminder, whatever runs twice or at once. A contact whose budget is used up is reminded on the first day that has a
    place (``remind_held_back``), or not at all when the invitation has expired by then.
    """
    due = list(Invitation.objects.to_remind(now).values_list("pk", flat=True)[:limit])
    for pk in due:
        _remind(pk, now)
    return len(due)


@transaction.atomic
def _remind(pk: int, now: datetime) -> None:
    # Answering takes the same lock: what is seen of the answer after it stays true until the reminder is owed.
    if not Invitation.objects.select_for_update(skip_locked=True).filter(pk=pk):
        return
    invitation = Invitation.objects.to_remind(now).filter(pk=pk).select_related("survey", "contact__account").first()
    if invitation is None:
        return
    reminder = Reminder.objects.create(invitation=invitation)
    # An address that cannot be one gets no mail; the row stays, so that it is looked at once.
    with suppress(DomainError):
        _owe(reminder, now)


@transaction.atomic
def _owe(reminder: Reminder, now: datetime) -> bool:
    """Owe the mail if there is a place for it; raises DomainError when it cannot be written to that address."""
    invitation = reminder.invitation
    survey, contact = invitation.survey, invitation.contact
    place = reserve(
        contact=contact,
        kind=Kind.REMINDER,
        key=f"survey-reminder:{invitation.pk}",
        label=survey.name,
        details={"reminder": reminder.pk},
        useful_until=invitation.expires_at,
        now=now,
    )
    if isinstance(place, HeldBack):
        return False
    token = token_for(survey_id=survey.pk, contact_id=contact.pk, occasion=invitation.occasion)
    reminder.message = enqueue_email(
        dedupe_key=f"survey-reminder:{invitation.pk}:{invitation.digest[:16]}",
        recipient=contact.email,
        due_at=now,
        place=place,
        **compose(invitation, token, reminds=True),
    )
    reminder.reminded_at = now
    reminder.save(update_fields=["message", "reminded_at"])
    record(
        account=invitation.account,
        kind="survey.reminded",
        happened_at=now,
        contact=contact,
        data={"survey": survey.key, "kind": survey.kind, "invitation": invitation.pk},
    )
    return True


def remind_held_back(*, now: datetime) -> int:
    """Remind the contacts whose reminder was held back and whose budget has a place again; returns how many.

    One that is of no use any more is dropped with its reason.
    """
    due = HeldBack.objects.due(now, Kind.REMINDER)
    return sum(_remind_again(held, now) for held in due[:SWEEP])


@transaction.atomic
def _remind_again(held: HeldBack, now: datetime) -> bool:
    found = Reminder.objects.select_related("invitation__survey", "invitation__contact__account")
    reminder = found.filter(pk=held.details["reminder"]).first()
    if reminder is None:  # gone with the account that its contact had left
        drop(held=held, outcome=HeldBack.Outcome.SWITCHED_OFF, now=now)
        return False
    invitation = Invitation.objects.select_for_update().get(pk=reminder.invitation_id)
    survey = reminder.invitation.survey
    if Response.objects.filter(invitation=invitation).exists():
        drop(held=held, outcome=HeldBack.Outcome.ANSWERED, now=now)
    elif not survey.is_live or survey.remind_after_days is None:
        drop(held=held, outcome=HeldBack.Outcome.SWITCHED_OFF, now=now)
    elif not Contact.objects.reachable().filter(pk=held.contact_id).exists():
        drop(held=held, outcome=HeldBack.Outcome.NOT_REACHABLE, now=now)
    else:
        try:
            return _owe(reminder, now)
        except DomainError:
            drop(held=held, outcome=HeldBack.Outcome.NOT_REACHABLE, now=now)
    return False


def take_back(*, invitation: Invitation, now: datetime) -> None:
    """Withdraw the reminder of an invitation that is answered, if its mail has not gone yet."""
    reminder = Reminder.objects.filter(invitation=invitation, message__isnull=False).first()
    if reminder is not None and reminder.message_id is not None:
        withdraw(messages={reminder.message_id: Withdrawal.ANSWERED}, now=now)
