"""Planning a holdout, and reading what it found."""

from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse

from accounts.models import User
from common import clock
from playbooks.models import Holdout, HoldoutMember, Playbook, Run
from playbooks.services import evaluate_entries, measure_holdouts, start_holdout
from tests.factories import UserFactory
from tests.playbooks.cases import customer, leaf, now_uses, published

pytestmark = pytest.mark.django_db

DAY = timedelta(days=1)
PLAN = {
    "outcome": "all",
    "outcome_attribute_0": "usage.messaging.7d",
    "outcome_operator_0": "gte",
    "outcome_value_0": "10",
    "share": "50",
    "after_days": "7",
    "base_rate": "20",
}


@pytest.fixture
def admin(client: Client) -> User:
    user: User = UserFactory(role=User.Role.ADMIN)
    client.force_login(user)
    return user


@pytest.fixture
def playbook() -> Playbook:
    return published()


def page(playbook: Playbook, **query: object) -> str:
    return reverse("console:playbook_effect", args=[playbook.key], query=query)


def planned() -> dict[str, str]:
    return {**PLAN, "verdict_on": (clock.now() + 60 * DAY).date().isoformat()}


def finished(playbook: Playbook, admin: User, *, with_effect: bool) -> Holdout:
    """A holdout that began sixty days ago and is over; forty accounts."""
    began = clock.now() - 60 * DAY
    holdout = start_holdout(
        playbook=playbook,
        share=50,
        outcome=leaf("usage.messaging.7d", "gte", 10),
        after_days=7,
        base_rate=20,
        verdict_on=clock.now().date(),
        by=admin,
        now=began,
    )
    for place in range(40):
        customer(uses=3, owner=admin, name=f"Customer {place:02}")
    evaluate_entries(now=began)
    treated = HoldoutMember.objects.filter(arm=HoldoutMember.Arm.TREATED)
    for member in treated if with_effect else []:
        now_uses(member.account, 20)
    measure_holdouts(now=clock.now())
    return holdout


def test_admin_plans_a_holdout_and_is_told_what_it_could_find(client: Client, admin: User, playbook: Playbook) -> None:
    for _n in range(9):
        customer(uses=3, owner=admin)
    evaluate_entries(now=clock.now() - 2 * DAY)

    shown = client.post(page(playbook), {**planned(), "do": "plan"})
    assert b"enter until" in shown.content
    assert b"would be found four times in five" in shown.content
    assert not Holdout.objects.exists()

    answer = client.post(page(playbook), planned(), follow=True)
    assert answer.redirect_chain == [(page(playbook), 302)]
    holdout = Holdout.objects.get()
    assert (holdout.share, holdout.started_by) == (50, admin)
    assert holdout.outcome == {"attribute": "usage.messaging.7d", "operator": "gte", "value": 10}
    assert b"The effect is told on" in answer.content


@pytest.mark.parametrize(
    ("sent", "sentence"),
    [
        ({"share": "80"}, "Give a whole number from 5 to 50."),
        ({"base_rate": "0"}, "Give a number above 0 and below 100."),
        ({"verdict_on": "2020-01-01"}, "Give a day more than 7 days from today"),
        ({"outcome_attribute_0": ""}, "Choose at least one thing to look at"),
        ({"outcome_value_0": "many"}, "Give a number."),
        ({"share": ""}, "This field is required."),
    ],
)
def test_plan_is_refused_at_its_field(
    client: Client, admin: User, playbook: Playbook, sent: dict[str, str], sentence: str
) -> None:
    answer = client.post(page(playbook), planned() | sent)

    assert answer.status_code == 422
    assert sentence in answer.content.decode()
    assert not Holdout.objects.exists()


def test_verdict_is_a_sentence_an_interval_and_the_accounts_behind_it(
    client: Client, admin: User, playbook: Playbook
) -> None:
    finished(playbook, admin, with_effect=True)

    shown = client.get(page(playbook)).content.decode()

    assert "Of 100 accounts 100.0 more reached the outcome with the playbook." in shown
    assert "interval-difference" in shown
    watched = client.get(page(playbook, arm="held_out"))
    members = watched.context["members"]
    assert {member.arm for member in members} == {"held_out"}
    assert len(members) == Run.objects.filter(account__in=[one.account_id for one in members]).count()


def test_no_effect_is_claimed_where_chance_explains_it(client: Client, admin: User, playbook: Playbook) -> None:
    finished(playbook, admin, with_effect=False)

    shown = client.get(page(playbook)).content.decode()

    assert "No effect is shown" in shown


def test_nothing_of_the_outcome_is_shown_before_its_day(client: Client, admin: User, playbook: Playbook) -> None:
    holdout = finished(playbook, admin, with_effect=True)
    Holdout.objects.filter(pk=holdout.pk).update(verdict_on=(clock.now() + 10 * DAY).date(), stopped_at=None)

    shown = client.get(page(playbook))

    assert b"The effect is told on" in shown.content
    assert shown.context["verdict"] == ""
    assert b"interval-line" not in shown.content


def test_admin_ends_a_holdout_after_being_asked(client: Client, admin: User, playbook: Playbook) -> None:
    client.post(page(playbook), planned())
    end = reverse("console:playbook_effect_stop", args=[playbook.key, Holdout.objects.get().pk])

    assert b"End the holdout without a verdict?" in client.get(end).content
    assert Holdout.objects.get().stopped_at is None
    answer = client.post(end, follow=True)
    assert b"there is no verdict" in answer.content
    assert b"Plan another" in answer.content


def test_csm_reads_and_only_an_admin_plans(client: Client, playbook: Playbook) -> None:
    client.force_login(UserFactory(role=User.Role.CSM))

    assert b"Nobody is held out" in client.get(page(playbook)).content
    assert client.post(page(playbook), planned()).status_code == 403
    assert not Holdout.objects.exists()


def test_page_asks_as_often_whatever_the_number_of_accounts(
    client: Client, admin: User, playbook: Playbook, django_assert_max_num_queries
) -> None:
    finished(playbook, admin, with_effect=True)

    with django_assert_max_num_queries(16):
        client.get(page(playbook))
