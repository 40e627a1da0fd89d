"""Email templates, and mails that runs wrote."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from django.conf import settings
from django.db import transaction
from django.db.models import Q
from django.utils.crypto import get_random_string
from django.utils.text import slugify
from django.utils.translation import gettext as _

from accounts.attributes import Catalogue
from accounts.models import Contact, User
from accounts.services.contacts import mark_bounced
from accounts.services.ledger import record_many
from common.errors import Conflict, DomainError, NotAllowed
from outbox.models import HeldBack, Kind, Message
from outbox.services import drop, enqueue_email
from playbooks.mail.compose import Sender, compose, problems_in
from playbooks.mail.liquid import Missing
from playbooks.mail.values import About
from playbooks.mail.writing import write_email
from playbooks.models import EmailTemplate, EmailText, Playbook, Run, WrittenEmail

SWEEP = 500
LONGEST_KEY = 58


@transaction.atomic
def save_template(
    *, template: EmailTemplate | None, name: str, texts: Mapping[str, tuple[str, str]], by: User, now: datetime
) -> EmailTemplate:
    """Keep a template under its name, or make one; ``texts`` has a subject and a body by language.

    A live playbook writes what the template says when its time comes. Raises NotAllowed for anybody but an admin, and
    DomainError with ``fields`` such as ``en.subject`` for a text that cannot be used and for one without any.
    """
    if not by.is_admin:
        raise NotAllowed(_("Only admins change email templates."))
    _check(name, texts)
    if template is None:
        template = EmailTemplate(key=_free_key(name))
    template.name, template.changed_by, template.changed_at = name, by, now
    template.save()
    template.texts.exclude(language__in=texts).delete()
    EmailText.objects.bulk_create(
        (
            EmailText(template=template, language=language, subject=subject, body=body)
            for language, (subject, body) in texts.items()
        ),
        update_conflicts=True,
        unique_fields=["template", "language"],
        update_fields=["subject", "body"],
    )
    return template


def _check(name: str, texts: Mapping[str, tuple[str, str]]) -> None:
    fields: dict[str, str] = {}
    if not name.strip():
        fields["name"] = _("Give it a name.")
    if not texts:
        fields["body"] = _("Write it in at least one language.")
    catalogue = Catalogue()
    for language, (subject, body) in texts.items():
        if language not in dict(settings.LANGUAGES):
            fields[language] = _("This language is not known.")
            continue
        for field, said in (("subject", subject), ("body", body)):
            if not said.strip():
                fields[f"{language}.{field}"] = _("Write this too, or leave the language out.")
        problems = problems_in(EmailText(language=language, subject=subject, body=body), catalogue)
        fields |= {f"{language}.{field}": problem for field, problem in problems.items()}
    if fields:
        raise DomainError(next(iter(fields.values())), code="template_invalid", fields=fields)


def _free_key(name: str) -> str:
    wanted = slugify(name)[:LONGEST_KEY].strip("-") or "email"
    taken = {"new", *EmailTemplate.objects.filter(key__startswith=wanted).values_list("key", flat=True)}
    return next(key for key in (wanted, *(f"{wanted}-{n}" for n in range(2, len(taken) + 3))) if key not in taken)


@transaction.atomic
def delete_template(*, template: EmailTemplate, by: User) -> None:
    """Drop a template; raises NotAllowed for anybody but an admin, and Conflict while a playbook writes it."""
    if not by.is_admin:
        raise NotAllowed(_("Only admins change email templates."))
    users = users_of(template.key)
    if users:
        names = ", ".join(f"“{playbook.name}”" for playbook in users)
        raise Conflict(_("It is used by %(playbooks)s; take it out there first.") % {"playbooks": names}, code="in_use")
    template.delete()


def users_of(key: str) -> list[Playbook]:
    """The playbooks that write the template with this key: live, drafted, or on a version that runs are still on."""
    step = [{"kind": "email", "template": key}]
    at_work = Run.objects.live().filter(version__definition__steps__contains=step).values("playbook_id")
    uses = Q(live_version__definition__steps__contains=step) | Q(draft__steps__contains=step) | Q(pk__in=at_work)
    return list(Playbook.objects.filter(uses).order_by("name"))


def send_test(*, text: EmailText, about: About, sender: Sender, to: User, now: datetime) -> Message:
    """Mail a text with the values of a real account to a colleague; its link unsubscribes nobody.

    Raises DomainError when a value that it needs is not known, or when it cannot be said.
    """
    try:
        letter = compose(text, about, sender, unsubscribe=settings.BASE_URL, now=now)
    except Missing as missing:
        words = {"values": ", ".join(missing.labels), "account": about.account.name}
        raise DomainError(_("%(values)s: not known of %(account)s.") % words, code="value_missing") from missing
    return enqueue_email(
        dedupe_key=f"template-test:{to.pk}:{get_random_string(16)}",
        recipient=to.email,
        subject=_("Test: %(subject)s") % {"subject": letter.subject},
        text=letter.text,
        html=letter.html,
        headers={"From": letter.headers["From"]},
        due_at=now,
    )


def send_held_back(*, now: datetime) -> int:
    """Write the mails that a contact's budget held back and now has a place for; returns how many.

    One that cannot be written any more is dropped with its reason.
    """
    due = HeldBack.objects.due(now, Kind.PLAYBOOK).select_related("contact__account")
    return sum(_write_again(held, now) for held in due[:SWEEP])


@transaction.atomic
def _write_again(held: HeldBack, now: datetime) -> bool:
    asked = held.details
    run = Run.objects.filter(pk=asked["run"]).select_related("playbook", "account__owner").first()
    if not Contact.objects.reachable().filter(pk=held.contact_id).exists():
        drop(held=held, outcome=HeldBack.Outcome.NOT_REACHABLE, now=now)
    elif run is None or run.account.ended_at is not None:
        drop(held=held, outcome=HeldBack.Outcome.SWITCHED_OFF, now=now)
    else:
        try:
            with transaction.atomic():
                facts = write_email(
                    run=run,
                    contact=held.contact,
                    template=asked["template"],
                    sender=asked["sender"],
                    key=held.key,
                    useful_until=held.useful_until,
                    now=now,
                )
        except DomainError:  # the address cannot be one
            drop(held=held, outcome=HeldBack.Outcome.NOT_REACHABLE, now=now)
            return False
        if "skipped" in facts:
            drop(held=held, outcome=HeldBack.Outcome.SWITCHED_OFF, now=now)
        return "email" in facts
    return False


@transaction.atomic
def mark_bounces(*, now: datetime) -> int:
    """Mark contacts whose mail from a playbook found no mailbox, so that nobody writes there again; returns how many.

    Each mail is looked at once: an address that is corrected or works again stays unmarked.
    """
    bounced = list(
        WrittenEmail.objects.filter(bounced_at=None, message__status=Message.Status.REFUSED)
        .select_for_update(of=("self",), skip_locked=True)
        .select_related("contact", "message", "run__playbook")[:SWEEP]
    )
    WrittenEmail.objects.filter(pk__in=[email.pk for email in bounced]).update(bounced_at=now)
    events = []
    for email in bounced:
        assert email.message is not None
        data = {"playbook": email.run.playbook.key, "reason": email.message.error}
        event = mark_bounced(contact=email.contact, address=email.message.recipient, now=now, data=data)
        if event is not None:
            events.append(event)
    record_many(events)
    return len(events)
