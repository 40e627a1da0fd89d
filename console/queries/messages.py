"""What is written to contacts and what finds no way out: held back by the budget, given up, and where messages go."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Count, Q
from django.http import QueryDict
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext as _

from accounts.models import Contact, User
from console.queries.paging import page_of
from outbox.models import ContactBudget, ContactSend, Destination, HeldBack, Kind, Message

CHANNELS = Message.Channel.choices


@dataclass(frozen=True, slots=True)
class Select:
    """One way to narrow a list: the parameter, what it says unset, its choices, and the one chosen."""

    name: str
    label: str
    options: list[tuple[str, str | Promise]]
    value: str


def _select(name: str, label: str, query: QueryDict, options: Iterable[tuple[str, str | Promise]]) -> Select:
    offered = list(options)
    given = query.get(name, "")
    return Select(name, label, offered, given if given in dict(offered) else "")


@dataclass(frozen=True, slots=True)
class HeldRow:
    """One message that was held back, and the messages that had taken the places then, the latest first."""

    held: HeldBack
    instead: list[ContactSend]


@dataclass(frozen=True, slots=True)
class HeldList:
    """One page of what was held back, how it can be narrowed, and to whom it is."""

    rows: list[HeldRow]
    selects: list[Select]
    contact: Contact | None
    is_narrowed: bool
    newer: str
    older: str


def held_back(user: User, query: QueryDict) -> HeldList:
    """What was held back on the accounts that ``user`` may see, the latest first; three queries at most.

    ``query`` may narrow it by ``contact``, ``kind`` and ``outcome``.
    """
    selects = [
        _select("kind", _("Anything written"), query, Kind.choices),
        _select("outcome", _("Whatever became of it"), query, HeldBack.Outcome.choices),
    ]
    found = HeldBack.objects.visible_to(user).select_related("contact__account")
    for select in selects:
        if select.value:
            found = found.filter(**{select.name: select.value})
    pk = query.get("contact", "")
    contact = Contact.objects.visible_to(user).filter(pk=int(pk)).first() if _is_number(pk) else None
    if contact is not None:
        found = found.filter(contact=contact)
    page = page_of(found, by="held_at", query=query)
    return HeldList(
        rows=_with_what_went_out(page.rows),
        selects=selects,
        contact=contact,
        is_narrowed=contact is not None or any(select.value for select in selects),
        newer=page.newer,
        older=page.older,
    )


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) < 19


def _with_what_went_out(held: list[HeldBack]) -> list[HeldRow]:
    if not held:
        return []
    first = min(row.held_at - timedelta(days=row.days) for row in held)
    last = max(row.held_at for row in held)
    sends: dict[int, list[ContactSend]] = defaultdict(list)
    contacts = {row.contact_id for row in held}
    for send in ContactSend.objects.filter(contact__in=contacts, counted_at__gt=first, counted_at__lte=last).order_by(
        "-counted_at", "-pk"
    ):
        sends[send.contact_id].append(send)
    return [
        HeldRow(
            row,
            [
                send
                for send in sends[row.contact_id]
                if row.held_at - timedelta(days=row.days) < send.counted_at <= row.held_at
            ][: row.most],
        )
        for row in held
    ]


@dataclass(frozen=True, slots=True)
class Written:
    """How often a contact was written to within the budget's period, and how many messages wait for a place."""

    count: int = 0
    waiting: int = 0


def written_to(contacts: Iterable[Contact], *, now: datetime) -> tuple[ContactBudget, dict[int, Written]]:
    """The budget, and for each contact how much of it is used; three queries."""
    budget = ContactBudget.current()
    listed = [contact.pk for contact in contacts]
    sent = ContactSend.objects.filter(contact__in=listed, counted_at__gt=now - budget.period).order_by()
    waiting = HeldBack.objects.filter(contact__in=listed, outcome=HeldBack.Outcome.WAITING).order_by()
    counts = dict(sent.values_list("contact").annotate(Count("pk")))
    waits = dict(waiting.values_list("contact").annotate(Count("pk")))
    return budget, {pk: Written(counts.get(pk, 0), waits.get(pk, 0)) for pk in listed}


@dataclass(frozen=True, slots=True)
class GivenUp:
    """One page of the messages that were given up, and how the list can be narrowed."""

    rows: list[Message]
    total: int
    selects: list[Select]
    channel: str
    newer: str
    older: str


def given_up(query: QueryDict) -> GivenUp:
    """The messages that were given up, the latest first; ``query`` may narrow them by ``channel``."""
    select = _select("channel", _("Any channel"), query, CHANNELS)
    found = Message.objects.parked()
    if select.value:
        found = found.filter(channel=select.value)
    page = page_of(found.select_related("destination").defer("payload"), by="created_at", query=query)
    return GivenUp(page.rows, found.count(), [select], select.value, page.newer, page.older)


@dataclass(frozen=True, slots=True)
class Withdrawn:
    """One page of the messages that were withdrawn before they were sent."""

    rows: list[Message]
    newer: str
    older: str


def withdrawn(query: QueryDict) -> Withdrawn:
    """The messages that were withdrawn before they were sent, the latest first."""
    found = Message.objects.filter(status=Message.Status.WITHDRAWN).defer("payload")
    page = page_of(found, by="created_at", query=query)
    return Withdrawn(page.rows, page.newer, page.older)


@dataclass(frozen=True, slots=True)
class DestinationRow:
    """A destination with the messages that wait for it and that were given up; ``rests`` while it does not answer."""

    destination: Destination
    waiting: int
    parked: int
    rests: bool


def destination_rows(*, now: datetime) -> list[DestinationRow]:
    """Every destination; one query."""
    count = {
        state: Count("messages", filter=Q(messages__status=state))
        for state in (Message.Status.PENDING, Message.Status.PARKED)
    }
    found = Destination.objects.annotate(waiting=count[Message.Status.PENDING], parked=count[Message.Status.PARKED])
    return [
        DestinationRow(row, row.waiting, row.parked, bool(row.away_until and row.away_until > now))
        for row in found.order_by("-is_on", "name", "pk")
    ]


def tabs(user: User, current: str) -> list[dict[str, object]]:
    """The pages about messages that ``user`` may open; ``current`` is the name of the one that is shown."""
    pages = [("messages", _("Held back"))]
    if user.is_admin:
        pages += [
            ("messages_given_up", _("Given up")),
            ("messages_withdrawn", _("Withdrawn")),
            ("messages_destinations", _("Slack and webhooks")),
        ]
    return [
        {
            "url": reverse(f"console:{name}"),
            "label": label,
            "is_current": name == current,
            "count": Message.objects.parked().count() or None if name == "messages_given_up" else None,
        }
        for name, label in pages
    ]
