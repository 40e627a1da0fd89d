"""Rehearsing a draft, comparing versions, and moving runs, on their pages."""

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client

from accounts.models import Account, User, Workspace
from common import clock
from common.partitions import ensure_months
from outbox.models import ContactBudget
from playbooks.definition.parse import load
from playbooks.models import EntryMatch, HoldoutMember, Playbook, Rehearsal, Run
from playbooks.services import evaluate_entries, publish, rehearse_next, save_draft
from playbooks.services.by_hand import start_by_hand
from playbooks.services.holdouts import start_holdout
from playbooks.today import Today
from tests.api.clients import api, send
from tests.console.test_playbook_editor import text_of
from tests.factories import AccountFactory, ActivityFactory, ContactFactory, PlaybookFactory, SurveyFactory, UserFactory
from tests.playbooks.cases import LOW, REFERENCE, customer, messaging, published, settle
from usage.models import DailyUsage, RollingUsage

pytestmark = pytest.mark.django_db

DAY = timedelta(days=1)


@pytest.fixture
def boss() -> User:
    made: User = UserFactory(role=User.Role.ADMIN)
    return made


@pytest.fixture
def admin(client: Client, boss: User) -> Client:
    client.force_login(boss)
    return client


def quiet_for_a_month(name: str) -> Account:
    """An account that used messaging three times a day until it stopped from the 50th to the 20th day ago."""
    today = clock.now().date()
    ensure_months("usage_dailyusage", today - 200 * DAY, today)
    account: Account = AccountFactory(name=name, owner=UserFactory(name="Maya"))
    ActivityFactory(account=account)
    days = [ago for ago in range(180) if not 20 <= ago < 50]
    DailyUsage.objects.bulk_create(
        DailyUsage(account=account, feature=messaging(), day=today - ago * DAY, count=3) for ago in days
    )
    RollingUsage.objects.create(
        account=account, feature=messaging(), last_7=21, last_28=60, first_day=today - 179 * DAY, last_day=today
    )
    return account


def drafted(playbook: Playbook, boss: User, **changes: Any) -> Playbook:
    return save_draft(
        playbook=playbook, definition={**REFERENCE, **changes}, number=playbook.draft_number, by=boss, now=clock.now()
    )


def test_admin_rehearses_a_draft_and_opens_each_number(admin: Client, boss: User) -> None:
    quiet_for_a_month("Ostrava Steel")
    playbook = drafted(published(key="quiet", name="Quiet"), boss)
    url = f"/playbooks/{playbook.key}/rehearsal/"

    assert "Not rehearsed yet" in text_of(admin.get(url))
    admin.post(url, {"of": "draft"})
    admin.post(url, {"of": "live"})
    assert "0 of 90 days are done" in text_of(admin.get(url))
    while rehearse_next(now=clock.now()):
        pass

    page = admin.get(url)
    figures = {row.label: (row.shown, row.live) for row in page.context["rows"]}
    assert figures["Accounts that would have entered"] == (1, 1)
    assert figures["fired: something was done"] == (1, 1)
    assert figures["Tasks made"] == (1, 1)
    assert "At most 1 in a week, for Maya" in text_of(page)
    opened = text_of(admin.get(url, {"outcome": "fired"}))
    assert "Ostrava Steel" in opened
    assert "Ostrava Steel" not in text_of(admin.get(url, {"outcome": "recovered"}))


def test_tasks_open_by_figure_week_and_csm_beside_the_hours_of_each(admin: Client, boss: User) -> None:
    account = quiet_for_a_month("Ostrava Steel")
    playbook = drafted(published(key="quiet", name="Quiet"), boss)
    url = f"/playbooks/{playbook.key}/rehearsal/"
    admin.post(url, {"of": "draft"})
    rehearse_next(now=clock.now())

    page = admin.get(url)
    [row] = page.context["owners"]
    assert (row.name, row.total, row.most_hours, row.weekly_hours) == ("Maya", 1, 0.5, 30)
    assert row.left is not None
    [week] = [cell.week for cell in row.cells if cell.count]
    assert f"?outcome=tasks&amp;csm={account.owner_id}&amp;week={week:%Y-%m-%d}#accounts" in page.content.decode()
    csm = str(account.owner_id)
    for asked in ({}, {"week": f"{week:%Y-%m-%d}"}, {"csm": csm}, {"csm": csm, "week": f"{week:%Y-%m-%d}"}):
        opened = text_of(admin.get(url, {"outcome": "tasks", **asked}))
        assert "Make the task “Ask why messaging is quiet”" in opened
    for asked in ({"week": f"{week - 7 * DAY:%Y-%m-%d}"}, {"csm": "0"}):
        assert not admin.get(url, {"outcome": "tasks", **asked}).context["opened"]["acts"]


