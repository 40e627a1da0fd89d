"""Every ready playbook: it can be made in an empty workspace, acts when it should, and not when things got well."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest
from django.utils.translation import override

from accounts.models import Account, Contact, User
from accounts.services.ledger import record
from health.models import HealthScore, NamedScore
from notifications.models import Notification
from playbooks.definition.parse import parse
from playbooks.models import Playbook, Run, Task
from playbooks.ready import Ready, ready_playbooks
from playbooks.services import create_playbook, evaluate_entries, publish, wake_waiting
from revenue.models import Opportunity
from tests.factories import (
    NOW,
    AccountFactory,
    ActivityFactory,
    ContactFactory,
    FeatureFactory,
    InvoiceFactory,
    ProfileFactory,
    RollingUsageFactory,
    SubscriptionFactory,
    TouchpointFactory,
    UserFactory,
)
from tests.playbooks.cases import DAY, settle
from usage.models import Feature, RollingUsage, UserActivity

pytestmark = pytest.mark.django_db

READY = {ready.key: ready for ready in ready_playbooks()}


@pytest.fixture
def feature() -> str:
    key: str = FeatureFactory(key="messaging", name="Messaging", is_essential=True).key
    return key


@pytest.fixture
def on(feature: str) -> Callable[[str], Playbook]:
    """Switch a ready playbook on."""

    def switch_on(key: str, *, now: datetime = NOW) -> Playbook:
        admin = UserFactory(role=User.Role.ADMIN)
        ready = READY[key]
        definition = ready.make(feature if ready.asks_feature else "")
        made = create_playbook(name=str(ready.name), description="", definition=definition, by=admin, now=now)
        publish(playbook=made, definition=definition, author=admin, note="", now=now)
        return made

    return switch_on


def customer(*, days: int = 400, **fields: Any) -> Account:
    made: Account = AccountFactory(
        owner=UserFactory(role=User.Role.CSM), customer_since=NOW.date() - days * DAY, **fields
    )
    return made


def uses(account: Account, **counts: int) -> None:
    ActivityFactory(account=account)
    RollingUsageFactory(account=account, feature=Feature.objects.get(), **counts)


def is_healthy(account: Account, band: str = "good") -> None:
    HealthScore.objects.create(
        account=account,
        named=NamedScore.overall(),
        profile=ProfileFactory(),
        band=band,
        score=80,
        values=[],
        points=[],
        heard=[],
        since=NOW,
        computed_at=NOW,
    )


def pass_days(first: int, last: int, *, start: datetime = NOW) -> None:
    """Let everything periodic run once a day."""
    for day in range(first, last + 1):
        now = start + day * DAY
        evaluate_entries(now=now)
        wake_waiting(now=now)
        settle(now)


def titles() -> list[str]:
    return list(Task.objects.order_by("pk").values_list("title", flat=True))


def answers(account: Account, category: str) -> None:
    data = {"survey": "nps", "kind": "nps", "score": 2, "category": category}
    record(account=account, kind="survey.answered", happened_at=NOW, data=data)


@pytest.mark.parametrize("ready", READY.values(), ids=list(READY))
@pytest.mark.parametrize("language", ["en", "ru", "bg", "zh-hans", "zh-hant"])
def test_every_one_can_be_made_in_an_empty_workspace(ready: Ready, language: str, feature: str) -> None:
    with override(language):
        definition = parse(ready.make(feature if ready.asks_feature else ""))
        assert str(ready.name)
        assert str(ready.description)

    assert definition.steps


def test_low_use_waits_a_week_and_leaves_when_it_recovers(on: Callable[[str], Playbook]) -> None:
    on("low-usage")
    quiet, back = customer(), customer()
    uses(quiet, last_7=2)
    uses(back, last_7=2)
    pass_days(0, 6)
    assert titles() == []
    RollingUsage.objects.filter(account=back).update(last_7=50)
    pass_days(7, 8)

    assert [task.account for task in Task.objects.all()] == [quiet]
    assert Run.objects.get(account=back).state == Run.State.RECOVERED


def test_essential_feature_waits_a_day_and_tells_leaders_after_a_week(on: Callable[[str], Playbook]) -> None:
    on("essential-feature")
    leader = UserFactory(role=User.Role.LEADER)
    account = customer(name="Acme")
    uses(account, last_7=0, prior_28=40)
    pass_days(0, 0)
    assert titles() == []
    pass_days(1, 2)
    assert titles() == ["An essential feature has stopped: call today"]
    pass_days(3, 9)

    [told] = Notification.objects.filter(user=leader)
    assert told.words == "Acme has not used an essential feature for two weeks."


def test_onboarding_that_stalls_goes_to_the_sponsor_in_the_end(on: Callable[[str], Playbook]) -> None:
    on("onboarding-stall")
    slow, quick = customer(days=25), customer(days=25)
    for account in (slow, quick):
        ActivityFactory(account=account)
    pass_days(0, 1)
    assert len(titles()) == 2
    uses_first(quick)
    pass_days(2, 20)

    assert [task.account for task in Task.objects.filter(title__contains="sponsor")] == [slow]
    assert Run.objects.get(account=quick).state == Run.State.REACHED


def uses_first(account: Account) -> None:
    RollingUsageFactory(account=account, feature=Feature.objects.get(), last_7=5)


def test_renewal_has_its_rungs_and_ends_once_renewed(on: Callable[[str], Playbook]) -> None:
    on("renewal-ladder")
    staying, leaving, renewing = customer(), customer(), customer()
    for account in (staying, leaving, renewing):
        SubscriptionFactory(account=account, renews_on=NOW.date() + 120 * DAY)
    is_healthy(staying)
    is_healthy(leaving, "poor")
    is_healthy(renewing)
    pass_days(0, 40)
    renewing.subscriptions.update(renews_on=NOW.date() + 485 * DAY)
    pass_days(41, 95)

    def rungs(account: Account) -> list[str]:
        return [task.title.partition(":")[0] for task in Task.objects.filter(account=account).order_by("pk")]

    assert rungs(staying) == [f"Renewal in {days} days" for days in (120, 90, 60, 30)]
    assert rungs(leaving)[1] == "Renewal in 90 days and health is not good"
    assert rungs(renewing) == ["Renewal in 120 days", "Renewal in 90 days"]
    due = Task.objects.filter(account=staying).order_by("pk").values_list("created_at", flat=True)
    assert [(day.date() - NOW.date()).days for day in due] == [0, 30, 60, 90]


def test_late_payment_climbs_until_it_is_paid(on: Callable[[str], Playbook]) -> None:
    on("failed-payment")
    late, paid = customer(), customer()
    for account in (late, paid):
        InvoiceFactory(account=account, due_on=NOW.date() - DAY)
    pass_days(0, 6)
    assert len(titles()) == 2
    paid.invoices.update(paid_on=NOW.date() + 6 * DAY)
    pass_days(7, 25)

    assert Task.objects.filter(account=late).count() == 3
    assert Task.objects.filter(account=paid).count() == 1
    assert Run.objects.get(account=paid).state == Run.State.REACHED


def test_unhappy_answer_is_called_back_and_leaders_hear_of_silence(on: Callable[[str], Playbook]) -> None:
    on("detractor")
    leader = UserFactory(role=User.Role.LEADER)
    called, forgotten, happy = customer(name="Called"), customer(name="Forgotten"), customer()
    answers(called, "detractor")
    answers(forgotten, "detractor")
    answers(happy, "promoter")
    settle(NOW)
    assert {task.account for task in Task.objects.all()} == {called, forgotten}
    assert {task.severity for task in Task.objects.all()} == {Task.Severity.URGENT}
    TouchpointFactory(account=called, happened_at=NOW + DAY)
    pass_days(1, 4)

    [told] = Notification.objects.filter(user=leader)
    assert "Forgotten" in told.words


def test_lost_champion_is_replaced_or_the_sponsor_is_asked(on: Callable[[str], Playbook]) -> None:
    on("champion-gone")
    alone, found = customer(), customer()
    for account in (alone, found):
        ContactFactory(account=account, role=Contact.Role.CHAMPION, left_at=NOW - DAY)
    pass_days(0, 1)
    assert len(titles()) == 2
    ContactFactory(account=found, role=Contact.Role.CHAMPION)
    pass_days(2, 25)

    assert [task.account for task in Task.objects.filter(title__contains="sponsor")] == [alone]


def test_silent_account_is_checked_in_on_unless_somebody_came_back(on: Callable[[str], Playbook]) -> None:
    on("silent-account")
    silent, back = customer(), customer()
    for account in (silent, back):
        TouchpointFactory(account=account, happened_at=NOW - 70 * DAY)
        ActivityFactory(account=account, last_event_at=NOW - 20 * DAY)
        RollingUsageFactory(account=account, last_day=NOW.date() - 20 * DAY)
    pass_days(0, 2)
    TouchpointFactory(account=back, happened_at=NOW + 2 * DAY)
    pass_days(3, 4)

    assert [task.account for task in Task.objects.all()] == [silent]


def test_full_account_gets_an_opportunity_and_a_talk(on: Callable[[str], Playbook]) -> None:
    on("expansion-signal")
    full = customer(seats=1)
    is_healthy(full)
    ActivityFactory(account=full)
    UserActivity.objects.bulk_create(
        UserActivity(account=full, user_id=f"user-{n}", last_day=NOW.date() + 20 * DAY, first_day=NOW.date())
        for n in range(2)
    )
    pass_days(0, 15)

    assert Opportunity.objects.get().account == full
    assert titles() == ["Nearly all seats are in use: talk about more"]


def test_promoter_is_thanked_and_not_asked_again_for_half_a_year(on: Callable[[str], Playbook]) -> None:
    on("advocate")
    happy, shaky = customer(), customer()
    is_healthy(happy)
    is_healthy(shaky, "poor")
    answers(happy, "promoter")
    answers(shaky, "promoter")
    pass_days(0, 3)
    answers(happy, "promoter")
    pass_days(4, 7)

    happy.refresh_from_db()
    assert [task.account for task in Task.objects.all()] == [happy]
    assert happy.tags == ["advocate-asked"]


def test_lost_customer_is_asked_twice_and_left_alone_once_back(on: Callable[[str], Playbook]) -> None:
    on("win-back")
    left = NOW - 90 * DAY
    lost, back, here = customer(ended_at=left), customer(ended_at=left), customer()
    pass_days(0, 1)
    assert {task.account for task in Task.objects.all()} == {lost, back}
    Account.objects.filter(pk=back.pk).update(ended_at=None)
    pass_days(208, 211)

    assert Task.objects.filter(account=lost).count() == 2
    assert Task.objects.filter(account=back).count() == 1
    assert not Run.objects.filter(account=here).exists()
    run = Run.objects.get(account=back)
    assert (run.state, run.steps.last().facts) == (Run.State.EXITED, {"reason": "account_back"})  # type: ignore[union-attr]
