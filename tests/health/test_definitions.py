"""Measures and profiles: what is refused, and the sentence that says why."""

from decimal import Decimal
from typing import Any

import pytest

from common.errors import Conflict
from health.models import HealthScore, Measure, Profile, Version
from health.services import (
    DefinitionError,
    compute_chunk,
    create_measure,
    create_profile,
    delete_measure,
    delete_profile,
    open_draft,
    publish,
    update_measure,
    update_profile,
)
from tests.factories import NOW, AccountFactory, PlanFactory, SegmentFactory

pytestmark = pytest.mark.django_db


def draft() -> Version:
    return open_draft(by=None, now=NOW)


def measure(**changes: Any) -> Measure:
    given: dict[str, Any] = {
        "key": "seats",
        "label": "Seats",
        "group": "usage",
        "attribute": "seats",
        "curve": [[0, 0], [10, 100]],
        **changes,
    }
    return create_measure(draft=draft(), now=NOW, **given)


@pytest.mark.parametrize(
    ("changes", "field", "words"),
    [
        ({"attribute": "seets"}, "attribute", "Did you mean seats"),
        ({"attribute": None}, "attribute", "no attribute"),
        ({"attribute": "health"}, "attribute", "health itself"),
        ({"attribute": "health.band"}, "attribute", "health itself"),
        ({"attribute": "name"}, "curve", "Only a number"),
        ({"curve": None}, "curve", "2 to 50 pairs"),
        ({"curve": [[0, 0]]}, "curve", "2 to 50 pairs"),
        ({"curve": [[0, 0], [0, 100]]}, "curve", "must ascend"),
        ({"curve": [[5, 0], [1, 100]]}, "curve", "must ascend"),
        ({"curve": [[0, 0], [1, 101]]}, "curve", "from 0 to 100"),
        ({"curve": [[0, 0], [1, float("nan")]]}, "curve", "from 0 to 100"),
        ({"curve": [[0, 0], [float("inf"), 1]]}, "curve", "between"),
        ({"curve": [[0, 0], [True, 1]]}, "curve", "between"),
        ({"curve": [[0, 0], [1]]}, "curve", "pair"),
        ({"attribute": "is_live"}, "curve", "points of 1 to 50 values"),
        ({"attribute": "is_live", "curve": {"yes": 1}}, "curve", "true, false"),
        ({"attribute": "is_live", "curve": {"true": "1"}}, "curve", "from 0 to 100"),
        ({"attribute": "plan", "curve": {"silver": 1}}, "curve", "gold"),
        ({"key": "a'b"}, "key", "letters"),
        ({"key": "x" * 65}, "key", "64"),
        ({"key": "band"}, "key", "health itself"),
        ({"label": " "}, "label", "1 to 200"),
        ({"label": "a\x00"}, "label", "1 to 200"),
        ({"description": "\x00"}, "description", "control"),
        ({"group": "none"}, "group", "usage"),
        ({"missing": "guess"}, "missing", "leave_out"),
        ({"direction": "lower"}, "curve", "must not rise"),
        ({"curve": [[0, 100], [10, 0]], "direction": "higher"}, "curve", "must not fall"),
        ({"curve": [[0, 0], [1, 9], [2, 5], [3, 6]], "direction": "middle"}, "curve", "not rise again"),
        ({"direction": "sideways"}, "direction", "higher"),
        ({"curve": {"below": 0, "steps": []}}, "curve", "list of 1 to 50"),
        ({"curve": {"below": 0, "steps": [[5, 10], [5, 20]]}}, "curve", "must ascend"),
        ({"curve": {"below": 101, "steps": [[5, 10]]}}, "curve", "from 0 to 100"),
        ({"curve": {"steps": [[5, 10]]}}, "curve", "as “below”"),
        ({"applies_when": {"attribute": "seets", "operator": "gt", "value": 1}}, "applies_when", "Did you mean"),
        ({"applies_when": {"attribute": "health", "operator": "gt", "value": 1}}, "applies_when", "from the measures"),
        ({"stale_after_days": 0}, "stale_after_days", "from 1 to 3650"),
        ({"stale_after_days": True}, "stale_after_days", "from 1 to 3650"),
    ],
)
def test_measure_is_refused_with_a_sentence_when_it_is_wrong(changes: Any, field: str, words: str) -> None:
    PlanFactory(key="gold")
    with pytest.raises(DefinitionError) as refused:
        measure(**changes)

    assert list(refused.value.fields) == [field]
    assert words in refused.value.fields[field]
    assert not Measure.objects.exists()