def test_mails_and_those_over_the_budget_open(admin: Client, boss: User) -> None:
    SurveyFactory(key="nps", is_live=True)
    ContactBudget.objects.update_or_create(id=1, defaults={"most": 1})
    reader = ContactFactory(account=quiet_for_a_month("Ostrava Steel"), role="champion", name="Iva")
    ask = {"id": "ask", "kind": "survey", "survey": "nps"}
    playbook = drafted(published(), boss, steps=[ask, {**ask, "id": "again"}])
    url = f"/playbooks/{playbook.key}/rehearsal/"
    admin.post(url, {"of": "draft"})
    rehearse_next(now=clock.now())

    opened = {
        outcome: [one.act.step for one in admin.get(url, {"outcome": outcome}).context["opened"]["acts"]]
        for outcome in ("mails", "over_budget")
    }
    assert opened == {"mails": ["ask", "again"], "over_budget": ["again"]}
    assert reader.name in text_of(admin.get(url, {"outcome": "over_budget"}))


def test_figures_and_lists_take_as_many_queries_for_one_account_as_for_many(
    admin: Client, boss: User, django_assert_max_num_queries: Any
) -> None:
    playbook = drafted(published(), boss)
    for number in range(6):
        quiet_for_a_month(f"Account {number}")
        customer(uses=3)
    evaluate_entries(now=clock.now())
    url = f"/playbooks/{playbook.key}/rehearsal/"
    admin.post(url, {"of": "draft"})
    rehearse_next(now=clock.now())

    for outcome in ("", "entered", "tasks", "over_budget", "enter_today", "held_back"):
        with django_assert_max_num_queries(45):
            admin.get(url, {"outcome": outcome})


def test_draft_that_changed_since_is_not_shown_with_old_figures(admin: Client, boss: User) -> None:
    playbook = drafted(published(), boss)
    url = f"/playbooks/{playbook.key}/rehearsal/"
    admin.post(url, {"of": "draft"})
    rehearse_next(now=clock.now())
    drafted(playbook, boss, reentry_after_days=5)

    assert "Not rehearsed yet" in text_of(admin.get(url))


def test_who_would_enter_today_stands_with_what_was_found(admin: Client, boss: User) -> None:
    playbook = drafted(published(), boss)
    customer(uses=3, name="Cedar")
    url = f"/playbooks/{playbook.key}/rehearsal/"
    admin.post(url, {"of": "draft"})
    rehearse_next(now=clock.now())

    shown = text_of(admin.get(url))
    assert "Cedar" in shown
    assert "Messaging, 7 days" in shown


