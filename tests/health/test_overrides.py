"""Scores set by hand: who may, what is refused, what is told, and that an end is told once."""

import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from datetime import datetime, timedelta
from threading import Barrier
from typing import Any

import pytest
from django.db import connection, transaction

from accounts.attributes import Scope
from accounts.models import Account, Event, EventInbox, Touched, User
from common.errors import Conflict, DomainError, NotAllowed, NotFound
from common.sql import SQL, rows
from health.models import HealthDay, HealthScore, NamedScore, Override
from health.queries import explain_health
from health.services import (
    compute_health,
    end_override,
    expire_overrides,
    override_score,
    restore_override,
    take_back_override,
)
from health.tasks import expire_overrides as expire_task
from launcher.places import ROOT
from tests.console.pages import only_own_book
from tests.factories import (
    NOW,
    AccountFactory,
    MeasureFactory,
    ProfileFactory,
    ProfileMeasureFactory,
    SegmentFactory,
    UserFactory,
)

DAY = timedelta(days=1)
TEN_DAYS = NOW + 10 * DAY


@pytest.fixture
def csm(db: None) -> User:
    made: User = UserFactory(name="Maya Lindholm")
    return made


@pytest.fixture
def account(db: None) -> Account:
    """An account with the score 42, watch."""
    made: Account = AccountFactory(seats=42)
    ProfileMeasureFactory(profile=ProfileFactory(), measure=MeasureFactory())
    compute(NOW)
    return made


def compute(now: datetime) -> None:
    compute_health(scope=Scope.everything(), now=now)


def set_by_hand(account: Account, by: User, score: float = 85, now: datetime = NOW, **kwargs: Any) -> Override:
    given: dict[str, Any] = {"reason": "They renew in spring", "expires_at": TEN_DAYS, **kwargs}
    named = given.pop("named", None) or NamedScore.overall()
    return override_score(account=account, named=named, score=score, by=by, now=now, **given)


def now_of(account: Account) -> tuple[float | None, float | None, str, int | None]:
    row = HealthScore.objects.overall().get(account=account)
    return row.score, row.computed_score, row.band, row.override_id


def told() -> list[tuple[str, Any, Any, Any, Any]]:
    return [
        (event.kind, event.data.get("from"), event.data.get("to"), event.data.get("computed"), event.user)
        for event in Event.objects.filter(kind__contains="overr").order_by("id")
    ]


def test_score_set_by_hand_shows_at_once_and_the_computed_one_stays_beneath(account: Account, csm: User) -> None:
    Touched.objects.all().delete()

    override = set_by_hand(account, csm, 85, reason=" They renew in spring ")

    assert now_of(account) == (85, 42, "good", override.pk)
    assert HealthDay.objects.get(account=account).score == 85
    assert (override.reason, override.author, override.expires_at) == ("They renew in spring", csm, TEN_DAYS)
    event = Event.objects.get(kind="health.overridden")
    assert (event.user, event.account, event.happened_at) == (csm, account, NOW)
    assert event.data == {
        "override": override.pk,
        "score": 85,
        "computed": 42,
        "from": "watch",
        "to": "good",
        "reason": "They renew in spring",
        "until": TEN_DAYS.isoformat(),
    }
    assert EventInbox.objects.filter(event=event).exists()
    assert list(Touched.objects.values_list("account_id", flat=True)) == [account.pk]
    assert not Event.objects.filter(kind="health.band_changed").exists()
    explained = explain_health(account=account, now=NOW)
    assert explained is not None
    assert explained.override_contribution == 43


def test_customer_moves_the_score_beneath_and_not_the_one_above(account: Account, csm: User) -> None:
    override = set_by_hand(account, csm)
    Account.objects.update(seats=10)
    compute(NOW + DAY)

    assert now_of(account) == (85, 10, "good", override.pk)
    assert not Event.objects.filter(kind="health.band_changed").exists()


