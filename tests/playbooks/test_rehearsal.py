"""What a playbook would have done: days of history, replayed without writing anything that anybody works with."""

import itertools
from collections.abc import Callable
from datetime import date, datetime, time, timedelta
from typing import Any

import pytest
from django.utils import timezone

from accounts.attributes import Context
from accounts.conditions import matching_ids
from accounts.models import Account, EventInbox, User
from accounts.services.ledger import record
from common.errors import Conflict, NotAllowed
from common.partitions import ensure_months
from common.sql import SQL, rows
from health.models import HealthDay, NamedScore
from playbooks.definition.parse import load
from playbooks.models import Playbook, Rehearsal, RehearsedAct, RehearsedRun, RoundRobin, Run, RunStep, Task
from playbooks.services import evaluate_entries, publish, rehearse_next, save_draft, start_rehearsal, wake_waiting
from playbooks.services.rehearsing import MOST_ATTEMPTS, features_in
from playbooks.services.simulating import Simulation
from tests.factories import (
    NOW,
    AccountFactory,
    ActivityFactory,
    ContactFactory,
    InvoiceFactory,
    PlaybookFactory,
    ProfileFactory,
    StageFactory,
    SubscriptionFactory,
    SurveyFactory,
    TicketFactory,
    TouchpointFactory,
    UserFactory,
)
from tests.playbooks.cases import DAY, LOW, REFERENCE, leaf, messaging, settle
from usage.attributes import ROLLING
from usage.models import DailyUsage, RollingUsage
from usage.services import roll_past

pytestmark = pytest.mark.django_db

TODAY = NOW.date()


@pytest.fixture(autouse=True)
def _months() -> None:
    for table in ("usage_dailyusage", "health_healthday"):
        ensure_months(table, on(200), TODAY)


def on(days_ago: int) -> date:
    return TODAY - days_ago * DAY


def noon(day: date) -> datetime:
    return datetime.combine(day, time(12), tzinfo=NOW.tzinfo)


def user(account: Account, counts: dict[int, int]) -> None:
    """Use of messaging by days ago, and the windows as they are today."""
    feature = messaging()
    ActivityFactory(account=account, first_event_at=NOW - 300 * DAY)
    DailyUsage.objects.bulk_create(
        DailyUsage(account=account, feature=feature, day=on(days_ago), count=count)
        for days_ago, count in counts.items()
    )
    RollingUsage.objects.create(
        account=account,
        feature=feature,
        last_7=sum(count for ago, count in counts.items() if ago < 7),
        last_28=sum(count for ago, count in counts.items() if ago < 28),
        first_day=on(max(counts)),
        last_day=on(min(counts)),
    )


def busy(*, but: range = range(0)) -> dict[int, int]:
    """Three uses a day for half a year, except on these days ago."""
    return {ago: 3 for ago in range(180) if ago not in but}


def drafted(definition: dict[str, Any] = REFERENCE) -> Playbook:
    messaging()
    playbook: Playbook = PlaybookFactory()
    admin = UserFactory(role=User.Role.ADMIN)
    return save_draft(playbook=playbook, definition=definition, number=0, by=admin, now=NOW)


def rehearsed(definition: dict[str, Any] = REFERENCE) -> Rehearsal:
    admin = UserFactory(role=User.Role.ADMIN)
    rehearsal = start_rehearsal(playbook=drafted(definition), is_draft=True, by=admin, now=NOW)
    assert rehearse_next(now=NOW)
    rehearsal.refresh_from_db()
    assert rehearsal.problem == ""
    return rehearsal


def test_reference_case_enters_recovers_and_fires_on_its_days() -> None:
    gone, back, well = AccountFactory(), AccountFactory(), AccountFactory()
    user(gone, busy(but=range(20, 50)))
    user(back, busy(but=range(33, 40)))
    user(well, busy())

    rehearsal = rehearsed()

    runs = {run.account: run for run in rehearsal.runs.all()}
    assert runs.keys() == {gone, back}
    # Below ten in seven days from the fourth quiet day on.
    assert runs[gone].entered_on == on(49 - 3)
    assert runs[gone].fired_on == runs[gone].ended_on == on(49 - 3 - 7)
    assert runs[back].entered_on == on(39 - 3)
    assert (runs[back].state, runs[back].fired_on) == (Run.State.RECOVERED, None)
    assert rehearsal.days_done == rehearsal.days == 90
    assert rehearsal.judged_by_today == []
    assert not Run.objects.exists()
    assert not Task.objects.exists()