def test_those_that_match_but_may_not_enter_stand_apart_with_what_holds_them_back(admin: Client, boss: User) -> None:
    other = published({**REFERENCE, "priority": 1}, name="Rescue")
    rescued = customer(uses=3, name="Rescued")
    evaluate_entries(now=clock.now())
    Playbook.objects.filter(pk=other.pk).update(status=Playbook.Status.PAUSED)
    playbook = published({**REFERENCE, "priority": 2}, name="Quiet")
    inside, again, left = customer(uses=3, name="Inside"), customer(uses=3, name="Again"), customer(uses=3, name="Left")
    customer(uses=3, name="Lost", ended_at=clock.now() - DAY)
    evaluate_entries(now=clock.now())
    stopped = Run.objects.filter(playbook=playbook, account__in=[again, left])
    stopped.update(state=Run.State.EXITED, ended_at=clock.now() - 3 * DAY)
    EntryMatch.objects.filter(playbook=playbook, account=again).update(entered_at=None)
    cedar = customer(uses=3, name="Cedar")
    drafted(playbook, boss, priority=2)

    today = Today(playbook, load({**REFERENCE, "priority": 2}), now=clock.now())
    assert (today.entering, today.held_back) == ([cedar.pk], [rescued.pk, inside.pk, again.pk, left.pk])
    words = {one.account: " ".join(one.words) for one in today.why_held_back(today.held_back, boss)}
    assert "“Rescue” has it since" in words[rescued]
    assert "It is in since" in words[inside]
    assert words[again].startswith("It may enter again from")
    assert "the condition must be false once before it enters again" in words[left]

    url = f"/playbooks/{playbook.key}/rehearsal/"
    admin.post(url, {"of": "draft"})
    rehearse_next(now=clock.now())
    shown = admin.get(url)
    assert [one.account for one in shown.context["today"]["accounts"]] == [cedar]
    assert "Match, but may not enter 4" in text_of(shown)
    assert shown.context["today"]["entering"].names == ("Cedar",)
    assert evaluate_entries(now=clock.now()) == 1


def test_those_who_would_only_be_watched_are_marked_and_nothing_is_drawn(admin: Client, boss: User) -> None:
    playbook = published()
    for _n in range(6):
        customer(uses=3)
    start_holdout(
        playbook=playbook,
        share=50,
        outcome=LOW,
        after_days=7,
        base_rate=50,
        verdict_on=clock.now().date() + 60 * DAY,
        by=boss,
        now=clock.now(),
    )

    today = Today(playbook, load(REFERENCE), now=clock.now())
    assert not HoldoutMember.objects.exists()
    evaluate_entries(now=clock.now())
    assert today.held_out == set(Run.objects.filter(is_held_out=True).values_list("account", flat=True))
    assert len(today.held_out) > 0


def test_what_has_neither_draft_nor_version_offers_no_rehearsal(admin: Client, boss: User) -> None:
    playbook = PlaybookFactory(name="Empty")
    messaging()
    url = f"/playbooks/{playbook.key}/rehearsal/"

    assert url not in admin.get(f"/playbooks/{playbook.key}/edit/").content.decode()
    page = admin.get(url)
    assert "Nothing to rehearse yet" in text_of(page)
    assert f'action="{url}"' not in page.content.decode()
    assert 'name="of"' not in page.content.decode()
    drafted(playbook, boss)
    assert url in admin.get(f"/playbooks/{playbook.key}/edit/").content.decode()


@pytest.mark.parametrize(
    ("has_draft", "is_live", "asked", "says"),
    [
        (False, False, True, "“Quiet” has neither a draft nor a version; write a draft first."),
        (False, False, False, "“Quiet” has neither a draft nor a version; write a draft first."),
        (False, True, True, "“Quiet” has no draft; rehearse its live version, or write a draft first."),
        (True, False, False, "“Quiet” was not published yet; rehearse its draft."),
    ],
)
def test_rest_api_says_what_can_be_rehearsed(
    boss: User, has_draft: bool, is_live: bool, asked: bool, says: str
) -> None:
    playbook = published(name="Quiet") if is_live else PlaybookFactory(name="Quiet")
    if has_draft:
        messaging()
        drafted(playbook, boss)

    answer = send(api(boss), f"/api/v1/playbooks/{playbook.pk}/rehearse/", {"is_draft": asked})
    assert (answer.status_code, answer.json()["code"]) == (409, "nothing_to_rehearse")
    assert says in str(answer.json())
    assert not Rehearsal.objects.exists()


def test_only_an_admin_rehearses(client: Client, boss: User) -> None:
    playbook = drafted(published(), boss)
    client.force_login(UserFactory(role=User.Role.CSM))

    assert client.post(f"/playbooks/{playbook.key}/rehearsal/").status_code == 403
    assert not Rehearsal.objects.exists()


