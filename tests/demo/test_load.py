from datetime import timedelta
from io import StringIO

import pytest
from django.contrib.auth import authenticate
from django.core.management import call_command
from django.db.models import Sum

from accounts.models import Account, Contact, Event, EventInbox, Offboarding, Rating, Ticket, Touched, User, Workspace
from console.queries.health_changes import compare
from demo import DEMO_PASSWORD
from demo.company import Company, moment
from demo.families import FAMILIES
from demo.formula import REVISED_DAYS_AGO
from demo.load import is_loaded
from demo.stories import CSM, STORIES
from health.models import HealthDay, HealthScore, Override, Version
from health.queries import definitions_in_force, load_definitions
from outbox.models import Message
from playbooks.models import Playbook, Run, Task
from surveys.models import Response
from tests.demo.conftest import NOW
from tests.facts import values_of
from usage.models import DailyUsage, RollingUsage

pytestmark = [pytest.mark.usefixtures("demo"), pytest.mark.xdist_group("demo")]  # the company is loaded once


def account_of(story: str) -> Account:
    return Account.objects.get(name=STORIES[story])


def runs_of(story: str, playbook: str) -> list[str]:
    return list(
        account_of(story).runs.filter(playbook__key=playbook).order_by("entered_at").values_list("state", flat=True)
    )


def health_days_ago(account: Account, days: int) -> float:
    day = HealthDay.objects.overall().get(account=account, day=NOW.date() - timedelta(days=days))
    assert day.score is not None
    return day.score


def test_scores_are_set_by_hand_and_one_has_expired() -> None:
    live = Override.objects.live(NOW).order_by("expires_at")
    assert [override.account for override in live] == [account_of("on-leave-now"), account_of("win-back")]
    for override in live:
        row = HealthScore.objects.overall().get(account=override.account)
        assert (row.score, row.override) == (override.score, override)
        assert row.computed_score is not None
    expired = account_of("bad-onboarding").events.get(kind="health.override_ended")
    assert expired.data["how"] == "expired"
    assert Event.objects.filter(kind="health.overridden").count() == 3


def test_scores_have_fallen_far_and_lately_too() -> None:
    drops = Event.objects.filter(kind="health.dropped")
    assert drops.filter(happened_at__gte=NOW - timedelta(days=7)).exists()
    assert all(drop.data["points"] >= 10 for drop in drops)


def test_nothing_changes_when_it_is_loaded_again() -> None:
    before = (Account.objects.count(), Event.objects.count(), DailyUsage.objects.count())
    said = StringIO()

    call_command("load_demo", stdout=said)

    assert "nothing was loaded" in said.getvalue()
    assert (Account.objects.count(), Event.objects.count(), DailyUsage.objects.count()) == before
    assert is_loaded()


def test_interrupted_load_is_known_by_the_workspaces_name() -> None:
    workspace = Workspace.current()
    Workspace.objects.update(name="Harbor (loading)")

    assert not is_loaded()

    Workspace.objects.update(name=workspace.name)


@pytest.mark.parametrize("email", ["admin@demo.example", "csm@demo.example", "leader@demo.example"])
def test_sign_in_works_with_the_printed_password(email: str) -> None:
    assert authenticate(email=email, password=DEMO_PASSWORD) == User.objects.get(email=email)


def test_engines_have_dealt_with_everything() -> None:
    assert definitions_in_force(NOW).problems == ()
    assert not Playbook.objects.exclude(problem="").exists()
    assert not EventInbox.objects.exists()
    assert not Touched.objects.exists()
    assert not Event.objects.filter(happened_at__gt=NOW).exists()
    assert not Run.objects.due(NOW).exists()
    assert HealthScore.objects.overall().count() == Account.objects.live().count()


