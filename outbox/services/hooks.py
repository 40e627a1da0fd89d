"""The channels Slack and webhook: one POST to a destination, and what its answer means."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from hashlib import sha256
from http import HTTPStatus

from django.db.models import Exists, F, OuterRef, Q
from standardwebhooks import Webhook

from common.errors import DomainError
from common.outgoing import Answer, NoAnswer, request
from outbox.models import Destination, Message, MessageQuerySet
from outbox.services.failures import Away, Failed, NeverDelivers, TryLater

BUSY = {HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_EARLY, HTTPStatus.TOO_MANY_REQUESTS}
FIRST_REST = timedelta(minutes=1)
LONGEST_REST = timedelta(minutes=15)
LONGEST_ASKED = timedelta(hours=6)
"""What a destination may ask for by Retry-After."""
SHOWN = 300


class Hooks:
    """Carries messages to Slack and webhooks, one at a time to each destination.

    A destination that does not answer rests, whoever waits for it, so that neither a slow one keeps the workers busy
    nor an outage uses up the tries of all its messages.
    """

    def due(self, now: datetime) -> MessageQuerySet:
        under_way = Message.objects.filter(
            destination=OuterRef("destination"), status=Message.Status.PENDING, leased_until__gt=now
        )
        awake = Q(destination__away_until=None) | Q(destination__away_until__lte=now)
        due = Message.objects.due(now).filter(awake, ~Exists(under_way), channel__in=["slack", "webhook"])
        return due.select_related("destination")

    def send(self, message: Message, now: datetime) -> None:
        assert message.destination is not None
        deliver(message.destination, key=message.dedupe_key, body=message.payload["body"], now=now)

    def tried(self, message: Message, failure: Failed | None, now: datetime) -> bool:
        assert message.destination is not None
        destination = Destination.objects.filter(pk=message.destination.pk)
        if isinstance(failure, TryLater):
            rest = min(FIRST_REST * 2 ** min(message.destination.failures, 10), LONGEST_REST)
            until = now + max(rest, failure.wait or timedelta())
            destination.update(failures=F("failures") + 1, away_until=until, error=failure.reason)
        elif failure is None:
            destination.exclude(failures=0).update(failures=0, away_until=None, error="")
        return True

    def close(self) -> None:
        """Every message has a connection of its own."""


def deliver(destination: Destination, *, key: str, body: str, now: datetime) -> Answer:
    """POST ``body`` (JSON) to ``destination``; raises a kind of Failed when it was not taken.

    ``key`` names the message: its id is the same at every try, so that the other side can tell a repetition.
    """
    if not destination.is_on:
        raise NeverDelivers("the destination is switched off")
    headers = {"Content-Type": "application/json"}
    try:
        if destination.kind == Destination.Kind.WEBHOOK:
            headers |= _signed(destination, key=key, body=body, now=now)
        answer = request("POST", destination.url, headers=headers, body=body.encode())
    except NoAnswer as error:
        raise Away(str(error)[:SHOWN]) from error
    except DomainError as error:  # an address inside, or a secret that cannot be read any more
        raise NeverDelivers(error.message[:SHOWN]) from error
    _judge(answer, now)
    return answer


def _signed(destination: Destination, *, key: str, body: str, now: datetime) -> dict[str, str]:
    """The headers of Standard Webhooks; while a secret is being changed both sign."""
    number = f"msg_{sha256(key.encode()).hexdigest()[:32]}"
    secrets = destination.signing_secrets(now)
    return {
        "Webhook-Id": number,
        "Webhook-Timestamp": str(int(now.timestamp())),
        "Webhook-Signature": " ".join(Webhook(secret).sign(number, now, body) for secret in secrets),
        "Idempotency-Key": number,
    }


def _judge(answer: Answer, now: datetime) -> None:
    status = answer.status
    if 200 <= status < 300:
        return
    said = answer.body.decode("utf-8", "replace").replace("\x00", "").strip()
    reason = f"{status} {said}"[:SHOWN].strip()
    if 300 <= status < 400:
        raise NeverDelivers(f"{status}: redirects are not followed; enter the address that it leads to")
    if status in BUSY or status >= 500:
        raise TryLater(reason, wait=_asked(answer, now))
    raise NeverDelivers(reason)


def _asked(answer: Answer, now: datetime) -> timedelta | None:
    """The wait that Retry-After asks for, in seconds or as a date; None when it cannot be read."""
    asked = answer.headers.get("retry-after", "").strip()
    if asked.isascii() and asked.isdigit():
        return min(timedelta(seconds=int(asked[:9])), LONGEST_ASKED)
    try:
        at = parsedate_to_datetime(asked)
    except ValueError:
        return None
    at = at if at.tzinfo is not None else at.replace(tzinfo=UTC)
    return min(max(at - now, timedelta()), LONGEST_ASKED)