def test_versions_are_compared_in_words(admin: Client) -> None:
    playbook = published()
    wait, again, call = REFERENCE["steps"]
    steps = [wait, again, {**call, "title": "Write instead"}, {"id": "more", "kind": "wait", "days": 2}]
    publish(playbook=playbook, definition={**REFERENCE, "steps": steps}, author=None, note="", now=clock.now())

    shown = text_of(admin.get(f"/playbooks/{playbook.key}/compare/"))
    assert "changed step 3: Make the task" in shown
    assert "new step 4: Wait 2 days" in shown
    same = text_of(admin.get(f"/playbooks/{playbook.key}/compare/", {"from": "1", "to": "1"}))
    assert "Nothing: they are the same." in same


def test_runs_are_moved_after_a_look_at_where_they_stand(admin: Client) -> None:
    playbook = published()
    customer(uses=3)
    evaluate_entries(now=clock.now())
    settle(clock.now())
    publish(playbook=playbook, definition=REFERENCE, author=None, note="", now=clock.now())
    url = f"/playbooks/{playbook.key}/move/"

    assert "Move 1 run" in text_of(admin.get(url))
    admin.post(url)
    assert Run.objects.get().version.number == 2
    assert "All runs are on the live version" in text_of(admin.get(url))


def test_rest_api_rehearses_and_moves(boss: User) -> None:
    quiet_for_a_month("Ostrava Steel")
    playbook = drafted(published(), boss)
    client = api(boss)
    url = f"/api/v1/playbooks/{playbook.pk}"

    asked = send(client, f"{url}/rehearse/", {"is_draft": True})
    assert (asked.status_code, asked.json()["figures"]) == (202, None)
    rehearse_next(now=clock.now())
    [found] = client.get(f"{url}/rehearsals/").json()
    assert (found["figures"]["entered"], found["figures"]["tasks"], found["figures"]["waiting"]) == (1, 1, 0)
    [theirs] = found["tasks_by_week"]
    assert theirs["owner"] == Account.objects.get().owner.email
    assert sum(week["tasks"] for week in theirs["weeks"]) == 1
    assert len(theirs["weeks"]) in (13, 14)
    assert send(client, f"{url}/move/", {}).status_code == 409


def test_rest_api_tells_who_would_enter_today_and_whom_a_rule_keeps_out(boss: User) -> None:
    messaging()
    inside, cedar = customer(uses=3, name="Inside"), customer(uses=2, name="Cedar")
    other = customer(uses=2, name="Dogwood")
    playbook = published()
    publish(playbook=playbook, definition=REFERENCE, author=None, note="", now=clock.now())
    start_by_hand(playbook=playbook, account_ids=[inside.pk], by=boss, now=clock.now())
    client, url = api(boss), f"/api/v1/playbooks/{playbook.pk}/today/"

    first = client.get(url, {"limit": 1}).json()
    second = client.get(first["next"]).json()
    told = [*first["results"], *second["results"]]
    assert [one["account"] for one in told] == [cedar.pk, other.pk]
    assert all("was 2 (below 10)" in " ".join(one["words"]) for one in told)
    [kept_out] = client.get(url, {"is_held_back": "true"}).json()["results"]
    assert (kept_out["name"], kept_out["is_held_out"]) == ("Inside", False)
    assert "It is in since" in " ".join(kept_out["words"])

    refused = client.get(url, {"is_held_back": "perhaps"})
    assert (refused.status_code, list(refused.json()["fields"])) == (400, ["is_held_back"])
    drafted(playbook, boss, entry={"kind": "manual"})
    assert client.get(url).json()["results"] == []
    empty = client.get(f"/api/v1/playbooks/{PlaybookFactory().pk}/today/")
    assert (empty.status_code, empty.json()["code"]) == (409, "nothing_to_rehearse")


def test_rest_api_tells_of_today_only_those_whom_the_caller_may_see(boss: User) -> None:
    Workspace.objects.update_or_create(id=1, defaults={"csms_see_only_their_book": True})
    playbook = published()
    mine = customer(uses=3, owner=UserFactory(role=User.Role.CSM))
    customer(uses=3)
    [told] = api(mine.owner).get(f"/api/v1/playbooks/{playbook.pk}/today/").json()["results"]
    assert told["account"] == mine.pk