def test_score_counts_again_when_the_override_is_ended(account: Account, csm: User) -> None:
    override = set_by_hand(account, csm)
    other = UserFactory()
    Account.objects.update(seats=10)

    ended = end_override(override=override, by=other, now=NOW + DAY)

    assert (ended.ended_at, ended.ended_by) == (NOW + DAY, other)
    assert now_of(account) == (10, None, "poor", None)
    assert told()[1] == ("health.override_ended", "good", "poor", 10, other)
    assert Event.objects.get(kind="health.override_ended").data["how"] == "ended"
    with pytest.raises(Conflict, match="not set by hand any more"):
        end_override(override=override, by=other, now=NOW + DAY)
    assert len(told()) == 2


def test_second_override_replaces_the_first(account: Account, csm: User) -> None:
    first, other = set_by_hand(account, csm), UserFactory()

    second = set_by_hand(account, other, 20, now=NOW + DAY)

    first.refresh_from_db()
    assert (first.ended_at, first.ended_by) == (NOW + DAY, other)
    assert now_of(account) == (20, 42, "poor", second.pk)
    assert told()[1:] == [
        ("health.override_ended", "good", "poor", 42, other),
        ("health.overridden", "good", "poor", 42, other),
    ]
    assert Event.objects.get(kind="health.override_ended").data["how"] == "replaced"


def test_one_taken_back_gives_way_to_the_one_that_it_replaced(account: Account, csm: User) -> None:
    first = set_by_hand(account, csm)
    second = set_by_hand(account, csm, 20, now=NOW + DAY)

    assert take_back_override(override=second, by=csm, now=NOW + DAY) == first
    assert now_of(account) == (85, 42, "good", first.pk)
    assert Override.objects.live(NOW + DAY).get() == first

    assert take_back_override(override=first, by=csm, now=NOW + 2 * DAY) is None
    assert now_of(account) == (42, None, "watch", None)


def test_ended_one_holds_again_when_its_end_is_undone(account: Account, csm: User) -> None:
    override = set_by_hand(account, csm)
    end_override(override=override, by=csm, now=NOW + DAY)

    restored = restore_override(override=override, by=csm, now=NOW + DAY)

    assert (restored.ended_at, restored.ended_by) == (None, None)
    assert now_of(account) == (85, 42, "good", override.pk)
    assert told()[2] == ("health.overridden", "watch", "good", 42, csm)


def test_end_is_not_undone_when_it_is_too_late(account: Account, csm: User) -> None:
    first = set_by_hand(account, csm)
    with pytest.raises(Conflict):
        restore_override(override=first, by=csm, now=NOW)
    end_override(override=first, by=csm, now=NOW)
    set_by_hand(account, csm, 20)
    with pytest.raises(Conflict, match="Somebody else has just set"):
        restore_override(override=first, by=csm, now=NOW)
    with pytest.raises(Conflict, match="cannot be taken back"):
        restore_override(override=first, by=csm, now=TEN_DAYS)
    assert Override.objects.live(NOW).count() == 1


@pytest.mark.parametrize(
    ("given", "field", "sentence"),
    [
        ({"score": -1}, "score", "from 0 to 100"),
        ({"score": 100.5}, "score", "from 0 to 100"),
        ({"score": float("nan")}, "score", "from 0 to 100"),
        ({"score": True}, "score", "from 0 to 100"),
        ({"reason": " \n "}, "reason", "1 to 500 characters"),
        ({"reason": "x" * 501}, "reason", "1 to 500 characters"),
        ({"reason": "a\x00b"}, "reason", "1 to 500 characters"),
        ({"expires_at": NOW}, "expires_at", "still to come"),
        ({"expires_at": NOW + timedelta(days=367)}, "expires_at", "within a year"),
    ],
)
def test_override_is_refused_at_its_field(
    account: Account, csm: User, given: dict[str, Any], field: str, sentence: str
) -> None:
    with pytest.raises(DomainError) as refused:
        set_by_hand(account, csm, **given)

    assert list(refused.value.fields) == [field]
    assert sentence in refused.value.fields[field]
    assert not Override.objects.exists()