def test_history_goes_on_until_the_moment_of_loading(demo: Company) -> None:
    by_day = DailyUsage.objects.values("day").annotate(actions=Sum("count"))
    use = dict(by_day.filter(day__gte=demo.today - timedelta(days=1)).values_list("day", "actions"))
    midnight = moment(demo.today, 0)

    assert 0 < use[demo.today] < use[demo.today - timedelta(days=1)] / 2
    assert Event.objects.filter(happened_at__gt=midnight).exclude(kind__startswith="survey.invited").exists()
    assert not Contact.objects.filter(last_seen_at__gt=NOW).exists()


def test_part_of_today_is_told_in_the_customers_own_working_hours(demo: Company) -> None:
    taken = dict(
        DailyUsage.objects.filter(day=demo.today, feature__key="tasks").values_list("account__external_id", "count")
    )
    parts = {
        customer.key: taken.get(customer.key, 0) / customer.usage["tasks"][-1]
        for customer in demo.customers
        if customer.usage.get("tasks", [0])[-1] > 20
    }
    zones = {customer.key: customer.time_zone for customer in demo.customers}
    of_china = [part for key, part in parts.items() if zones[key] == "Asia/Shanghai"]
    of_bulgaria = [part for key, part in parts.items() if zones[key] == "Europe/Sofia"]

    # 11:30 in Sofia is 17:30 in Shanghai.
    assert of_china == pytest.approx([0.95] * len(of_china), abs=0.05)
    assert of_bulgaria == pytest.approx([0.35] * len(of_bulgaria), abs=0.05)


def test_runs_stand_in_every_state() -> None:
    assert set(Run.objects.values_list("state", flat=True)) == set(Run.State.values)
    [parked] = Run.objects.filter(state="parked")
    assert "custom.workshop-booked" in parked.error
    assert {"open", "done"} == set(Task.objects.values_list("status", flat=True))


def test_only_two_mails_wait_to_be_sent() -> None:
    assert list(Message.objects.values_list("status", flat=True)) == ["pending", "pending"]
    assert not Message.objects.filter(subject__contains="loading").exists()
    assert Response.objects.filter(survey__key="nps").exists()


def test_rolling_windows_agree_with_the_days() -> None:
    account = account_of("happy-expander")
    rolling = RollingUsage.objects.get(account=account, feature__key="tasks")
    days = DailyUsage.objects.filter(account=account, feature__key="tasks", day__gt=NOW.date() - timedelta(days=28))

    assert rolling.last_28 == sum(days.values_list("count", flat=True))


def test_health_falls_when_the_champion_leaves() -> None:
    account = account_of("champion-leaves")

    assert Contact.objects.filter(account=account, role="champion", left_at=None).count() == 0
    assert health_days_ago(account, 1) < health_days_ago(account, 84) - 10


def test_health_falls_when_use_fades() -> None:
    account = account_of("slow-fade")

    assert health_days_ago(account, 1) < health_days_ago(account, 161) - 10
    assert Run.objects.filter(account=account, playbook__key="quiet-account").exists()


def test_onboarding_that_stalls_has_an_open_task() -> None:
    account = account_of("bad-onboarding")

    assert account.stage is not None
    assert account.stage.key == "onboarding"
    assert account.tasks.filter(status="open", run__playbook__key="onboarding-stalled").exists()


def test_happy_customer_has_upgraded() -> None:
    account = account_of("happy-expander")

    assert account.plan is not None
    assert account.plan.key == "enterprise"
    assert Response.objects.filter(account=account, score=10).exists()
    assert account.health_scores.overall().get().band == "good"


def test_run_leaves_without_a_task_when_messaging_recovers() -> None:
    assert runs_of("seasonal-leave", "low-messaging")[-1] == "recovered"
    assert (
        not account_of("seasonal-leave")
        .tasks.filter(run__playbook__key="low-messaging", created_at__gte=NOW - timedelta(days=60))
        .exists()
    )


def test_run_waits_while_people_are_on_leave() -> None:
    assert runs_of("on-leave-now", "low-messaging") == ["waiting"]


