"""Destinations: the Slack channels and webhooks that admins keep."""

from __future__ import annotations

import json
from base64 import b64encode
from dataclasses import dataclass
from datetime import datetime, timedelta
from secrets import token_bytes, token_hex
from urllib.parse import urlsplit

from django.db import transaction
from django.utils.text import slugify
from django.utils.translation import gettext as _

from common.errors import Conflict, DomainError
from common.outgoing import Blocked, check_url
from common.sealing import reseal, seal
from common.text import one_line, storable
from outbox.models import Destination, Message
from outbox.services.failures import Failed
from outbox.services.hooks import deliver

BOTH_SIGN = timedelta(hours=24)
"""After a rotation, so that the other side can change the secret without losing a message."""
NAME_LENGTH = 100


@transaction.atomic
def add_destination(*, kind: Destination.Kind, name: str, url: str) -> Destination:
    """Keep a new destination; a webhook gets its signing secret. Raises DomainError at the field that cannot be."""
    name, url = one_line(name), url.strip()
    _check(name, url)
    return Destination.objects.create(
        key=_free_key(name),
        kind=kind,
        name=name,
        host=urlsplit(url).hostname or "",
        sealed_url=seal(url),
        sealed_secret=seal(_new_secret()) if kind == Destination.Kind.WEBHOOK else "",
    )


@transaction.atomic
def change_destination(*, destination: Destination, name: str, url: str) -> Destination:
    """Give it another name and, unless ``url`` is empty, another address, which is tried at once."""
    name, url = one_line(name), url.strip()
    _check(name, url or None)
    destination.name = name
    fields = ["name", "updated_at"]
    if url:
        destination.host, destination.sealed_url = urlsplit(url).hostname or "", seal(url)
        destination.failures, destination.away_until, destination.error = 0, None, ""
        fields += ["host", "sealed_url", "failures", "away_until", "error"]
    destination.save(update_fields=fields)
    return destination


@transaction.atomic
def switch_destination(*, destination: Destination, is_on: bool) -> Destination:
    """Switch it on or off; off, what waits for it is given up and can be sent again."""
    destination.is_on, destination.failures, destination.away_until, destination.error = is_on, 0, None, ""
    destination.save(update_fields=["is_on", "failures", "away_until", "error", "updated_at"])
    if not is_on:
        Message.objects.filter(destination=destination, status=Message.Status.PENDING).update(
            status=Message.Status.PARKED, leased_until=None, error="the destination was switched off"
        )
    return destination


@transaction.atomic
def rotate_secret(*, destination: Destination, now: datetime) -> Destination:
    """Give a webhook a new signing secret; the one before signs beside it for a day. Raises Conflict for Slack."""
    if destination.kind != Destination.Kind.WEBHOOK:
        raise Conflict(_("Only webhooks are signed."), code="no_secret")
    destination.sealed_previous, destination.previous_until = destination.sealed_secret, now + BOTH_SIGN
    destination.sealed_secret = seal(_new_secret())
    destination.save(update_fields=["sealed_previous", "previous_until", "sealed_secret", "updated_at"])
    return destination


@dataclass(frozen=True, slots=True)
class Tested:
    """What came of a test: whether it was taken, and the answer or what went wrong."""

    taken: bool
    said: str


def try_destination(*, destination: Destination, company: str, now: datetime) -> Tested:
    """Send a test at once and say what came back. Nothing is kept of it."""
    text = _("This is a test from %(company)s.") % {"company": company}
    slack = destination.kind == Destination.Kind.SLACK
    body = {"text": text} if slack else {"event": "test", "at": now.isoformat(), "text": text}
    try:
        answer = deliver(destination, key=f"test:{token_hex(16)}", body=json.dumps(body), now=now)
    except Failed as failure:
        return Tested(False, failure.reason)
    return Tested(True, str(answer.status))


def reseal_destinations() -> int:
    """Encrypt every secret with the key alone, so that its fallbacks can go; returns of how many destinations."""
    changed = 0
    for pk in list(Destination.objects.values_list("pk", flat=True)):
        with transaction.atomic():
            destination = Destination.objects.select_for_update().get(pk=pk)
            for field in ("sealed_url", "sealed_secret", "sealed_previous"):
                if sealed := getattr(destination, field):
                    setattr(destination, field, reseal(sealed))
            destination.save(update_fields=["sealed_url", "sealed_secret", "sealed_previous"])
            changed += 1
    return changed


def _check(name: str, url: str | None) -> None:
    fields = {}
    if not name or len(name) > NAME_LENGTH or not storable(name):
        fields["name"] = _("Enter a name of at most %(most)s characters.") % {"most": NAME_LENGTH}
    if url is not None:
        try:
            check_url(url)
        except Blocked as error:
            fields["url"] = error.message
    if fields:
        raise DomainError(next(iter(fields.values())), code="bad_destination", fields=fields)


def _free_key(name: str) -> str:
    base = slugify(name)[:50] or "destination"
    taken = set(Destination.objects.filter(key__startswith=base).values_list("key", flat=True))
    return next(key for key in (base, *(f"{base}-{n}" for n in range(2, len(taken) + 3))) if key not in taken)


def _new_secret() -> str:
    return f"whsec_{b64encode(token_bytes(24)).decode()}"