def test_override_is_refused_when_there_is_no_score(account: Account, csm: User) -> None:
    ended = AccountFactory(ended_at=NOW)
    fit = NamedScore.objects.create(key="fit", label="Fit")
    # Its row is still there, but nothing decides it any more.
    Account.objects.filter(pk=account.pk).update(ended_at=NOW)

    for case, named in ((ended, None), (account, fit), (account, None)):
        with pytest.raises(DomainError) as refused:
            set_by_hand(case, csm, named=named)
        assert refused.value.fields["score"] == "This account has no such score to set: no profile decides it."
    assert not Override.objects.exists()


def test_empty_score_can_be_set(account: Account, csm: User) -> None:
    Account.objects.update(seats=None)
    compute(NOW)

    set_by_hand(account, csm)

    assert now_of(account)[:3] == (85, None, "good")
    assert told()[0][1:4] == ("", "good", None)


def test_override_is_refused_when_the_score_stands_still(csm: User) -> None:
    account = AccountFactory(seats=42)
    profile = ProfileFactory(segment=SegmentFactory())
    ProfileMeasureFactory(profile=profile, measure=MeasureFactory())
    compute(NOW)
    profile.segment.condition = {"attribute": "gone", "operator": "is", "value": 1}
    profile.segment.save()

    with pytest.raises(Conflict, match="stands still"):
        set_by_hand(account, csm)
    assert not Override.objects.exists()


def test_only_those_who_may_edit_the_account_set_its_score(account: Account, csm: User) -> None:
    override = set_by_hand(account, csm)
    viewer, outsider = UserFactory(role=User.Role.VIEWER), only_own_book()

    for who, error in ((viewer, NotAllowed), (outsider, NotFound)):
        with pytest.raises(error):
            set_by_hand(account, who)
        with pytest.raises(error):
            end_override(override=override, by=who, now=NOW)
        with pytest.raises(error):
            restore_override(override=override, by=who, now=NOW)
    assert Override.objects.live(NOW).get() == override


def test_other_score_is_set_without_touching_the_overall_one(account: Account, csm: User) -> None:
    fit = NamedScore.objects.create(key="fit", label="Fit")
    ProfileMeasureFactory(profile=ProfileFactory(named=fit), measure=MeasureFactory())
    compute(NOW)

    override = set_by_hand(account, csm, named=fit)
    expire_overrides(now=TEN_DAYS)

    assert now_of(account) == (42, None, "watch", None)
    assert HealthScore.objects.of("fit").get().score == 42
    assert [(event.kind, event.data["named"], event.data["override"]) for event in Event.objects.order_by("id")] == [
        ("health.score.overridden", "fit", override.pk),
        ("health.score.override_ended", "fit", override.pk),
    ]


def test_expiry_is_told_once_and_not_before_its_time(account: Account, csm: User) -> None:
    override = set_by_hand(account, csm)

    assert expire_overrides(now=TEN_DAYS - timedelta(seconds=1)) == 0
    # Somebody computes the account after its time and before the beat: the band that it held is told all the same.
    compute(TEN_DAYS)
    assert now_of(account) == (42, None, "watch", None)
    assert expire_overrides(now=TEN_DAYS) == 1
    assert expire_overrides(now=TEN_DAYS) == 0

    override.refresh_from_db()
    assert (override.ended_at, override.ended_by) == (TEN_DAYS, None)
    assert told()[1:] == [("health.override_ended", "good", "watch", 42, None)]
    assert Event.objects.get(kind="health.override_ended").data["how"] == "expired"


def test_expired_one_is_told_as_expired_when_somebody_comes_across_it_first(account: Account, csm: User) -> None:
    set_by_hand(account, csm)

    second = set_by_hand(account, csm, 20, now=TEN_DAYS + DAY, expires_at=TEN_DAYS + 2 * DAY)

    assert told()[1:] == [
        ("health.override_ended", "good", "poor", 42, None),
        ("health.overridden", "good", "poor", 42, csm),
    ]
    assert now_of(account) == (20, 42, "poor", second.pk)


