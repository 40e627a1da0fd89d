from __future__ import annotations

from datetime import datetime, timedelta

from django.db import transaction
from django.utils.translation import gettext as _

from accounts.models import Contact
from accounts.services.contacts import mark_bounced
from accounts.services.contacts import unsubscribe as unsubscribe_contact
from accounts.services.ledger import record, record_many
from common.errors import DomainError, NotFound
from common.text import one_line, storable
from outbox.models import HeldBack, Kind, Message
from outbox.services import drop, enqueue_email, reserve
from surveys.mail import compose
from surveys.models import Invitation, Reminder, Survey
from surveys.queries import invitation_of
from surveys.tokens import digest_of, token_for
from surveys.wording import language_of

OCCASION_LENGTH = 150
SWEEP = 500


@transaction.atomic
def invite(*, survey: Survey, contact: Contact, occasion: str, now: datetime) -> Invitation | HeldBack:
    """Ask ``contact`` to answer ``survey``: writes the invitation and owes the mail.

    ``occasion`` says what it is about (``2026-Q1``, ``run-17``): a contact is asked once an occasion, and a second
    call returns the first invitation and sends nothing. A contact whose budget is used up is asked on the first day
    that has a place (``send_held_back``), or not at all when that is later than the invitation would be open; then
    what was held back is returned. Raises DomainError when the survey is not live, when the contact has left,
    unsubscribed, bounced or has no address, and for an occasion that is empty or too long.
    """
    occasion = one_line(occasion)
    if not occasion or len(occasion) > OCCASION_LENGTH or not storable(occasion):
        raise DomainError(
            _("An occasion has 1 to %(most)s characters.") % {"most": OCCASION_LENGTH},
            code="bad_occasion",
            fields={"occasion": _("Name the occasion in 1 to %(most)s characters.") % {"most": OCCASION_LENGTH}},
        )
    if not survey.is_live:
        raise DomainError(_("“%(survey)s” is switched off; switch it on first.") % {"survey": survey}, code="not_live")
    if not Contact.objects.reachable().filter(pk=contact.pk).exists():
        raise DomainError(
            _("%(contact)s cannot be written to: they left, unsubscribed, or have no address that works.")
            % {"contact": contact},
            code="not_reachable",
        )
    useful_until = now + timedelta(days=survey.expires_after_days)
    return _ask(survey, contact, occasion, useful_until=useful_until, now=now)


def _ask(
    survey: Survey, contact: Contact, occasion: str, *, useful_until: datetime, now: datetime
) -> Invitation | HeldBack:
    asked = Invitation.objects.filter(survey=survey, contact=contact, occasion=occasion).first()
    if asked is not None:
        return asked
    place = reserve(
        contact=contact,
        kind=Kind.SURVEY,
        key=f"survey:{survey.pk}:{contact.pk}:{occasion}",
        label=survey.name,
        details={"survey": survey.pk, "occasion": occasion},
        useful_until=useful_until,
        now=now,
    )
    if isinstance(place, HeldBack):
        return place
    token = token_for(survey_id=survey.pk, contact_id=contact.pk, occasion=occasion)
    invitation, created = Invitation.objects.get_or_create(
        survey=survey,
        contact=contact,
        occasion=occasion,
        defaults={
            "account": contact.account,
            "digest": digest_of(token),
            "language": language_of(contact),
            "invited_at": now,
            "expires_at": now + timedelta(days=survey.expires_after_days),
        },
    )
    if created:
        mail = compose(invitation, token)
        invitation.message = enqueue_email(
            dedupe_key=f"survey-invitation:{invitation.pk}:{invitation.digest[:16]}",
            recipient=contact.email,
            due_at=now,
            place=place,
            **mail,
        )
        invitation.save(update_fields=["message"])
        record(
            account=contact.account,
            kind="survey.invited",
            happened_at=now,
            contact=contact,
            data={"survey": survey.key, "kind": survey.kind, "invitation": invitation.pk, "occasion": occasion},
        )
    return invitation


def send_held_back(*, now: datetime) -> int:
    """Ask the contacts whose invitation was held back and whose budget has a place again; returns how many.

    One that cannot be asked any more is dropped with its reason.
    """
    due = HeldBack.objects.due(now, Kind.SURVEY).select_related("contact__account")
    return sum(_ask_again(held, now) for held in due[:SWEEP])


@transaction.atomic
def _ask_again(held: HeldBack, now: datetime) -> bool:
    survey = Survey.objects.filter(pk=held.details["survey"], is_live=True).first()
    if survey is None:
        drop(held=held, outcome=HeldBack.Outcome.SWITCHED_OFF, now=now)
    elif not Contact.objects.reachable().filter(pk=held.contact_id).exists():
        drop(held=held, outcome=HeldBack.Outcome.NOT_REACHABLE, now=now)
    else:
        occasion: str = held.details["occasion"]
        try:
            with transaction.atomic():
                asked = _ask(survey, held.contact, occasion, useful_until=held.useful_until, now=now)
        except DomainError:
            drop(held=held, outcome=HeldBack.Outcome.NOT_REACHABLE, now=now)
        else:
            return isinstance(asked, Invitation)
    return False


@transaction.atomic
def unsubscribe(*, token: str, now: datetime) -> Contact:
    """Stop writing to the contact whose invitation ``token`` is from, also when it has expired.

    Raises NotFound for a token of no invitation.
    """
    invitation = invitation_of(token)
    if invitation is None:
        raise NotFound(_("This link does not belong to any invitation."), code="no_such_invitation")
    return unsubscribe_contact(contact=invitation.contact, now=now, data={"survey": invitation.survey.key})


@transaction.atomic
def mark_bounces(*, now: datetime) -> int:
    """Mark contacts whose invitation or reminder found no mailbox, so that nobody writes there again; returns how many.

    Each mail is looked at once: an address that is corrected or works again stays unmarked.
    """
    refused = {"bounced_at": None, "message__status": Message.Status.REFUSED}
    invitations = list(
        Invitation.objects.filter(**refused)
        .select_for_update(of=("self",), skip_locked=True)
        .select_related("contact", "message", "survey")[:SWEEP]
    )
    Invitation.objects.filter(pk__in=[invitation.pk for invitation in invitations]).update(bounced_at=now)
    reminders = list(
        Reminder.objects.filter(**refused)
        .select_for_update(of=("self",), skip_locked=True)
        .select_related("message", "invitation__contact", "invitation__survey")[:SWEEP]
    )
    Reminder.objects.filter(pk__in=[reminder.pk for reminder in reminders]).update(bounced_at=now)
    bounced = [(invitation, invitation.message) for invitation in invitations]
    bounced += [(reminder.invitation, reminder.message) for reminder in reminders]
    events = []
    for invitation, message in bounced:
        assert message is not None
        data = {"survey": invitation.survey.key, "reason": message.error}
        event = mark_bounced(contact=invitation.contact, address=message.recipient, now=now, data=data)
        if event is not None:
            events.append(event)
    record_many(events)
    return len(events)