def test_windows_of_a_past_day_are_those_that_were_then() -> None:
    accounts = [AccountFactory() for _n in range(3)]
    for place, account in enumerate(accounts):
        user(account, {ago: (ago * 7 + place * 3) % 5 for ago in range(170) if (ago + place) % 3})
    feature = messaging()
    for days_ago in (3, 40, 89):
        day = on(days_ago)
        with roll_past(first=on(89), last=on(1), features=[feature.pk]):
            context = Context.at(noon(day), NOW)
            told = rows(
                SQL(
                    "SELECT account_id, last_7, last_28, prior_28, whole_28, whole_prior_28 FROM {} ORDER BY account_id"
                ).format(context.fill(ROLLING.past))
            )
        for account_id, *windows in told:
            counts = dict(DailyUsage.objects.filter(account=account_id).values_list("day", "count"))

            def summed(first: int, last: int, counts: dict[date, int] = counts, day: date = day) -> int:
                return sum(counts.get(day - ago * DAY, 0) for ago in range(first, last))

            assert windows == [summed(0, 7), summed(0, 28), summed(28, 56), summed(1, 29), summed(29, 57)]
        assert len(told) == 3


def open_ticket(account: Account, began: datetime, ended: datetime) -> None:
    TicketFactory(account=account, opened_at=began, solved_at=ended)


def late_invoice(account: Account, began: datetime, ended: datetime) -> None:
    late = began.date() - DAY
    InvoiceFactory(account=account, issued_on=late - 20 * DAY, due_on=late, paid_on=ended.date())


def stay_in_trial(account: Account, began: datetime, ended: datetime) -> None:
    stages = account.stage_entries
    stages.create(stage=StageFactory(key="trial"), entered_at=began, left_at=ended)
    stages.create(stage=StageFactory(key="value"), entered_at=ended)


def poor_health(account: Account, began: datetime, ended: datetime) -> None:
    profile, named = ProfileFactory(), NamedScore.overall()
    days = [on(ago) for ago in range(90)]
    HealthDay.objects.bulk_create(
        HealthDay(
            account=account,
            named=named,
            profile=profile,
            day=day,
            score=20 if began.date() <= day <= ended.date() else 80,
            band="poor" if began.date() <= day <= ended.date() else "good",
            values=[],
            points=[],
            heard=[],
        )
        for day in days
    )


def talk(account: Account, began: datetime, ended: datetime) -> None:
    TouchpointFactory(account=account, happened_at=began)


def renewal_near(account: Account, began: datetime, ended: datetime) -> None:
    SubscriptionFactory(account=account, started_on=on(400), renews_on=ended.date())


@pytest.mark.parametrize(
    ("happens", "condition"),
    [
        (open_ticket, leaf("tickets.open", "gte", 1)),
        (late_invoice, leaf("invoices.overdue", "gte", 1)),
        (stay_in_trial, leaf("stage", "is", "trial")),
        (stay_in_trial, leaf("stage.days", "lt", 10)),
        (poor_health, leaf("health", "lt", 50)),
        (poor_health, leaf("health.band", "is", "poor")),
        (talk, leaf("touch.days_since", "lte", 8)),
        (renewal_near, leaf("days_to_renewal", "lte", 8)),
    ],
)
def test_what_was_true_for_ten_days_is_found_on_just_these(
    happens: Callable[[Account, datetime, datetime], None], condition: dict[str, Any]
) -> None:
    account = AccountFactory()
    happens(account, noon(on(40)), noon(on(30)))

    def holds(days_ago: int) -> bool:
        return bool(rows(matching_ids(condition, now=noon(on(days_ago)), seen_from=NOW)))

    assert holds(36)
    assert not holds(45)
    assert not holds(15)


def test_what_is_not_kept_is_judged_by_today_and_said() -> None:
    account = AccountFactory(seats=50)
    AccountFactory(seats=5)

    rehearsal = rehearsed({**REFERENCE, "entry": {"kind": "condition", "condition": leaf("seats", "gte", 20)}})

    assert rehearsal.judged_by_today == ["seats"]
    run = rehearsal.runs.get()
    assert (run.account, run.is_from_start) == (account, True)