def test_task_ends_everything_that_is_due(csm: User, account: Account) -> None:
    override = set_by_hand(account, csm)
    Override.objects.filter(pk=override.pk).update(expires_at=NOW + timedelta(seconds=1))

    expire_task()

    assert len(told()) == 2


@pytest.mark.django_db(transaction=True)
def test_each_expiry_is_told_once_when_several_beats_ring(csm: User) -> None:
    ProfileMeasureFactory(profile=ProfileFactory(), measure=MeasureFactory())
    accounts = AccountFactory.create_batch(5, seats=42)
    compute(NOW)
    for account in accounts:
        set_by_hand(account, csm)

    together = Barrier(4)

    def expire() -> int:
        together.wait()
        ended = sum(expire_overrides(now=TEN_DAYS) for _ in range(3))
        connection.close()
        return ended

    with ThreadPoolExecutor(4) as beats:
        ended = [beats.submit(expire) for _ in range(4)]

    assert sum(done.result() for done in ended) == 5
    assert Event.objects.filter(kind="health.override_ended").count() == 5
    assert HealthScore.objects.filter(score=42, override=None).count() == 5


HELD = """
import os, time, django
django.setup()
from django.db import transaction
from datetime import datetime
from health.services import expire_overrides
with transaction.atomic():
    print(expire_overrides(now=datetime.fromisoformat(os.environ["AT"])), flush=True)
    time.sleep(60)
"""


@pytest.mark.django_db(transaction=True)
def test_expiry_is_told_once_when_a_worker_is_killed_over_it(
    account: Account, csm: User, process_env: dict[str, str]
) -> None:
    set_by_hand(account, csm)

    with subprocess.Popen(
        [sys.executable, "-c", HELD],
        cwd=ROOT,
        env={**process_env, "AT": TEN_DAYS.isoformat()},
        stdout=subprocess.PIPE,
        text=True,
    ) as worker:
        assert worker.stdout is not None
        assert worker.stdout.readline() == "1\n"
        assert expire_overrides(now=TEN_DAYS) == 0
        worker.kill()

    deadline = time.monotonic() + 30
    while not expire_overrides(now=TEN_DAYS):
        assert time.monotonic() < deadline
        time.sleep(0.1)
    assert Event.objects.filter(kind="health.override_ended").count() == 1


def in_the_way_of(held: Callable[[], object], wanted: Callable[[], object]) -> object:
    """What ``wanted`` comes to when it begins while ``held`` is done and not yet committed."""

    def apart() -> object:
        try:
            return wanted()
        except DomainError as error:
            return error
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as worker:
        with transaction.atomic():
            held()
            later: Future[object] = worker.submit(apart)
            deadline = time.monotonic() + 30
            while not rows(SQL("SELECT FROM pg_locks WHERE NOT granted")) and not later.done():
                assert time.monotonic() < deadline
                time.sleep(0.02)
        return later.result()


@pytest.mark.django_db(transaction=True)
def test_later_of_two_is_told_when_both_set_a_score_at_once(account: Account, csm: User) -> None:
    other = UserFactory()

    later = in_the_way_of(lambda: set_by_hand(account, csm), lambda: set_by_hand(account, other, 20))

    assert isinstance(later, Conflict)
    assert "Somebody else has just set this score by hand" in later.message
    assert Override.objects.get().author == csm
    assert len(told()) == 1


@pytest.mark.django_db(transaction=True)
def test_one_end_is_told_when_a_person_ends_it_as_it_expires(account: Account, csm: User) -> None:
    override = set_by_hand(account, csm)

    later = in_the_way_of(
        lambda: end_override(override=override, by=csm, now=TEN_DAYS - DAY), lambda: expire_overrides(now=TEN_DAYS)
    )

    assert later == 0
    assert told()[1:] == [("health.override_ended", "good", "watch", 42, csm)]
    with suppress(Conflict):
        end_override(override=override, by=csm, now=TEN_DAYS)
    assert len(told()) == 2
