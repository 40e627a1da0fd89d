from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any, TypedDict

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import transaction
from django.utils.translation import gettext as _

from common.doorbell import ring
from common.errors import Conflict, DomainError
from common.text import one_line, storable
from outbox.models import ContactSend, Destination, Message

BELLS = {
    Message.Channel.EMAIL: "outbox.deliver",
    Message.Channel.SLACK: "hooks.deliver",
    Message.Channel.WEBHOOK: "hooks.deliver",
}
"""Whom to ring for each channel: a target that is slow must not delay mail."""


class Email(TypedDict):
    """The payload of an e-mail: both bodies, and headers beside From, To, Subject, Date and Message-ID."""

    text: str
    html: str
    headers: dict[str, str]


def enqueue_email(
    *,
    dedupe_key: str,
    recipient: str,
    subject: str,
    text: str,
    html: str,
    headers: dict[str, str],
    due_at: datetime,
    place: ContactSend | None = None,
) -> Message:
    """Owe an e-mail, in the caller's transaction: it is sent after that commits, and never if it rolls back.

    ``dedupe_key`` names the reason for writing; a second call with the same key returns the first message and
    changes nothing. Line breaks in the subject and in headers become spaces. ``headers`` may set ``From`` to show
    a sender's name. ``place`` is what the message took of its reader's budget: whether that reader may still be
    written to is asked again before it goes. Raises DomainError for an address that cannot be one and for text that
    cannot be stored.
    """
    try:
        validate_email(recipient)
    except ValidationError as error:
        raise DomainError(
            _("“%(address)s” is not an email address.") % {"address": one_line(recipient)},
            code="bad_address",
            fields={"recipient": _("Enter an email address.")},
        ) from error
    flat = {one_line(name): one_line(content) for name, content in headers.items()}
    if not all(map(storable, (dedupe_key, recipient, subject, text, html, *flat, *flat.values()))):
        raise DomainError(_("The message contains a character that cannot be stored."), code="bad_text")
    message, _created = Message.objects.get_or_create(
        dedupe_key=dedupe_key,
        defaults={
            "channel": Message.Channel.EMAIL,
            "recipient": recipient,
            "subject": one_line(subject)[:300],
            "payload": Email(text=text, html=html, headers=flat),
            "due_at": due_at,
            "place": place,
        },
    )
    ring(BELLS[Message.Channel.EMAIL])
    return message


def enqueue_webhook(
    *, dedupe_key: str, destination: Destination, event: str, body: Mapping[str, Any], due_at: datetime
) -> Message:
    """Owe a webhook the JSON object ``body``, in the caller's transaction, as ``enqueue_email`` does."""
    return _enqueue_hook(dedupe_key, destination, Message.Channel.WEBHOOK, event, body, due_at)


def enqueue_slack(*, dedupe_key: str, destination: Destination, text: str, due_at: datetime) -> Message:
    """Owe a Slack channel ``text``, in Slack's own markup (``slack_text``), as ``enqueue_email`` does."""
    return _enqueue_hook(dedupe_key, destination, Message.Channel.SLACK, text, {"text": text}, due_at)


def slack_text(text: str) -> str:
    """``text`` as Slack shows it literally: no mention, no link."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _enqueue_hook(
    dedupe_key: str,
    destination: Destination,
    channel: Message.Channel,
    subject: str,
    body: Mapping[str, Any],
    due_at: datetime,
) -> Message:
    # The body is kept as the text that is sent: every try sends the same bytes.
    message, _created = Message.objects.get_or_create(
        dedupe_key=dedupe_key,
        defaults={
            "channel": channel,
            "destination": destination,
            "recipient": destination.name,
            "subject": one_line(subject)[:300],
            "payload": {"body": json.dumps(body)},
            "due_at": due_at,
        },
    )
    ring(BELLS[channel])
    return message


def send_again(*, message: Message, now: datetime) -> Message:
    """Put a parked message back in line with all its tries; raises Conflict when it is not parked."""
    changed = Message.objects.filter(pk=message.pk, status=Message.Status.PARKED).update(
        status=Message.Status.PENDING, attempts=0, error="", due_at=now, leased_until=None, told_at=None
    )
    if not changed:
        raise Conflict(_("Only a message that was given up can be sent again."), code="not_parked")
    message.refresh_from_db()
    ring(BELLS[Message.Channel(message.channel)])
    return message


@transaction.atomic
def send_every_again(*, channel: Message.Channel | None, now: datetime) -> int:
    """Put all parked messages of a channel (None: of all) back in line with all their tries; returns how many."""
    parked = Message.objects.parked()
    if channel is not None:
        parked = parked.filter(channel=channel)
    changed = parked.update(
        status=Message.Status.PENDING, attempts=0, error="", due_at=now, leased_until=None, told_at=None
    )
    for bell in sorted(set(BELLS.values())):
        ring(bell)
    return changed
