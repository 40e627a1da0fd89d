"""Accounts that are only watched, so that what a playbook changes is measured."""

from datetime import date, timedelta
from typing import Any

import pytest
from django.db import IntegrityError, transaction

from accounts.models import Account, User
from common.errors import Conflict, DomainError, NotAllowed
from health.models import HealthScore, NamedScore
from playbooks.models import Holdout, HoldoutMember, Playbook, Run, Task
from playbooks.queries.effect import plan_of, results_of
from playbooks.queries.why import why_run
from playbooks.services import (
    enter_by_hand,
    evaluate_entries,
    measure_holdouts,
    start_holdout,
    stop_holdout,
)
from tests.factories import NOW, ProfileFactory, UserFactory
from tests.playbooks.cases import DAY, REFERENCE, customer, leaf, now_uses, published, settle

pytestmark = pytest.mark.django_db

TREATED, HELD_OUT = HoldoutMember.Arm
USES = leaf("usage.messaging.7d", "gte", 10)
VERDICT = NOW.date() + 60 * DAY


def admin() -> User:
    user: User = UserFactory(role=User.Role.ADMIN)
    return user


def begun(playbook: Playbook, **fields: Any) -> Holdout:
    given = {"share": 50, "outcome": USES, "after_days": 30, "base_rate": 20, "verdict_on": VERDICT, **fields}
    return start_holdout(playbook=playbook, by=admin(), now=NOW, **given)


def arm_of(account: Account) -> str:
    return HoldoutMember.objects.get(account=account).arm


def customers(count: int) -> list[Account]:
    owner = UserFactory()
    return [customer(uses=3, owner=owner) for _n in range(count)]


def test_half_of_those_who_enter_are_only_watched() -> None:
    begun(published())
    accounts = customers(20)

    evaluate_entries(now=NOW)
    held = {account for account in accounts if arm_of(account) == HELD_OUT}
    assert 8 <= len(held) <= 12
    assert set(Run.objects.filter(is_held_out=True).values_list("account", flat=True)) == {one.pk for one in held}
    assert not Task.objects.exists()

    settle(NOW)
    settle(NOW + 7 * DAY)
    assert set(Task.objects.values_list("account", flat=True)) == {one.pk for one in accounts if one not in held}
    watched = Run.objects.filter(is_held_out=True).first()
    assert watched is not None
    assert watched.state == Run.State.FINISHED
    assert "Held out: this was not done, so that its effect can be measured." in [
        line.words for line in why_run(watched)
    ]


def test_arm_is_written_in_the_transaction_that_begins_the_run() -> None:
    playbook = published()
    begun(playbook)
    account = customer(uses=3)

    evaluate_entries(now=NOW)
    member, run = HoldoutMember.objects.get(account=account), Run.objects.get(account=account)
    assert member.entered_at == run.entered_at == NOW
    assert (member.arm == HELD_OUT) == run.is_held_out


def test_account_keeps_its_arm_when_it_enters_again() -> None:
    begun(published({**REFERENCE, "reentry_after_days": 0}), verdict_on=NOW.date() + 90 * DAY)
    accounts = customers(12)
    evaluate_entries(now=NOW)
    before = {account.pk: arm_of(account) for account in accounts}

    for account in accounts:
        now_uses(account, 40)
    evaluate_entries(now=NOW + DAY)
    settle(NOW + 8 * DAY)
    for account in accounts:
        now_uses(account, 3)
    evaluate_entries(now=NOW + 9 * DAY)

    again = Run.objects.filter(entered_at=NOW + 9 * DAY)
    assert again.count() == len(accounts)
    assert {run.account_id: HELD_OUT if run.is_held_out else TREATED for run in again} == before
    assert HoldoutMember.objects.count() == len(accounts)


def test_bands_are_divided_each_for_itself() -> None:
    begun(published())
    accounts = customers(40)
    profile, named = ProfileFactory(), NamedScore.overall()
    HealthScore.objects.bulk_create(
        HealthScore(
            account=account,
            named=named,
            profile=profile,
            band="poor" if place % 2 else "good",
            score=20 if place % 2 else 80,
            values=[],
            points=[],
            heard=[],
            since=NOW,
            computed_at=NOW,
        )
        for place, account in enumerate(accounts)
    )

    evaluate_entries(now=NOW)

    for band in ("poor", "good"):
        assert 8 <= HoldoutMember.objects.filter(band=band, arm=HELD_OUT).count() <= 12


def test_who_is_started_by_hand_is_treated() -> None:
    playbook = published()
    begun(playbook)
    accounts = customers(8)

    enter_by_hand(playbook=playbook, account_ids=[account.pk for account in accounts], by=admin(), now=NOW)

    assert Run.objects.count() == len(accounts)
    assert not Run.objects.filter(is_held_out=True).exists()
    assert not HoldoutMember.objects.exists()


def test_nobody_is_enrolled_whose_outcome_would_come_after_the_verdict() -> None:
    begun(published())
    customers(8)
    late = NOW + 31 * DAY

    evaluate_entries(now=late)

    assert Run.objects.count() == 8
    assert not Run.objects.filter(is_held_out=True).exists()
    assert not HoldoutMember.objects.exists()