def test_measure_is_refused_when_its_key_is_taken() -> None:
    measure()
    with pytest.raises(Conflict) as refused:
        measure()

    assert refused.value.code == "key_taken"


def test_scores_follow_when_a_changed_measure_is_published() -> None:
    AccountFactory(seats=2)
    seats = measure()
    create_profile(draft=draft(), name="All", segment=SegmentFactory(), weights={"seats": 1}, now=NOW)
    publish(draft=seats.version, by=None, note="First", now=NOW)
    while compute_chunk(now=NOW):
        pass
    assert HealthScore.objects.get().score == 20

    update_measure(measure=draft().measures.get(key="seats"), curve=[[0, 100], [10, 0]], direction="lower", now=NOW)
    while compute_chunk(now=NOW):
        pass
    assert HealthScore.objects.get().score == 20
    publish(draft=draft(), by=None, note="The other way", now=NOW)
    while compute_chunk(now=NOW):
        pass

    assert HealthScore.objects.get().score == 80


@pytest.mark.parametrize(
    ("changes", "field", "words"),
    [
        ({"weights": {}}, "weights", "at least one"),
        ({"weights": {"seats": 0}}, "weights.seats", "above 0"),
        ({"weights": {"seats": -1}}, "weights.seats", "above 0"),
        ({"weights": {"seats": "many"}}, "weights.seats", "above 0"),
        ({"weights": {"seats": float("nan")}}, "weights.seats", "above 0"),
        ({"weights": {"seats": 10**9}}, "weights.seats", "at most 1000"),
        ({"weights": {"chairs": 1}}, "weights.chairs", "no measure"),
        ({"watch_from": 70}, "watch_from", "below"),
        ({"good_from": 101}, "good_from", "from 1 to 100"),
        ({"name": ""}, "name", "1 to 200"),
    ],
)
def test_profile_is_refused_with_a_sentence_when_it_is_wrong(changes: Any, field: str, words: str) -> None:
    measure()
    given = {"name": "All", "segment": SegmentFactory(), "weights": {"seats": 1}, **changes}
    with pytest.raises(DefinitionError) as refused:
        create_profile(draft=draft(), now=NOW, **given)

    assert list(refused.value.fields) == [field]
    assert words in refused.value.fields[field]
    assert not Profile.objects.exists()


def test_profile_is_refused_when_its_segment_depends_on_health() -> None:
    measure()
    circular = SegmentFactory(condition={"attribute": "health", "operator": "lt", "value": 40})
    inner = SegmentFactory(condition={"not": {"attribute": "segment", "operator": "in", "value": [circular.key]}})
    with pytest.raises(DefinitionError, match="depend on health"):
        create_profile(draft=draft(), name="At risk", segment=inner, weights={"seats": 1}, now=NOW)


def test_profile_is_refused_when_the_segment_has_one() -> None:
    measure()
    segment = SegmentFactory()
    profile = create_profile(draft=draft(), name="One", segment=segment, weights={"seats": 1}, now=NOW)
    with pytest.raises(Conflict, match="has a profile already") as refused:
        create_profile(draft=draft(), name="Two", segment=segment, weights={"seats": 1}, now=NOW)

    assert list(refused.value.fields) == ["segment"]
    assert list(Profile.objects.all()) == [profile]


def test_weights_are_replaced_when_a_profile_is_updated() -> None:
    measure()
    measure(key="other")
    profile = create_profile(draft=draft(), name="All", segment=SegmentFactory(), weights={"seats": 1}, now=NOW)

    update_profile(profile=profile, good_from=80, now=NOW)
    assert [row.measure.key for row in profile.profile_measures.all()] == ["seats"]
    update_profile(profile=profile, weights={"other": "2.5", "seats": 1}, now=NOW)

    weights = {row.measure.key: row.weight for row in profile.profile_measures.all()}
    assert weights == {"other": Decimal("2.5"), "seats": 1}
    profile.refresh_from_db()
    assert profile.good_from == 80


def test_measure_in_use_stays_when_it_is_deleted() -> None:
    seats = measure()
    profile = create_profile(draft=draft(), name="All", segment=SegmentFactory(), weights={"seats": 1}, now=NOW)
    with pytest.raises(Conflict):
        delete_measure(measure=seats, now=NOW)

    delete_profile(profile=profile, now=NOW)
    delete_measure(measure=seats, now=NOW)
    assert not Measure.objects.exists()