def test_events_dates_waits_and_goals_are_rehearsed_as_they_run() -> None:
    account = AccountFactory()
    SubscriptionFactory(account=account, started_on=on(400), renews_on=on(20))
    ladder = {
        "entry": {"kind": "date", "attribute": "renewal_on", "days": -30},
        "steps": [
            {"id": "first", "kind": "task", "title": "30 days"},
            {"id": "wait", "kind": "wait_for_date", "attribute": "renewal_on", "days": -10},
            {"id": "second", "kind": "task", "title": "10 days"},
        ],
    }
    run = rehearsed(ladder).runs.get()
    assert [(act.step, act.day) for act in run.acts.all()] == [("first", on(50)), ("second", on(30))]

    data = {"survey": "nps", "score": 2, "category": "detractor"}
    record(account=account, kind="survey.answered", happened_at=noon(on(15)), data=data)
    record(account=account, kind="survey.answered", happened_at=noon(on(14)), data={**data, "category": "promoter"})
    TouchpointFactory(account=account, happened_at=noon(on(12)))
    unhappy = {
        "entry": {"kind": "event", "event": "survey.answered", "data": {"category": "detractor"}},
        "steps": [
            {"id": "until", "kind": "wait_until", "condition": leaf("touch.days_since", "lte", 0), "days": 7},
            {"id": "thank", "kind": "task", "title": "Thank"},
        ],
    }
    run = rehearsed(unhappy).runs.get()
    assert (run.entered_on, run.fired_on) == (on(15), on(12))


def test_mail_is_counted_for_its_reader() -> None:
    SurveyFactory(key="nps", is_live=True)
    account = AccountFactory()
    champion = ContactFactory(account=account, role="champion")
    user(account, busy(but=range(20, 50)))

    rehearsal = rehearsed({**REFERENCE, "steps": [{"id": "ask", "kind": "survey", "survey": "nps"}]})

    [act] = rehearsal.runs.get().acts.all()
    assert (act.contact, act.makes_task, act.owner) == (champion, False, None)


def test_task_is_counted_for_whom_the_rule_of_its_step_finds() -> None:
    owners = [UserFactory(role=User.Role.CSM) for _n in range(2)]
    boss = UserFactory(role=User.Role.LEADER, email="boss@example.com")
    for owner in owners:
        user(AccountFactory(owner=owner), busy(but=range(20, 50)))
    call = REFERENCE["steps"][2]
    more = [{**call, "id": to, "assign": to} for to in ("boss@example.com", "round_robin")]
    more[0]["id"] = "boss"

    rehearsal = rehearsed({**REFERENCE, "steps": [*REFERENCE["steps"], *more]})

    found = RehearsedAct.objects.filter(run__rehearsal=rehearsal).order_by("run__account")
    asked = {step: list(found.filter(step=step).values_list("owner", flat=True)) for step in ("boss", call["id"])}
    assert asked == {"boss": [boss.pk] * 2, call["id"]: [owner.pk for owner in owners]}
    assert set(found.filter(step="round_robin").values_list("owner", flat=True)) == {owner.pk for owner in owners}
    assert not RoundRobin.objects.exists()


ASK = {"id": "ask", "kind": "survey", "survey": "nps"}
ASKED_AT_ONCE = {"entry": {"kind": "condition", "condition": leaf("seats", "gte", 20)}, "steps": [ASK]}


def asked_at_noon(zone: str, **hours: Any) -> RehearsedRun:
    """The run of an account that is asked as soon as it enters, on the first day of the rehearsal at noon."""
    SurveyFactory(key="nps", is_live=True)
    ContactFactory(account=AccountFactory(seats=50), role="champion", time_zone=zone)
    run: RehearsedRun = rehearsed({**ASKED_AT_ONCE, "quiet_hours": {"weekends": False, **hours}}).runs.get()
    return run


def test_quiet_hours_over_noon_end() -> None:
    assert asked_at_noon("", **{"from": 11, "to": 14}).fired_on == on(90)


@pytest.mark.parametrize(("zone", "days"), [("", 1), ("Asia/Tokyo", 0)])
def test_quiet_hours_are_those_of_the_reader(zone: str, days: int) -> None:
    # Until five in the morning: at noon that is tomorrow, but in Tokyo it is this evening.
    assert asked_at_noon(zone, **{"from": 6, "to": 5}).fired_on == on(90) + days * DAY


