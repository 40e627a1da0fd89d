"""Every ready measure can be added and published as it is."""

from datetime import timedelta

import pytest

from accounts.attributes import Catalogue, Context
from accounts.conditions import describe
from health.library import BY_KEY, LIBRARY
from health.queries import load_definitions
from health.queries.distribution import distribution
from health.queries.fitting import fitted_curve
from health.services import create_measure, create_profile, open_draft, publish
from tests.factories import NOW, AccountFactory, FeatureFactory, SegmentFactory

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _feature() -> None:
    FeatureFactory(key="messaging")


def test_every_entry_is_a_publishable_measure_when_all_are_added() -> None:
    draft = open_draft(by=None, now=NOW)
    for entry in LIBRARY:
        create_measure(
            draft=draft,
            key=entry.key,
            now=NOW,
            label=str(entry.label),
            description=str(entry.description),
            group=entry.group,
            attribute=entry.attribute_of("messaging"),
            curve=entry.curve,
            direction=entry.direction,
            missing=entry.missing,
            stale_after_days=entry.stale_after_days,
            applies_when=entry.applies_when,
        )
    create_profile(
        draft=draft, name="All", segment=SegmentFactory(), weights={entry.key: 1 for entry in LIBRARY}, now=NOW
    )

    version = publish(draft=draft, by=None, note="The library", now=NOW + timedelta(minutes=1))

    definitions = load_definitions(version)
    assert definitions.problems == ()
    assert len(definitions.scores[0].measures) == len(LIBRARY)


def test_entries_are_told_apart_and_say_what_they_are_for() -> None:
    assert len(BY_KEY) == len(LIBRARY)
    assert len({str(entry.label) for entry in LIBRARY}) == len(LIBRARY)
    assert all(str(entry.description).endswith(".") for entry in LIBRARY)


def test_conditions_of_entries_can_be_said_in_words() -> None:
    catalogue = Catalogue()
    phrases = [describe(entry.applies_when, catalogue=catalogue) for entry in LIBRARY if entry.applies_when]

    assert phrases
    assert not [phrase for phrase in phrases if phrase.kind == "problem"]


def test_staleness_is_asked_only_of_attributes_that_say_when_they_were_heard() -> None:
    catalogue = Catalogue()

    assert [
        entry.key
        for entry in LIBRARY
        if entry.stale_after_days and not catalogue[entry.attribute_of("messaging")].freshness
    ] == []


def test_fitted_curve_lies_over_the_companys_own_accounts() -> None:
    for seats in range(1, 201):
        AccountFactory(seats=seats)
    attribute = Catalogue()["seats"]
    spread = distribution(attribute, context=Context.at(NOW))

    assert fitted_curve(attribute, spread) == [[11, 0], [100, 60], [190, 100]]
    assert fitted_curve(attribute, spread, direction="lower") == [[11, 100], [100, 60], [190, 0]]
    assert fitted_curve(attribute, spread, direction="middle") == [[11, 0], [100, 100], [190, 0]]


def test_fitted_curve_is_a_plain_one_when_too_few_accounts_are_known() -> None:
    AccountFactory(seats=40)
    catalogue = Catalogue()
    spread = distribution(catalogue["seats"], context=Context.at(NOW))

    assert fitted_curve(catalogue["seats"], spread) == [[0, 0], [50, 60], [100, 100]]
    assert fitted_curve(catalogue["is_live"], None) == {"true": 50, "false": 50}
