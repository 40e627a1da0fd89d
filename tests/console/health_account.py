"""An account with a health worth looking at: a month of it, a second version, a score set by hand, another score."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from accounts.attributes import Scope
from accounts.models import Account, User
from health.models import NamedScore, Override
from health.services import compute_health, open_draft, publish, update_measure
from tests.factories import (
    AccountFactory,
    ActivityFactory,
    MeasureFactory,
    ProfileFactory,
    ProfileMeasureFactory,
    SegmentFactory,
    TicketFactory,
)

DAYS = 40
MEASURES: tuple[tuple[str, str, str, str, Any, dict[str, Any]], ...] = (
    ("seats", "Seats taken", "usage", "seats", [[0, 0], [40, 50], [80, 100]], {}),
    (
        "recency",
        "Last use",
        "usage",
        "usage.days_since",
        {"below": 100, "steps": [[7, 60], [30, 10]]},
        {"direction": "lower", "stale_after_days": 14},
    ),
    ("champions", "Champions", "relationship", "contacts.champions", [[0, 0], [2, 100]], {"missing": "worst"}),
    ("touch", "Touch model", "relationship", "touch_model", {"high_touch": 90, "low_touch": 60}, {}),
    ("nps", "NPS", "outcome", "nps.last", [[0, 0], [10, 100]], {}),
    ("tickets", "Open tickets", "support", "tickets.open", [[0, 100], [5, 0]], {"direction": "lower"}),
)


def account_with_a_past(*, owner: User, now: datetime, days: int = DAYS) -> Account:
    """Seats went down, a ticket came, version 2 made tickets weigh more, and the owner set the score by hand."""
    made: Account = AccountFactory(name="Ostrava Steel", owner=owner, seats=70, touch_model="high_touch")
    activity = ActivityFactory(account=made, last_event_at=now - timedelta(days=days + 5))
    fit = NamedScore.objects.create(key="fit", label="Product fit", position=1)
    everybody = SegmentFactory(key="all", name="Everybody")
    profiles = [
        ProfileFactory(name="Everybody", segment=everybody),
        ProfileFactory(name="Fit", segment=everybody, named=fit),
    ]
    for key, label, group, attribute, curve, more in MEASURES:
        measure = MeasureFactory(key=key, label=label, group=group, attribute=attribute, curve=curve, **more)
        for profile in profiles if key == "seats" else profiles[:1]:
            ProfileMeasureFactory(profile=profile, measure=measure, weight=2 if key == "seats" else 1)
    for back in range(days, -1, -1):
        moment = now - timedelta(days=back)
        if back % 6 == 0:
            Account.objects.filter(pk=made.pk).update(seats=70 - (days - back))
        if back == 20:
            activity.last_event_at = moment
            activity.save()
        if back == days // 2:
            _second_version(moment, owner)
            TicketFactory.create_batch(2, account=made)
        if back == days // 4:
            _set_by_hand(made, owner, moment)
        compute_health(scope=Scope.everything(), now=moment)
    return made


def _second_version(moment: datetime, author: User) -> None:
    draft = open_draft(by=author, now=moment)
    update_measure(measure=draft.measures.get(key="tickets"), curve=[[0, 100], [3, 0]], now=moment)
    publish(draft=draft, by=author, note="Tickets are harder", now=moment)


def _set_by_hand(account: Account, author: User, moment: datetime) -> None:
    Override.objects.create(
        account=account,
        named=NamedScore.overall(),
        score=82,
        reason="They renew next week and told us so",
        author=author,
        created_at=moment,
        expires_at=moment + timedelta(days=60),
    )
