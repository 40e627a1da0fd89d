"""Why a playbook fired for an account, what it waits for, or why it did not; and the same for a task."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from accounts.models import Account, Contact, User
from accounts.services.ledger import record
from playbooks.models import HoldoutMember, Playbook, Run, Task
from playbooks.queries import tell_task, why
from playbooks.queries.verdict import Answer, Verdict
from playbooks.services import evaluate_entries, pause, start_by_hand, start_holdout
from playbooks.services.by_hand import Held
from playbooks.services.claiming import FRESH, claim, give_up
from playbooks.services.recurring import start_series
from playbooks.services.tasks import create_task
from revenue.models import Subscription
from tests.factories import NOW, AccountFactory, ContactFactory, SubscriptionFactory, SurveyFactory, UserFactory
from tests.playbooks.cases import DAY, LOW, REFERENCE, customer, leaf, now_uses, pass_time, published, settle

pytestmark = pytest.mark.django_db

FOUND_LOW = "March 16, 2026: Messaging, 7 days was 3 (below 10)."


def hurdles_of(verdict: Verdict) -> dict[str, tuple[str, ...]]:
    """What the hurdles say that are not passed."""
    return {hurdle.name: hurdle.words for hurdle in verdict.failed}


def admin() -> User:
    made: User = UserFactory(role=User.Role.ADMIN)
    return made


def test_it_fired_because_of_what_was_seen_and_says_what_came_of_it() -> None:
    account, playbook = customer(uses=3, owner=UserFactory(name="Maya")), published()
    pass_time(NOW, NOW + 8 * DAY)

    verdict = why(playbook, account, NOW + 8 * DAY)

    assert verdict.answer == Answer.FIRED
    assert verdict.because == (FOUND_LOW,)
    assert verdict.outcome == "Made the task “Ask why messaging is quiet” for Maya."
    assert (verdict.waits_for, verdict.looks_at) == ((), ())
    assert set(hurdles_of(verdict)) == {"Became true", "May enter again"}


def test_it_waits_for_a_day_and_tells_what_it_looks_at_then_as_it_is_now() -> None:
    account, playbook = customer(uses=3), published()
    pass_time(NOW, NOW + DAY)
    now_uses(account, 40)

    verdict = why(playbook, account, NOW + 2 * DAY)

    assert verdict.answer == Answer.WAITS
    assert verdict.because == (FOUND_LOW,)
    assert verdict.waits_for == ("Waits until March 23, 2026.",)
    assert verdict.looks_at == ("March 16, 2026: Messaging, 7 days was 40 (not below 10).",)
    assert hurdles_of(verdict)["Not in it already"] == ("It is in since March 16, 2026.",)

    pause(playbook=playbook, by=admin())
    assert why(playbook, account, NOW + 2 * DAY).waits_for[0] == "Stands still while the playbook is paused."


def test_it_waits_for_something_to_come_true() -> None:
    wait = {"id": "calm", "kind": "wait_until", "condition": leaf("usage.messaging.7d", "gte", 20), "days": 5}
    steps = [{**wait, "otherwise": "finished"}, REFERENCE["steps"][2]]
    account, playbook = customer(uses=3), published({**REFERENCE, "steps": steps})
    pass_time(NOW, NOW)

    verdict = why(playbook, account, NOW + DAY)

    assert verdict.waits_for == ("Waits for it to come true, until March 21, 2026 at the latest.",)
    assert verdict.looks_at == ("March 16, 2026: Messaging, 7 days was 3 (not at least 20).",)


def test_it_waits_for_the_end_of_quiet_hours() -> None:
    SurveyFactory(key="nps")
    quiet = {"from": 20, "to": 8, "weekends": True}
    steps = [{"id": "ask", "kind": "survey", "survey": "nps"}]
    account, playbook = customer(uses=3), published({**REFERENCE, "steps": steps, "quiet_hours": quiet})
    ContactFactory(account=account, role="champion")
    late = datetime(2026, 3, 20, 22, tzinfo=UTC)  # a Friday
    evaluate_entries(now=late)
    settle(late)

    verdict = why(playbook, account, late)

    assert verdict.waits_for == ("Quiet hours at the customer: writes on March 23, 2026, 08:00.",)
    assert verdict.answer == Answer.WAITS


def test_it_needs_attention_when_its_step_could_not_be_done() -> None:
    account, playbook = customer(uses=3), published()
    pass_time(NOW, NOW)
    Run.objects.update(state=Run.State.PARKED, error="The mail server is on fire.")

    verdict = why(playbook, account, NOW)

    assert verdict.answer == Answer.STUCK
    assert verdict.waits_for == ("Somebody has to help: The mail server is on fire.",)


def test_run_that_is_tried_again_says_why_and_when() -> None:
    account, playbook = customer(uses=3), published()
    evaluate_entries(now=NOW)
    assert why(playbook, account, NOW).waits_for == ("Its time has come: it goes on within minutes.",)
    [claimed] = claim(now=NOW, limit=1, which=FRESH)
    give_up(claimed, "No answer.", NOW)

    words = why(playbook, account, NOW).waits_for

    assert words == ("Did not succeed yet (No answer.); tries again on March 16, 2026.",)


def test_account_that_is_held_out_is_told_so() -> None:
    playbook = published()
    plan: dict[str, Any] = {"share": 50, "outcome": LOW, "after_days": 30, "base_rate": 20}
    start_holdout(playbook=playbook, by=admin(), now=NOW, verdict_on=NOW.date() + 60 * DAY, **plan)
    accounts = [customer(uses=3) for _n in range(6)]
    pass_time(NOW, NOW)
    [watched, *_rest] = HoldoutMember.objects.filter(arm=HoldoutMember.Arm.HELD_OUT)

    verdict = why(playbook, next(one for one in accounts if one.pk == watched.account_id), NOW)

    assert verdict.waits_for == (
        "Waits until March 23, 2026.",
        "It is held out: it goes through every step and does nothing, so that the effect can be measured.",
    )


def test_it_did_not_fire_because_a_condition_is_false() -> None:
    either = {"any": [LOW, {"not": leaf("seats", "gte", 5)}]}
    definition = {**REFERENCE, "entry": {"kind": "condition", "condition": either}}
    account, playbook = customer(uses=500, seats=9, tags=["vip"]), published(definition)
    evaluate_entries(now=NOW)

    verdict = why(playbook, account, NOW)

    assert (verdict.answer, verdict.run) == (Answer.DID_NOT, None)
    assert hurdles_of(verdict) == {
        "Entry": (
            "March 16, 2026: Messaging, 7 days was 500 (not below 10).",
            "March 16, 2026: Seats was 9 (at least 5).",
        )
    }
    assert verdict.did_not_because[0] == "Entry: March 16, 2026: Messaging, 7 days was 500 (not below 10)."


def test_days_are_counted_up_to_the_look_whenever_their_date_was_heard_of() -> None:
    account = customer(uses=3)
    SubscriptionFactory(account=account, renews_on=(NOW + 9 * DAY).date())
    Subscription.objects.update(updated_at=NOW)
    playbook = published({**REFERENCE, "entry": {"kind": "condition", "condition": leaf("days_to_renewal", "lt", 1)}})

    verdict = why(playbook, account, NOW + 8 * DAY)

    assert hurdles_of(verdict)["Entry"] == ("March 24, 2026: Days to renewal was 1 day (not below 1 day).",)


def test_it_did_not_fire_because_the_customer_is_lost_or_is_not() -> None:
    lost, here = customer(uses=3, ended_at=NOW - 3 * DAY), customer(uses=3)
    winning = {**REFERENCE, "customers": "lost"}

    assert hurdles_of(why(published(), lost, NOW)) == {
        "Is a customer": ("It is no customer any more since March 13, 2026.",)
    }
    assert hurdles_of(why(published(winning), here, NOW)) == {
        "Is lost": ("It is a customer; the playbook is for those who are none any more.",)
    }


def test_it_did_not_fire_because_another_playbook_has_the_account() -> None:
    account = customer(uses=3)
    published({**REFERENCE, "priority": 50}, name="Rescue")
    evaluate_entries(now=NOW)
    playbook = published({**REFERENCE, "priority": 40})
    evaluate_entries(now=NOW)

    assert hurdles_of(why(playbook, account, NOW)) == {
        "Free for it": ("“Rescue” has it since March 16, 2026; of playbooks with a priority it is in one at a time.",)
    }


def test_it_did_not_fire_again_because_the_rule_holds_it_back() -> None:
    account, playbook = customer(uses=3), published()
    pass_time(NOW, NOW + 8 * DAY)
    now_uses(account, 40)
    pass_time(NOW + 9 * DAY, NOW + 10 * DAY)
    now_uses(account, 1)
    pass_time(NOW + 11 * DAY, NOW + 11 * DAY)

    verdict = why(playbook, account, NOW + 11 * DAY)

    assert hurdles_of(verdict) == {"May enter again": ("It may enter again from April 22, 2026.",)}


def test_it_did_not_fire_because_it_is_not_on() -> None:
    account, playbook = customer(uses=3), published()
    pause(playbook=playbook, by=admin())
    playbook.refresh_from_db()

    assert hurdles_of(why(playbook, account, NOW)) == {"Switched on": ("It is paused: nobody enters.",)}


def answered() -> dict[str, Any]:
    data = {"category": "detractor", "score": {"at_most": 6}}
    return {**REFERENCE, "entry": {"kind": "event", "event": "survey.answered", "data": data}}


def answer(contact: Contact, **data: Any) -> None:
    record(account=contact.account, kind="survey.answered", happened_at=NOW, contact=contact, data=data)


def test_it_did_not_fire_because_the_event_was_not_as_asked() -> None:
    account, playbook = customer(uses=3), published(answered())
    asked = "Enters when a customer answers a survey: Score is at most 6, Category is Detractor."
    assert hurdles_of(why(playbook, account, NOW))["Entry"] == (asked, "That has not happened to it yet.")

    maria = ContactFactory(account=account, name="Maria")
    record(
        account=account,
        kind="survey.answered",
        happened_at=NOW,
        contact=maria,
        data={"score": 9, "category": "promoter"},
    )

    assert hurdles_of(why(playbook, account, NOW))["Entry"] == (
        asked,
        "The last time: March 16, 2026: Maria answered a survey with 9 (promoter).",
        "Then: Score is 9, not as asked.",
        "Then: Category is Promoter, not as asked.",
    )


def test_start_by_hand_says_for_each_account_what_held_it_back() -> None:
    csm = UserFactory()
    fresh, inside, lost, taken = customer(uses=9), customer(uses=9), customer(uses=9, ended_at=NOW), customer(uses=9)
    playbook = published({**REFERENCE, "entry": {"kind": "manual"}, "priority": 40})
    other = published({**REFERENCE, "entry": {"kind": "manual"}, "priority": 50})
    start_by_hand(playbook=playbook, account_ids=[inside.pk], by=csm, now=NOW)
    start_by_hand(playbook=other, account_ids=[taken.pk], by=csm, now=NOW)
    everybody = [fresh.pk, inside.pk, lost.pk, taken.pk, 10**9]

    done = start_by_hand(playbook=playbook, account_ids=everybody, by=csm, now=NOW)

    assert [run.account_id for run in done.runs] == [fresh.pk]
    assert done.held_back == {
        inside.pk: Held.IN_IT,
        lost.pk: Held.ENDED,
        taken.pk: Held.ELSEWHERE,
        10**9: Held.UNKNOWN,
    }


def test_playbook_for_lost_customers_is_started_by_hand_for_them_alone() -> None:
    lost, here = customer(uses=9, ended_at=NOW - DAY), customer(uses=9)
    playbook = published({**REFERENCE, "customers": "lost", "entry": {"kind": "manual"}})

    done = start_by_hand(playbook=playbook, account_ids=[lost.pk, here.pk], by=UserFactory(), now=NOW)

    assert [run.account_id for run in done.runs] == [lost.pk]
    assert done.held_back == {here.pk: Held.CUSTOMER}


# Tasks, in two sentences each.


def first_task(playbook: Playbook, account: Account, *, uses: int | None = None) -> Task:
    """The task that the playbook made for the account within eight days."""
    pass_time(NOW, NOW)
    if uses is not None:
        now_uses(account, uses)
    pass_time(NOW + DAY, NOW + 8 * DAY)
    return Task.objects.get(account=account, run__playbook=playbook)


def test_task_says_why_it_began_and_what_was_found_again() -> None:
    account = customer(uses=3)

    assert tell_task(first_task(published(name="Messaging is quiet"), account, uses=2)) == (
        "“Messaging is quiet” began on March 16, 2026, because Messaging, 7 days was 3 (below 10).",
        "It looked again and made this task on March 23, 2026, because Messaging, 7 days was still at 2 (below 10).",
    )


def test_task_that_is_made_at_once_or_after_a_wait_says_so() -> None:
    wait, _check, call = REFERENCE["steps"]
    at_once, later = customer(uses=3), customer(uses=3)

    told = tell_task(first_task(published({**REFERENCE, "steps": [call]}), at_once))
    assert told[1] == "It made this task at once."
    told = tell_task(first_task(published({**REFERENCE, "steps": [wait, call]}), later))
    assert told[1] == "It waited, and made this task on March 23, 2026."


def test_task_of_a_playbook_that_was_started_by_hand_names_who_did_it() -> None:
    account, ada = customer(uses=90), UserFactory(name="Ada")
    definition = {**REFERENCE, "entry": {"kind": "manual"}, "steps": REFERENCE["steps"][2:]}
    playbook = published(definition, name="Rescue")
    start_by_hand(playbook=playbook, account_ids=[account.pk], by=ada, now=NOW)

    assert tell_task(first_task(playbook, account)) == (
        "Ada started “Rescue” on March 16, 2026.",
        "It made this task at once.",
    )


def test_task_after_an_event_says_what_happened() -> None:
    account = customer(uses=3)
    playbook = published({**answered(), "steps": REFERENCE["steps"][2:]}, name="Detractors")
    maria = ContactFactory(account=account, name="Maria")
    record(
        account=account,
        kind="survey.answered",
        happened_at=NOW,
        contact=maria,
        data={"score": 3, "category": "detractor"},
    )

    assert tell_task(first_task(playbook, account))[0] == (
        "“Detractors” began on March 16, 2026, because Maria answered a survey with 3 (detractor)."
    )


def test_task_for_many_reasons_tells_three_and_counts_the_others() -> None:
    account = customer(uses=3, seats=2, tags=["vip"])
    many = {"all": [LOW, *(leaf("seats", "lt", most) for most in (5, 6, 7, 8))]}
    definition = {**REFERENCE, "entry": {"kind": "condition", "condition": many}, "steps": REFERENCE["steps"][2:]}

    first, _second = tell_task(first_task(published(definition), account))

    assert first.endswith("Seats was 2 (below 5), Seats was 2 (below 6), 2 things more were so.")


def test_task_that_a_person_made_says_who_and_that_nothing_watches_it() -> None:
    account, ada = AccountFactory(), UserFactory(name="Ada")
    common: dict[str, Any] = {"account": account, "owner": ada, "now": NOW}
    made = create_task(title="Call", due_at=NOW + DAY, by=ada, **common)
    imported = create_task(title="Write", due_at=NOW + timedelta(days=2), **common)

    watched_by_nobody = "No playbook watches it: it stays until somebody closes it."
    assert tell_task(made) == ("Ada made this task on March 16, 2026.", watched_by_nobody)
    assert tell_task(imported) == ("Somebody on the team made this task on March 16, 2026.", watched_by_nobody)


def test_task_that_comes_again_says_since_when() -> None:
    ada = UserFactory(name="Ada")
    series = start_series(
        account=AccountFactory(),
        owner=ada,
        title="Check in",
        unit="week",
        every=1,
        starts_on=NOW.date(),
        by=ada,
        now=NOW,
    )

    assert tell_task(series.tasks.get()) == (
        "It comes again and again, since March 16, 2026.",
        "This one was made on March 16, 2026, and stays until somebody closes it.",
    )