CALL = {"id": "call", "kind": "task", "title": "Call"}
RECOVERED = leaf("usage.messaging.7d", "gte", 15)
PLAYED: dict[str, dict[str, Any]] = {
    "reference": {**REFERENCE, "reentry_after_days": 10, "exit": leaf("usage.messaging.7d", "gte", 21)},
    "branch and goal": {
        **REFERENCE,
        "reentry_after_days": 5,
        "goal": leaf("usage.messaging.7d", "gte", 20),
        "steps": [
            {"id": "wait", "kind": "wait", "business_days": 2},
            {"id": "ways", "kind": "branch", "ways": [{"when": leaf("usage.messaging.7d", "lt", 4), "to": "call"}]},
            {"id": "breathe", "kind": "wait", "hours": 30},
            {"id": "again", "kind": "check", "condition": LOW, "otherwise": "recovered"},
            CALL,
            {"id": "last", "kind": "wait", "days": 9},
            {"id": "write", "kind": "task", "title": "Write"},
        ],
    },
    "wait until in quiet hours": {
        **REFERENCE,
        "reentry_after_days": 0,
        "quiet_hours": {"from": 11, "to": 14, "weekends": True},
        "steps": [
            {"id": "until", "kind": "wait_until", "condition": RECOVERED, "days": 6, "otherwise": "ask"},
            {"id": "well", "kind": "stop"},
            ASK,
            {"id": "wait", "kind": "wait", "hours": 3},
            CALL,
        ],
    },
    "event in quiet hours": {
        "entry": {"kind": "event", "event": "survey.answered", "data": {"category": "detractor"}},
        "reentry_after_days": 3,
        "quiet_hours": {"from": 20, "to": 8, "weekends": True},
        "steps": [
            {"id": "wait", "kind": "wait", "hours": 5},
            ASK,
            {"id": "again", "kind": "check", "condition": LOW, "otherwise": "finished"},
            CALL,
        ],
    },
}


Told = tuple[int, date, str, date | None, tuple[tuple[date, str], ...]]


def answers(account: Account, place: int) -> list[datetime]:
    """Unhappy and happy answers at all hours, with the contact's name below them; returns when."""
    contact = ContactFactory(
        account=account, role="champion", time_zone=["", "Asia/Tokyo", "America/New_York"][place % 3]
    )
    times = [noon(on(ago)) + timedelta(hours=(ago * 5 + place * 7) % 24 - 12) for ago in range(88 - place, 0, -9)]
    for number, at in enumerate(times):
        category = "detractor" if number % 3 else "promoter"
        data = {"survey": "nps", "score": 5, "category": category}
        record(account=account, contact=contact, kind="survey.answered", happened_at=at, data=data)
    return times


def simulated(definition: dict[str, Any]) -> set[Told]:
    simulation = Simulation(load(definition), now=NOW)
    with roll_past(first=on(89), last=on(1), features=features_in(simulation.attributes)):
        for ago in range(89, 0, -1):
            simulation.take_day(on(ago))
    return {
        (run.account_id, run.entered_on, str(run.state), run.ended_on, tuple((day, act.id) for day, act in run.acts))
        for run in simulation.runs
    }


def played(definition: dict[str, Any], happened: list[datetime]) -> set[Told]:
    """The engine itself over the same days: a look at noon, and a turn whenever something happened or is due."""
    playbook = PlaybookFactory()
    publish(playbook=playbook, definition=definition, author=None, note="", now=noon(on(89)) - timedelta(hours=12))
    heard_of = list(EventInbox.objects.select_related("event"))
    EventInbox.objects.all().delete()
    for ago in range(89, 0, -1):
        midnight = noon(on(ago)) - timedelta(hours=12)
        for usage in RollingUsage.objects.all():
            counts = DailyUsage.objects.filter(account=usage.account_id, day__gt=on(ago + 7), day__lte=on(ago))
            usage.last_7 = sum(counts.values_list("count", flat=True))
            usage.save()
        today = sorted({at for at in happened if midnight <= at < midnight + DAY})
        for moment in sorted({*today, noon(on(ago))}):
            settle_until(moment)
            EventInbox.objects.bulk_create(one for one in heard_of if one.event.happened_at == moment)
            if moment == noon(on(ago)):
                evaluate_entries(now=moment)
                wake_waiting(now=moment)
            settle(moment)
        settle_until(midnight + DAY)
    return {
        (
            run.account_id,
            run.entered_at.date(),
            run.state,
            run.ended_at.date() if run.ended_at else None,
            tuple((step.taken_at.date(), step.step) for step in run.steps.filter(decision=RunStep.Decision.ACTED)),
        )
        for run in Run.objects.all()
    }


def settle_until(end: datetime) -> None:
    while due := Run.objects.filter(state=Run.State.WAITING, due_at__lt=end).order_by("due_at").first():
        settle(due.due_at)


