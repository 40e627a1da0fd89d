"""What is said of a score and of its change: true in every case, in the reader's language and numbers."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import translation

from accounts.models import Account, CustomField
from health.models import Override
from health.queries import change_sentences, explain_health, explanation_sentences
from tests.factories import (
    NOW,
    AccountFactory,
    ActivityFactory,
    ContactFactory,
    MeasureFactory,
    ProfileFactory,
    ProfileMeasureFactory,
    SegmentFactory,
    TicketFactory,
    UserFactory,
)
from tests.health.test_changes import BIG, LATER, TODAY, change_of, compute, new_version, profile_of, set_by_hand

pytestmark = pytest.mark.django_db


def told(account: Account, **kwargs: Any) -> list[str]:
    return change_sentences(change_of(account, **kwargs))


def reasons(account: Account, now: Any = NOW) -> list[str]:
    explained = explain_health(account=account, now=now)
    assert explained is not None
    return explanation_sentences(explained)


def scored_by(attribute: str, curve: Any, label: str = "It", **kwargs: Any) -> None:
    measure = MeasureFactory(key="it", label=label, attribute=attribute, curve=curve, **kwargs)
    ProfileMeasureFactory(profile=ProfileFactory(), measure=measure)


def test_change_says_what_rose_and_fell_and_which_way_is_better() -> None:
    account = AccountFactory(seats=80)
    profile_of("seats", "tickets")
    compute()
    Account.objects.update(seats=20)
    TicketFactory(account=account)
    compute(LATER)

    assert told(account) == [
        "The score fell by 40 points since March 16, 2026, from 90 to 50.",
        "It went from Good to Watch.",
        "seats fell from 80 to 20, which took 30 points away.",
        "tickets rose from 0 to 1, a change for the worse that took 10 points away.",
    ]


def test_new_formula_alone_is_told_as_no_change_of_the_account() -> None:
    account = AccountFactory(seats=80)
    profile_of("seats", "tickets")
    TicketFactory(account=account)
    compute()
    new_version("Tickets weigh more", weights={"seats": 3, "tickets": 1})
    new_version("Tickets are harder", tickets={"curve": [[0, 100], [2, 0]]}, now=LATER + timedelta(minutes=1))
    compute(LATER + timedelta(hours=1))

    assert told(account, now=LATER + timedelta(hours=1)) == [
        "The score fell by 7.5 points since March 16, 2026, from 80 to 72.5.",
        (
            "Nothing that is measured about the account changed; the way the score is computed did: version 2"
            " (“Tickets weigh more”) and version 3 (“Tickets are harder”) took 7.5 points away."
        ),
        "tickets is scored in another way, which took 7.5 points away.",
    ]


def test_formula_without_effect_is_told_as_such() -> None:
    account = AccountFactory(seats=80)
    profile_of("seats")
    compute()
    new_version("As before")
    compute(LATER)

    assert told(account) == [
        "The score is as it was on March 16, 2026: 80.",
        "The way the score is computed changed in between, with no effect on it: version 2 (“As before”).",
    ]


def test_account_and_formula_are_told_one_by_one() -> None:
    account = AccountFactory(seats=80)
    profile_of("seats", "tickets", "champions")
    ContactFactory(account=account, role="champion")
    compute()
    Account.objects.update(seats=50)
    TicketFactory(account=account)
    new_version("No more champions", weights={"seats": 1, "tickets": 1})
    compute(LATER)

    assert told(account) == [
        "The score fell by 11.7 points since March 16, 2026, from 76.7 to 65.",
        "It went from Good to Watch.",
        "The way the score is computed changed: version 2 (“No more champions”) added 5 points.",
        "champions counts no longer, which added 5 points.",
        "In all, what is measured about the account took 16.7 points away.",
        "seats fell from 80 to 50, which took 10 points away.",
        "tickets rose from 0 to 1, a change for the worse that took 6.7 points away.",
    ]


def test_other_segment_is_told() -> None:
    account = AccountFactory(seats=60)
    TicketFactory(account=account)
    profile_of("seats", name="Small", segment=SegmentFactory(key="all", priority=2))
    profile_of("seats", "tickets", name="Big", segment=SegmentFactory(key="big", condition=BIG, priority=1))
    compute()
    Account.objects.update(seats=120)
    compute(LATER)

    assert told(account)[2:] == [
        "The account moved from the profile “Small” to “Big”, which took 10 points away.",
        "seats rose from 60 to 120, which added 40 points.",
    ]


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        (None, 60, "It became known: 60, which added 60 points."),
        (60, None, "Nothing was known of It any more, which took 60 points away."),
        (60, 60.5, "It rose from 60 to 60.5, which added 0.5 points."),
        (1, 1.0004, "1 other input changed with no effect that shows."),
        (200, 300, "1 other input changed with no effect that shows."),
        (60, 61, "It rose from 60 to 61, which added 1 point."),
    ],
)
def test_values_that_come_and_go_are_told_as_that(before: Any, after: Any, said: str) -> None:
    CustomField.objects.create(key="it", label="It", type="number")
    account = AccountFactory(custom={"it": before})
    scored_by("custom.it", [[0, 0], [100, 100]], missing="worst")
    compute()
    Account.objects.update(custom={"it": after})
    compute(LATER)

    assert told(account)[-1] == said


def test_choices_are_told_by_their_words() -> None:
    CustomField.objects.create(key="it", label="It", type="choice", choices=["cold", "warm", "hot"])
    account = AccountFactory(custom={"it": "warm"})
    scored_by("custom.it", {"cold": 10, "warm": 50}, missing="worst")
    compute()
    Account.objects.update(custom={"it": "cold"})
    compute(LATER)
    Account.objects.update(custom={"it": "hot"})
    compute(LATER + timedelta(days=1))

    first, second = told(account, until=LATER.date()), told(account, since=LATER.date(), now=LATER + timedelta(days=1))
    assert first[-1] == "It changed from “warm” to “cold”, a change for the worse that took 40 points away."
    assert second[-1] == "It took a value that has no points of its own, which took 10 points away."


def test_days_have_their_plural() -> None:
    account = AccountFactory()
    ActivityFactory(account=account, last_event_at=NOW)
    scored_by("usage.days_since", [[0, 100], [10, 0]], "Last use", direction="lower")
    compute()
    compute(LATER)

    assert told(account)[-1] == "Last use rose from 0 to 1 day, a change for the worse that took 10 points away."


def test_first_score_has_nothing_to_be_compared_with() -> None:
    account = AccountFactory(seats=80)
    profile_of("seats")
    compute()

    assert told(account, since=TODAY - timedelta(days=7), now=NOW) == [
        "There was no score up to March 9, 2026, so there is nothing to compare with.",
        "It is 80 now: Good.",
    ]


def test_score_that_became_empty_or_known_claims_no_points() -> None:
    account = AccountFactory(seats=80)
    profile_of("seats")
    compute()
    Account.objects.update(seats=None)
    compute(LATER)
    Account.objects.update(seats=50)
    compute(LATER + timedelta(days=1))

    assert told(account, until=LATER.date()) == [
        "The score on March 16, 2026 was 80.",
        "It was empty on March 17, 2026: nothing was known that could be scored.",
        "Nothing was known of seats any more.",
    ]
    assert told(account, since=LATER.date(), now=LATER + timedelta(days=1)) == [
        "The score was empty on March 17, 2026: nothing was known that could be scored.",
        "It is 50 now: Watch.",
        "seats became known: 50.",
    ]


@pytest.mark.parametrize("has_ended", [False, True])
def test_score_that_is_gone_is_told_with_why(has_ended: bool) -> None:
    account = AccountFactory(seats=120)
    profile_of("seats", segment=SegmentFactory(condition=BIG))
    compute()
    Account.objects.update(**({"ended_at": LATER} if has_ended else {"seats": 5}))
    compute(LATER)
    account.refresh_from_db()

    assert told(account) == [
        "The score on March 16, 2026 was 100.",
        "There is none any more: the account has ended."
        if has_ended
        else "There is none any more: no segment with a profile for it contains the account.",
    ]


def test_override_is_told_with_its_author_reason_and_what_lies_beneath() -> None:
    account = AccountFactory(seats=80)
    profile_of("seats")
    compute()
    Account.objects.update(seats=50)
    override = set_by_hand(account, 95, now=LATER)
    Override.objects.update(author=UserFactory(name="Anna Lee"))
    compute(LATER)
    began = told(account)
    Account.objects.update(seats=40)
    compute(LATER + timedelta(days=1))
    stayed = told(account, since=LATER.date(), now=LATER + timedelta(days=1))
    Override.objects.filter(pk=override.pk).update(ended_at=LATER + timedelta(days=2))
    compute(LATER + timedelta(days=2))
    ended = told(account, since=LATER.date() + timedelta(days=1), now=LATER + timedelta(days=2))

    assert began == [
        "The score rose by 15 points since March 16, 2026, from 80 to 95.",
        "Anna Lee set this score to 95 by hand on March 17, 2026, until April 16, 2026: “They told us”",
        "What the formula computes fell from 80 to 50.",
        "seats fell from 80 to 50, which took 30 points away.",
    ]
    assert stayed == [
        "The score is as it was on March 17, 2026: 95.",
        "It stayed at 95, as Anna Lee set it by hand until April 16, 2026: “They told us”",
        "What the formula computes fell from 50 to 40.",
        "seats fell from 50 to 40, which took 10 points away.",
    ]
    assert ended == [
        "The score fell by 55 points since March 18, 2026, from 95 to 40.",
        "It went from Good to Watch.",
        "The 95 that Anna Lee had set by hand no longer held: “They told us”",
        "What the formula computes stayed at 40.",
        "Nothing that is measured about the account changed.",
    ]


def test_explanation_says_what_costs_what_is_old_and_what_is_left_out() -> None:
    account = AccountFactory(seats=98)
    ActivityFactory(account=account, last_event_at=NOW - timedelta(days=20))
    profile = profile_of("seats", "tickets", "nps")
    TicketFactory.create_batch(4, account=account)
    use = MeasureFactory(
        label="Last use", attribute="usage.days_since", curve=[[0, 100], [40, 0]], direction="lower", stale_after_days=7
    )
    rating = MeasureFactory(label="Rating", attribute="rating.csm", curve=[[1, 0], [5, 100]], missing="neutral")
    for measure in (use, rating):
        ProfileMeasureFactory(profile=profile, measure=measure)
    compute()

    assert reasons(account) == [
        "The score is 54.5 of 100: Watch.",
        "tickets costs most: 4 earns 20 of 100, which costs 20 points.",
        "Last use: 20 days earns 50 of 100, which costs 12.5 points.",
        "Rating: nothing is known of it, so 50 of 100 count, which costs 12.5 points.",
        "seats has 90 of 100 points or more.",
        "1 of 4 inputs is older than it should be: Last use (last heard on Feb. 24, 2026).",
        "Left out, as nothing is known: nps.",
    ]


def test_explanation_of_a_day_of_nothing_and_of_an_override() -> None:
    account, silent = AccountFactory(seats=80), AccountFactory(seats=None)
    profile_of("seats")
    set_by_hand(account, 95)
    compute()

    day = explain_health(account=silent, on=TODAY, now=LATER)
    assert day is not None
    assert explanation_sentences(day) == [
        "The score is empty: nothing is known that could be scored.",
        "Left out, as nothing is known: seats.",
    ]
    assert reasons(account)[:2] == [
        "Somebody who has left set this score to 95 by hand on March 16, 2026, until April 15, 2026: “They told us”",
        "Beneath that the formula comes to 80.",
    ]


def test_numbers_and_days_are_the_readers() -> None:
    account = AccountFactory(seats=80)
    profile_of("seats")
    compute()
    Account.objects.update(seats=None)
    CustomField.objects.create(key="it", label="It", type="number")
    compute(LATER)

    with translation.override("ru"):
        sentences = " ".join(told(account, until=LATER.date()))

    assert "16 марта 2026" in sentences
