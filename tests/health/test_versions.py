"""Versions: one draft that everybody works on, published at once or from a date, gone back to; old days stay."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import IntegrityError, transaction

from accounts.attributes import Catalogue, Context, Scope, read_facts
from accounts.models import Account, Event, Segment
from common.errors import Conflict, DomainError
from health.models import HealthDay, HealthScore, NamedScore, Sweep, Version
from health.queries import explain_health
from health.services import (
    compute_chunk,
    compute_health,
    create_measure,
    create_profile,
    discard_draft,
    open_draft,
    publish,
    roll_back,
    sweep_if_due,
    update_measure,
    update_profile,
    withdraw,
)
from tests.factories import NOW, AccountFactory, SegmentFactory, UserFactory

pytestmark = pytest.mark.django_db

HALF = [[0, 0], [200, 100]]


@pytest.fixture
def segment() -> Segment:
    made: Segment = SegmentFactory(key="all")
    return made


@pytest.fixture
def first(segment: Segment) -> Version:
    """A version in force: points are the number of seats."""
    draft = open_draft(by=None, now=NOW)
    create_measure(
        draft=draft, key="seats", label="Seats", attribute="seats", curve=[[0, 0], [100, 100]], now=NOW, group="usage"
    )
    create_profile(draft=draft, name="All", segment=segment, weights={"seats": 1}, now=NOW)
    return publish(draft=draft, by=None, note="First", now=NOW)


def halve(now: datetime = NOW, effective_at: datetime | None = None) -> Version:
    """Publish a version where a seat is worth half a point."""
    draft = open_draft(by=None, now=now)
    update_measure(measure=draft.measures.get(), curve=HALF, now=now)
    return publish(draft=draft, by=None, note="Half", now=now, effective_at=effective_at)


def compute(now: datetime = NOW) -> None:
    compute_health(scope=Scope.everything(), now=now)


def fact(account: Account, key: str, now: datetime) -> Any:
    return read_facts([Catalogue()[key]], [account.pk], context=Context.at(now))[account.pk][key].value


def test_draft_is_a_copy_of_what_was_published_last(first: Version) -> None:
    admin = UserFactory()

    draft = open_draft(by=admin, now=NOW)

    assert (draft.number, draft.is_draft, draft.author, draft.based_on) == (2, True, admin, first)
    assert [m.key for m in draft.measures.all()] == ["seats"]
    assert draft.profiles.get().profile_measures.get().measure == draft.measures.get()
    assert open_draft(by=None, now=NOW) == draft


def test_second_draft_is_refused_by_the_database(first: Version) -> None:
    open_draft(by=None, now=NOW)
    with pytest.raises(IntegrityError, match="health_version_one_draft"), transaction.atomic():
        Version.objects.create(number=9, created_at=NOW, changed_at=NOW)


def test_published_version_is_not_changed(first: Version) -> None:
    with pytest.raises(Conflict) as refused:
        update_measure(measure=first.measures.get(), curve=HALF, now=NOW)

    assert refused.value.code == "not_a_draft"
    assert first.measures.get().curve == [[0, 0], [100, 100]]


def test_scores_and_explanation_follow_when_a_version_is_published(first: Version) -> None:
    account = AccountFactory(seats=80)
    compute()
    later = NOW + timedelta(days=3)
    halve(later)
    while compute_chunk(now=later):
        pass

    now, then = explain_health(account=account, now=later), explain_health(account=account, on=NOW.date())
    assert now is not None
    assert then is not None
    assert (now.score, now.profile.version.number) == (40, 2)
    assert (then.score, then.profile.version.number, then.measures[0].contribution) == (80, 1, 80)


def test_formula_and_behaviour_are_told_apart_when_a_version_takes_effect(first: Version) -> None:
    """80 seats became 60, and then the formula halved the points: -20 is the customer's doing, -30 the formula's."""
    account = AccountFactory(seats=80)
    compute()
    Account.objects.update(seats=60)
    later = NOW + timedelta(days=7)
    halve(later)
    compute(later)

    day = HealthDay.objects.get(day=later.date())
    assert (day.score, day.formula_shift) == (30, -30)
    assert fact(account, "health.change_7d", later) == -20
    kinds = list(Event.objects.order_by("id").values_list("kind", "data__from", "data__to"))
    assert kinds == [("health.band_changed", "good", "watch"), ("health.band_restated", "watch", "poor")]


def test_version_takes_effect_at_its_date_when_one_is_given(first: Version) -> None:
    account = AccountFactory(seats=80)
    while compute_chunk(now=NOW):
        pass
    date = NOW + timedelta(minutes=20)
    version = halve(NOW, effective_at=date)
    assert sweep_if_due(now=date - timedelta(seconds=1)) == 0

    assert Version.objects.in_force(date - timedelta(seconds=1)) == first
    assert Version.objects.in_force(date) == version
    assert sweep_if_due(now=date) == 1
    while compute_chunk(now=date):
        pass
    assert HealthScore.objects.get(account=account).score == 40
    assert sweep_if_due(now=date) == 0
    assert Sweep.objects.latest().version == version


def test_version_is_a_draft_again_when_it_is_withdrawn_in_time(first: Version) -> None:
    date = NOW + timedelta(days=1)
    version = halve(NOW, effective_at=date)

    assert withdraw(version=version, now=NOW).is_draft
    with pytest.raises(Conflict) as refused:
        withdraw(version=first, now=NOW)
    assert refused.value.code == "in_force"


def test_withdrawing_is_refused_when_there_is_another_draft(first: Version) -> None:
    version = halve(NOW, effective_at=NOW + timedelta(days=1))
    open_draft(by=None, now=NOW)

    with pytest.raises(Conflict) as refused:
        withdraw(version=version, now=NOW)
    assert refused.value.code == "draft_exists"


def test_earlier_version_counts_again_when_it_is_gone_back_to(first: Version) -> None:
    AccountFactory(seats=80)
    halve()
    compute()
    assert HealthScore.objects.get().score == 40

    version = roll_back(to=first, by=None, note="Half was too little", now=NOW + timedelta(minutes=1))
    compute(NOW + timedelta(minutes=1))

    assert (version.number, version.based_on) == (3, first)
    assert HealthScore.objects.get().score == 80


def test_discarded_draft_leaves_nothing(first: Version) -> None:
    draft = open_draft(by=None, now=NOW)
    discard_draft(draft=draft, now=NOW)

    assert list(Version.objects.all()) == [first]
    assert first.profiles.count() == 1


@pytest.mark.parametrize(
    ("changes", "field"),
    [({"note": "  "}, "note"), ({"note": "x" * 301}, "note"), ({"effective_at": NOW - timedelta(1)}, "effective_at")],
)
def test_publishing_is_refused_with_a_sentence_when_it_is_wrong(
    first: Version, changes: dict[str, Any], field: str
) -> None:
    draft = open_draft(by=None, now=NOW)
    with pytest.raises(DomainError) as refused:
        publish(draft=draft, by=None, now=NOW, **{"note": "Second", **changes})

    assert list(refused.value.fields) == [field]
    draft.refresh_from_db()
    assert draft.is_draft


def test_publishing_is_refused_when_a_measure_cannot_be_computed(first: Version) -> None:
    draft = open_draft(by=None, now=NOW)
    draft.measures.update(attribute="custom.gone")
    with pytest.raises(DomainError, match=r"custom\.gone") as refused:
        publish(draft=draft, by=None, note="Second", now=NOW)

    assert list(refused.value.fields) == ["measures.seats"]


def test_several_scores_are_computed_and_are_attributes(first: Version, segment: Segment) -> None:
    account = AccountFactory(seats=80)
    fit = NamedScore.objects.create(key="fit", label="Product fit", position=1)
    draft = open_draft(by=None, now=NOW)
    create_measure(draft=draft, key="half", label="Half", attribute="seats", curve=HALF, now=NOW, group="usage")
    create_profile(draft=draft, name="Fit", named=fit, segment=segment, weights={"half": 1}, now=NOW)
    publish(draft=draft, by=None, note="Fit too", now=NOW)
    compute()

    assert dict(HealthScore.objects.values_list("named__key", "score")) == {"overall": 80, "fit": 40}
    assert (fact(account, "health", NOW), fact(account, "health.score.fit", NOW)) == (80, 40)
    assert (fact(account, "health.half", NOW), fact(account, "health.score.fit.band", NOW)) == (40, "watch")


def test_measure_is_left_out_when_it_does_not_apply(first: Version) -> None:
    small, big = AccountFactory(seats=10), AccountFactory(seats=80)
    draft = open_draft(by=None, now=NOW)
    create_measure(
        draft=draft,
        key="full",
        label="Full",
        group="usage",
        attribute="seats",
        curve={"below": 0, "steps": [[50, 100]]},
        applies_when={"attribute": "seats", "operator": "gte", "value": 20},
        now=NOW,
    )
    profile = draft.profiles.get()
    update_profile(profile=profile, weights={"seats": 1, "full": 1}, now=NOW)
    publish(draft=draft, by=None, note="Full", now=NOW)
    compute()

    assert HealthScore.objects.get(account=small).score == 10
    assert HealthScore.objects.get(account=big).score == 90
    explained = explain_health(account=small, now=NOW)
    assert explained is not None
    assert [m.left_out for m in explained.measures] == [None, "not_applicable"]