def test_csm_has_a_task_when_messaging_stays_low() -> None:
    task = account_of("low-messaging").tasks.get(status="open", run__playbook__key="low-messaging")

    assert task.owner == User.objects.get(email=CSM)
    assert task.why


def test_task_has_no_owner_when_the_account_has_none() -> None:
    assert account_of("no-owner").tasks.get(run__playbook__key="low-messaging", status="open").owner is None


def test_urgent_tickets_are_open_again() -> None:
    open_again = Ticket.objects.unsolved().filter(account=account_of("urgent-tickets"), priority="urgent")

    assert open_again.filter(reopened_count=1).count() >= 2


def test_csm_has_a_task_when_a_detractor_answered_yesterday() -> None:
    task = account_of("detractor").tasks.get(run__playbook__key="detractor", created_at__gte=NOW - timedelta(days=2))

    assert (task.status, task.owner) == ("open", User.objects.get(email=CSM))


def test_renewal_at_risk_has_an_open_task() -> None:
    assert account_of("renewal-at-risk").tasks.filter(status="open", run__playbook__key="renewal-at-risk").exists()


def test_invoices_are_overdue_where_the_story_says_so() -> None:
    keys = ("invoices.overdue", "invoices.days_overdue")

    assert values_of(account_of("renewal-at-risk"), *keys, now=NOW) == (2, 48)
    assert values_of(account_of("champion-leaves"), *keys, now=NOW) == (1, 11)
    assert values_of(account_of("happy-expander"), *keys, now=NOW) == (0, None)
    assert account_of("happy-expander").invoices.filter(paid_on__isnull=False).count() >= 10


def test_csms_have_rated_their_customers() -> None:
    assert values_of(account_of("renewal-at-risk"), "rating.csm", "rating.days_since", now=NOW) == (1, 15)
    assert values_of(account_of("happy-expander"), "rating.csm", now=NOW) == 5
    assert account_of("champion-leaves").ratings.count() == 2
    assert values_of(account_of("no-owner"), "rating.csm", now=NOW) is None
    assert not Rating.objects.filter(account__touch_model="self_service").exists()
    assert not Rating.objects.filter(rated_at__gt=NOW).exists()


def test_families_have_a_parent_and_two_to_four_children() -> None:
    parents = Account.objects.filter(children__isnull=False).distinct()

    assert {account.name for account in parents} == {family.parent for family in FAMILIES}
    for family in FAMILIES:
        parent = parents.get(name=family.parent)
        assert sorted(parent.children.values_list("name", flat=True)) == sorted(family.children)
        assert len({child.owner_id for child in (parent, *parent.children.all())}) == 1
    assert parents.filter(owner__email=CSM).exists()


def test_waiting_run_is_left_when_the_customer_goes() -> None:
    account = account_of("churned")

    assert Offboarding.objects.get(account=account).competitor
    assert account.ended_at is not None
    assert runs_of("churned", "low-messaging")[-1] == "exited"


def test_customer_that_came_back_is_live() -> None:
    account = account_of("win-back")

    assert account.ended_at is None
    assert account.offboardings.count() == 1
    assert account.subscriptions.filter(ended_on=None).count() == 1


def test_company_is_what_was_made_up(demo: Company) -> None:
    assert Account.objects.count() == len(demo.customers) == 60
    assert User.objects.get(email=CSM).book.count() >= len(STORIES) - 1


def test_formula_has_versions_and_an_open_draft(demo: Company) -> None:
    first, second = Version.objects.published().order_by("number")
    assert (first.number, second.number) == (1, 2)
    assert second.published_at is not None
    assert 100 < (NOW - second.published_at).days <= REVISED_DAYS_AGO
    assert HealthScore.objects.of("relationship").exclude(score=None).exists()

    draft = Version.objects.draft().get()
    [changed] = compare(second, draft).measures
    assert (changed.label, [change.what for change in changed.changes]) == ("Last touch", ["Points by value"])
    assert load_definitions(draft).problems == ()