@pytest.mark.parametrize("case", PLAYED)
def test_rehearsal_does_as_the_engine_did_on_the_same_days(case: str) -> None:
    SurveyFactory(key="nps", is_live=True)
    accounts = [AccountFactory(owner=UserFactory(role=User.Role.CSM)) for _n in range(9)]
    happened: list[datetime] = []
    for place, account in enumerate(accounts):
        user(account, busy(but=range(10 + place * 5, 14 + place * 9)))
        happened += answers(account, place)

    expected = simulated(PLAYED[case])

    assert played(PLAYED[case], happened) == expected
    assert len({(state, len(acts)) for _account, _entered, state, _ended, acts in expected}) > 1


def test_whatever_goes_wrong_is_said_and_nothing_hangs() -> None:
    SurveyFactory(key="nps", is_live=True)
    ContactFactory(account=AccountFactory(seats=50), role="champion", time_zone="Nowhere/Else")
    definition = {**ASKED_AT_ONCE, "quiet_hours": {"weekends": False, "from": 11, "to": 14}}
    admin = UserFactory(role=User.Role.ADMIN)
    rehearsal = start_rehearsal(playbook=drafted(definition), is_draft=True, by=admin, now=NOW)

    assert rehearse_next(now=NOW)
    rehearsal.refresh_from_db()
    assert rehearsal.finished_at is not None
    assert "Nowhere/Else" in rehearsal.problem
    assert not rehearse_next(now=NOW)


def test_rehearsal_that_kills_its_workers_is_given_up() -> None:
    admin = UserFactory(role=User.Role.ADMIN)
    rehearsal = start_rehearsal(playbook=drafted(), is_draft=True, by=admin, now=NOW)
    Rehearsal.objects.update(worked_at=NOW, attempts=MOST_ATTEMPTS)

    assert not rehearse_next(now=NOW + timedelta(minutes=1))
    assert rehearse_next(now=NOW + timedelta(minutes=11))
    rehearsal.refresh_from_db()
    assert rehearsal.problem.startswith("A worker died in it 3 times")
    assert not rehearsal.is_complete


def test_long_rehearsal_stays_its_workers_and_tells_when_it_was_finished(monkeypatch: pytest.MonkeyPatch) -> None:
    user(AccountFactory(), busy(but=range(20, 50)))
    admin = UserFactory(role=User.Role.ADMIN)
    rehearsal = start_rehearsal(playbook=drafted(), is_draft=True, by=admin, now=NOW)
    minutes = itertools.count()
    monkeypatch.setattr("playbooks.services.rehearsing.monotonic", lambda: 60.0 * next(minutes))

    assert rehearse_next(now=NOW)
    rehearsal.refresh_from_db()
    assert rehearsal.worked_at == NOW + timedelta(minutes=90)
    assert rehearsal.finished_at == NOW + timedelta(minutes=91)


def test_rehearsal_that_a_worker_left_is_begun_anew_by_another() -> None:
    user(AccountFactory(), busy(but=range(20, 50)))
    admin = UserFactory(role=User.Role.ADMIN)
    start_rehearsal(playbook=drafted(), is_draft=True, by=admin, now=NOW)
    Rehearsal.objects.update(worked_at=NOW, days_done=40)

    assert not rehearse_next(now=NOW + timedelta(minutes=1))
    assert rehearse_next(now=NOW + timedelta(minutes=11))
    assert RehearsedRun.objects.count() == 1
    assert not rehearse_next(now=NOW + timedelta(minutes=12))


def test_only_an_admin_rehearses_and_only_what_there_is() -> None:
    with pytest.raises(NotAllowed):
        start_rehearsal(playbook=drafted(), is_draft=True, by=UserFactory(role=User.Role.CSM), now=NOW)
    with pytest.raises(Conflict):
        start_rehearsal(playbook=drafted(), is_draft=False, by=UserFactory(role=User.Role.ADMIN), now=NOW)
    assert not Rehearsal.objects.exists()


def test_what_cannot_be_looked_at_any_more_ends_with_its_problem() -> None:
    admin = UserFactory(role=User.Role.ADMIN)
    rehearsal = start_rehearsal(playbook=drafted(), is_draft=True, by=admin, now=timezone.now())
    broken = {**REFERENCE, "entry": {"kind": "condition", "condition": leaf("gone.away", "is", 1)}}
    Rehearsal.objects.update(definition=broken)

    assert rehearse_next(now=timezone.now())
    rehearsal.refresh_from_db()
    assert "gone.away" in rehearsal.problem
