"""Owing a mail of a run to a contact: at once, when the contact's budget has a place again, or not at all."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from accounts.models import Contact
from accounts.services.ledger import record
from accounts.unsubscribing import unsubscribe_link
from outbox.models import ContactSend, HeldBack, Kind
from outbox.services import enqueue_email, reserve
from playbooks.mail.compose import Letter, compose, sender_of, text_for
from playbooks.mail.liquid import Missing, TemplateError
from playbooks.mail.values import About
from playbooks.models import EmailTemplate, Run, WrittenEmail
from surveys.wording import language_of

USEFUL = timedelta(days=7)
"""So long a mail that finds no place in the contact's budget waits for one; later it would speak of what has passed."""


def write_email(
    *, run: Run, contact: Contact, template: str, sender: str, key: str, useful_until: datetime, now: datetime
) -> dict[str, Any]:
    """Owe the mail that ``key`` names, once; returns the facts: that it is written, is held back, or why there is none.

    It says what the template says now, with the values of now.
    """
    found = EmailTemplate.objects.filter(key=template).prefetch_related("texts").first()
    if found is None:
        return {"skipped": "no_template", "template": template}
    facts: dict[str, Any] = {"template": found.key, "name": found.name, "contact": contact.name}
    name = sender_of(sender, run.account)
    if name is None:
        return {"skipped": "no_sender", **facts}
    text = text_for(found, language_of(contact))
    assert text is not None, "a template has a text"
    try:
        about = About(run.account, contact, name.name)
        letter = compose(text, about, name, unsubscribe=unsubscribe_link(contact), now=now)
    except Missing as missing:
        return {"skipped": "value_missing", "missing": list(missing.labels), **facts}
    except TemplateError as error:
        return {"skipped": "template_broken", "problem": error.message, **facts}
    place = reserve(
        contact=contact,
        kind=Kind.PLAYBOOK,
        key=key,
        label=found.name,
        details={"run": run.pk, "template": template, "sender": sender},
        useful_until=useful_until,
        now=now,
    )
    if isinstance(place, HeldBack):
        return {"held_back": place.pk, **facts}
    return facts | _owe(run, contact, found, letter, place, now)


def _owe(
    run: Run, contact: Contact, template: EmailTemplate, letter: Letter, place: ContactSend, now: datetime
) -> dict[str, Any]:
    message = enqueue_email(
        dedupe_key=place.key,
        recipient=contact.email,
        subject=letter.subject,
        text=letter.text,
        html=letter.html,
        headers=letter.headers,
        due_at=now,
        place=place,
    )
    email, is_new = WrittenEmail.objects.get_or_create(
        key=place.key,
        defaults={
            "run": run,
            "contact": contact,
            "template": template.key,
            "language": letter.language,
            "subject": letter.subject,
            "message": message,
            "written_at": now,
        },
    )
    if is_new:
        told = {
            "playbook": run.playbook.key,
            "name": run.playbook.name,
            "run": run.pk,
            "email": email.pk,
            "subject": letter.subject,
        }
        record(account=run.account, kind="playbook.emailed", happened_at=now, contact=contact, data=told)
    return {"email": email.pk, "subject": email.subject}