def test_effect_is_told_on_the_day_of_the_verdict_and_not_before() -> None:
    holdout = begun(published())
    accounts = customers(40)
    evaluate_entries(now=NOW)
    for account in accounts:
        now_uses(account, 20 if arm_of(account) == TREATED else 3)

    assert measure_holdouts(now=NOW + 29 * DAY) == 0
    assert measure_holdouts(now=NOW + 30 * DAY) == 40
    assert measure_holdouts(now=NOW + 31 * DAY) == 0
    early = results_of(holdout, now=NOW + 59 * DAY)
    assert early.is_early
    assert early.effect is None
    assert early.treated.met == early.treated.measured == early.treated.entered

    measure_holdouts(now=NOW + 60 * DAY)
    holdout.refresh_from_db()
    result = results_of(holdout, now=NOW + 60 * DAY)
    assert holdout.stopped_at == NOW + 60 * DAY
    assert not result.is_early
    assert result.effect is not None
    assert result.effect.difference == pytest.approx(1)
    assert result.effect.is_shown


def test_outcome_counts_whether_or_not_the_playbook_came_to_act() -> None:
    holdout = begun(published())
    accounts = customers(20)
    evaluate_entries(now=NOW)
    for account in accounts:  # all recover in the wait: nothing is done for anybody
        now_uses(account, 20)
    settle(NOW + 7 * DAY)
    measure_holdouts(now=NOW + 60 * DAY)
    holdout.refresh_from_db()

    result = results_of(holdout, now=NOW + 60 * DAY)
    assert result.treated.met + result.held_out.met == 20
    assert result.effect is not None
    assert result.effect.difference == 0


def test_who_is_held_out_is_treated_once_the_holdout_is_ended_early() -> None:
    holdout = begun(published())
    accounts = customers(10)
    evaluate_entries(now=NOW)
    settle(NOW)

    stop_holdout(holdout=holdout, by=admin(), now=NOW + DAY)
    settle(NOW + 7 * DAY)

    assert Task.objects.count() == len(accounts)
    result = results_of(holdout, now=NOW + 90 * DAY)
    assert result.was_stopped
    assert result.effect is None
    with pytest.raises(Conflict):
        stop_holdout(holdout=holdout, by=admin(), now=NOW + 2 * DAY)


def test_only_one_holdout_runs_in_a_playbook() -> None:
    playbook = published()
    holdout = begun(playbook)

    with pytest.raises(Conflict, match="has a holdout already"):
        begun(playbook)
    with pytest.raises(IntegrityError), transaction.atomic():
        Holdout.objects.create(**{**_fields(holdout), "pk": None})
    stop_holdout(holdout=holdout, by=admin(), now=NOW)
    begun(playbook)


def _fields(holdout: Holdout) -> dict[str, Any]:
    return {field.attname: getattr(holdout, field.attname) for field in Holdout._meta.concrete_fields}


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("share", 4),
        ("share", 51),
        ("after_days", 0),
        ("base_rate", 0),
        ("base_rate", 100),
        ("verdict_on", NOW.date() + 30 * DAY),
        ("verdict_on", date(2031, 1, 1)),
        ("outcome", {"attribute": "nothing", "operator": "is", "value": 1}),
    ],
)
def test_holdout_is_refused_when_it_could_not_be_read(field: str, value: Any) -> None:
    playbook = published()

    with pytest.raises(DomainError):
        begun(playbook, **{field: value})
    assert not Holdout.objects.exists()


def test_only_an_admin_begins_and_ends_a_holdout() -> None:
    playbook = published()
    holdout = begun(playbook)
    csm = UserFactory(role=User.Role.CSM)

    with pytest.raises(NotAllowed):
        stop_holdout(holdout=holdout, by=csm, now=NOW)
    with pytest.raises(NotAllowed):
        start_holdout(
            playbook=playbook, share=10, outcome=USES, after_days=7, base_rate=5, verdict_on=VERDICT, by=csm, now=NOW
        )


def test_plan_says_what_could_be_found_at_the_pace_of_the_last_months() -> None:
    playbook = published()
    customers(9)
    evaluate_entries(now=NOW)

    plan = plan_of(
        playbook, share=50, after_days=30, base_rate=20, verdict_on=NOW.date() + 120 * DAY, now=NOW + timedelta(hours=1)
    )

    assert plan.entrants == pytest.approx(9)  # nine in ninety days, and ninety days to enrol
    assert plan.enrols_until == NOW.date() + 90 * DAY
    assert plan.smallest == pytest.approx(0.68, abs=0.005)


def test_outcome_that_can_no_longer_be_read_is_said_and_nothing_is_lost() -> None:
    holdout = begun(published())
    customers(4)
    evaluate_entries(now=NOW)
    Holdout.objects.update(outcome=leaf("gone.away", "is", 1))

    assert measure_holdouts(now=NOW + 30 * DAY) == 0
    holdout.refresh_from_db()
    assert holdout.problem
    Holdout.objects.update(outcome=USES)
    assert measure_holdouts(now=NOW + 31 * DAY) == 4
