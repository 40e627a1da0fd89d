import re
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts.models import Account, User, Workspace
from common import clock
from playbooks.models import Playbook, Run, Task
from playbooks.services import evaluate_entries, publish
from tests.factories import AccountFactory, PlaybookFactory, UserFactory
from tests.playbooks.cases import REFERENCE, customer, now_uses, pass_time, published

pytestmark = pytest.mark.django_db

HTMX = {"HX-Request": "true", "HX-Target": "playbook-runs"}


def signed_in(**fields: Any) -> Client:
    client = Client()
    client.force_login(UserFactory(**fields))
    return client


@pytest.fixture
def admin() -> Client:
    return signed_in(role=User.Role.ADMIN)


def text_of(client: Client, path: str, **extra: Any) -> str:
    response = client.get(path, **extra)
    assert response.status_code == 200, path
    return " ".join(re.sub(r"<[^>]+>", " ", response.content.decode()).split())


def through_the_weeks(*accounts_left_low: Account, start_days_ago: int = 10) -> Playbook:
    """The reference playbook, run from days ago until now; accounts not named here recovered in the meantime."""
    now = clock.now()
    start = now - timedelta(days=start_days_ago)
    playbook = published(now=start, key="low", name="Low messaging")
    pass_time(start, start + timedelta(days=1))
    for run in Run.objects.exclude(account__in=accounts_left_low):
        now_uses(run.account, 50)
    pass_time(start + timedelta(days=1), now)
    return playbook


def test_list_counts_runs_by_state_and_tasks(admin: Client) -> None:
    low = customer(uses=2)
    customer(uses=3)
    through_the_weeks(low)
    PlaybookFactory(name="Never published")

    words = text_of(admin, "/playbooks/")

    assert "1 of 2 is on" in words
    assert "Waiting 0 Recovered 1 Finished 1 Left 0 Needs attention 0 Tasks, 28 days 1" in words
    assert "Draft" in words


def test_problem_is_said_when_playbook_cannot_run(admin: Client) -> None:
    playbook = published(key="low")
    Playbook.objects.filter(pk=playbook.pk).update(problem="There is no attribute “usage.x.7d”.")

    for path in ("/playbooks/", "/playbooks/low/"):
        assert "There is no attribute “usage.x.7d”." in text_of(admin, path)


def test_steps_are_told_in_words_with_live_counts(admin: Client) -> None:
    customer(uses=2)
    published(key="low")
    evaluate_entries(now=clock.now())
    pass_time(clock.now(), clock.now())

    words = text_of(admin, "/playbooks/low/")

    assert "Enters when this becomes true Messaging, 7 days is less than 10" in words
    assert "Wait 7 days 1 here now" in words
    assert "If not, it has recovered and leaves quietly." in words
    assert "Make the task “Ask why messaging is quiet”" in words
    assert "An account may enter again 30 days after it left." in words


def test_earlier_version_is_shown_when_asked_for(admin: Client) -> None:
    playbook = published(key="low")
    changed = {**REFERENCE, "steps": [{"id": "wait", "kind": "wait", "days": 3}, *REFERENCE["steps"][1:]]}
    publish(playbook=playbook, definition=changed, author=None, note="Sooner", now=clock.now())

    assert "Wait 3 days" in text_of(admin, "/playbooks/low/")
    assert "Version 2: Sooner" in text_of(admin, "/playbooks/low/")
    earlier = text_of(admin, "/playbooks/low/?version=1")
    assert "Wait 7 days" in earlier
    assert "version 1, not live any more" in earlier


def test_runs_are_narrowed_by_state_when_tab_is_chosen(admin: Client) -> None:
    low, fine = customer(uses=2, name="Stays low"), customer(uses=3, name="Comes back")
    through_the_weeks(low)

    assert "Stays low" in text_of(admin, "/playbooks/low/")
    part = text_of(admin, "/playbooks/low/?state=recovered", headers=HTMX)
    assert fine.name in part
    assert low.name not in part
    assert "What it does" not in part
    assert "No account is in this state" in text_of(admin, "/playbooks/low/?state=parked")


def test_runs_are_paged_both_ways_when_there_are_many(admin: Client) -> None:
    playbook = published(key="low")
    version, now = playbook.live_version, clock.now()
    assert version is not None
    Run.objects.bulk_create(
        Run(
            playbook=playbook,
            version=version,
            account=AccountFactory(name=f"Number {place:03}"),
            step="wait",
            due_at=now,
            entered_at=now - timedelta(minutes=place // 2),
        )
        for place in range(120)
    )
    seen: list[str] = []
    path, pages = "/playbooks/low/", []
    while path:
        page = admin.get(path).content.decode()
        pages.append(re.findall(r"Number \d{3}", page))
        seen += pages[-1]
        older = re.search(r'rel="next" href="([^"]+)"', page)
        newer = re.search(r'rel="prev" href="([^"]+)"', page)
        path = f"/playbooks/low/{older[1].replace('&amp;', '&')}" if older else ""
    assert len(seen) == len(set(seen)) == 120
    assert newer
    back = admin.get(f"/playbooks/low/{newer[1].replace('&amp;', '&')}").content.decode()
    assert re.findall(r"Number \d{3}", back) == pages[-2]
    assert admin.get("/playbooks/low/?after=nonsense_x").status_code == 200


def test_run_tells_its_story_with_numbers_then_and_now(admin: Client) -> None:
    low = customer(uses=2, name="Harbor")
    through_the_weeks(low)
    now_uses(low, 77)
    run, task = Run.objects.get(), Task.objects.get()

    words = text_of(admin, f"/playbooks/runs/{run.pk}/")

    assert "It entered because" in words
    assert "Messaging, 7 days was 2 (below 10)." in words
    assert "Looked again: still so." in words
    assert f"/queue/{task.pk}/" in admin.get(f"/playbooks/runs/{run.pk}/").content.decode()
    assert "Messaging, 7 days below 10 2 as it looks for 2 as it looks for 77 not as it looks for" in words


def test_what_is_ahead_is_told_when_run_waits(admin: Client) -> None:
    customer(uses=2)
    published(key="low")
    pass_time(clock.now(), clock.now())

    words = text_of(admin, f"/playbooks/runs/{Run.objects.get().pk}/")

    assert "Next: Look again: is it still so?" in words
    assert "Make the task “Ask why messaging is quiet”" in words


def test_why_names_what_was_seen_when_it_fired(admin: Client) -> None:
    low = customer(uses=2, name="Harbor")
    through_the_weeks(low)

    assert "Harbor" in text_of(admin, "/playbooks/low/why/")
    words = text_of(admin, f"/playbooks/low/why/?account={low.pk}")

    assert "Harbor was in “Low messaging”" in words
    assert "It fired because" in words
    assert "Messaging, 7 days was 2 (below 10)." in words
    assert "Made the task “Ask why messaging is quiet”" in words


def test_why_not_names_the_hurdle_when_it_did_not_fire(admin: Client) -> None:
    busy = customer(uses=500, name="Busy")
    published(key="low", name="Low messaging")

    words = text_of(admin, f"/playbooks/low/why/?account={busy.pk}")

    assert "Busy has not been in “Low messaging”" in words
    assert "What stands in its way: Entry" in words
    assert "Messaging, 7 days was 500 (not below 10)." in words


def test_accounts_are_found_by_name_when_wondering(admin: Client) -> None:
    published(key="low")
    AccountFactory(name="Blue Harbor")
    AccountFactory(name="Acme")

    found = text_of(
        admin, "/playbooks/low/why/?q=harb", headers={"HX-Request": "true", "HX-Target": "playbook-accounts"}
    )

    assert found == "BH Blue Harbor"
    assert "No account of yours" in text_of(admin, "/playbooks/low/why/?q=%00")
    assert admin.get("/playbooks/low/why/?account=999999").status_code == 404
    assert admin.get("/playbooks/low/why/?account=x").status_code == 404


def test_playbook_is_paused_and_resumed_when_admin_says_so(admin: Client) -> None:
    playbook = published(key="low")

    assert "is paused" in text_of(admin, admin.post("/playbooks/low/pause/").url)
    playbook.refresh_from_db()
    assert playbook.status == Playbook.Status.PAUSED
    admin.post("/playbooks/low/resume/")
    playbook.refresh_from_db()
    assert playbook.status == Playbook.Status.LIVE
    assert admin.post("/playbooks/low/resume/").status_code == 409


def test_parked_run_is_retried_or_stopped_when_admin_says_so(admin: Client) -> None:
    customer(uses=2)
    published(key="low")
    pass_time(clock.now(), clock.now())
    Run.objects.update(state=Run.State.PARKED, error="The mail server is on fire.")
    run = Run.objects.get()

    assert "The mail server is on fire." in text_of(admin, f"/playbooks/runs/{run.pk}/")
    admin.post(f"/playbooks/runs/{run.pk}/retry/")
    run.refresh_from_db()
    assert run.state == Run.State.WAITING
    admin.post(f"/playbooks/runs/{run.pk}/stop/")
    run.refresh_from_db()
    assert run.state == Run.State.EXITED


@pytest.mark.parametrize("role", [User.Role.VIEWER, User.Role.CSM, User.Role.LEADER])
def test_others_see_everything_and_change_nothing_when_not_admin(role: User.Role) -> None:
    client = signed_in(role=role)
    customer(uses=2)
    playbook = published(key="low")
    pass_time(clock.now(), clock.now())
    run = Run.objects.get()

    for path in ("/playbooks/low/", f"/playbooks/runs/{run.pk}/"):
        assert b'method="post"' not in _main(client, path)
    for path in ("low/pause", "low/resume", f"runs/{run.pk}/retry", f"runs/{run.pk}/stop"):
        assert client.post(f"/playbooks/{path}/").status_code == 403
    playbook.refresh_from_db()
    run.refresh_from_db()
    assert (playbook.status, run.state) == (Playbook.Status.LIVE, Run.State.WAITING)


def _main(client: Client, path: str) -> bytes:
    return client.get(path).content.partition(b"<main")[2].partition(b"</main>")[0]


def test_another_book_is_hidden_when_csms_see_only_their_own() -> None:
    theirs = customer(uses=2, name="Not for you")
    through_the_weeks(theirs)
    Workspace.objects.filter(pk=Workspace.current().pk).update(csms_see_only_their_book=True)
    client = signed_in(role=User.Role.CSM)
    run = Run.objects.get()

    for path in ("/playbooks/", "/playbooks/low/", "/playbooks/low/why/", "/playbooks/low/why/?q=not"):
        words = text_of(client, path)
        assert "Not for you" not in words
    assert "Finished 0" in text_of(client, "/playbooks/")
    assert "All 0" in text_of(client, "/playbooks/low/")
    assert client.get(f"/playbooks/runs/{run.pk}/").status_code == 404
    assert client.get(f"/playbooks/low/why/?account={theirs.pk}").status_code == 404


def test_queries_stay_the_same_when_there_is_more_of_everything(admin: Client) -> None:
    first = customer(uses=2)
    through_the_weeks(first)
    run = Run.objects.get()
    paths = ("/playbooks/", "/playbooks/low/", f"/playbooks/runs/{run.pk}/", f"/playbooks/low/why/?account={first.pk}")
    before = [_queries(admin, path) for path in paths]

    PlaybookFactory.create_batch(5)
    for _more in range(5):
        customer(uses=1)
    pass_time(clock.now(), clock.now())

    assert [_queries(admin, path) for path in paths] == before


def _queries(client: Client, path: str) -> int:
    with CaptureQueriesContext(
        connection,
    ) as queries:
        assert client.get(path).status_code == 200
    return len(queries)


def test_parked_runs_stand_together_by_their_trouble_and_try_again_together(admin: Client) -> None:
    for _n in range(5):
        customer(uses=2, name="Borealis")
    customer(uses=2, name="Cedar")
    published(key="low", name="Low use")
    pass_time(clock.now(), clock.now())
    Run.objects.update(state=Run.State.PARKED, error="There is no attribute “gone”.")
    Run.objects.filter(account__name="Cedar").update(error="The mail server is on fire.")

    assert "6 runs need attention" in text_of(admin, "/playbooks/")
    shown = text_of(admin, "/playbooks/attention/")
    assert "Low use 5" in shown
    assert "There is no attribute “gone”." in shown
    assert "The mail server is on fire." in shown
    like = Run.objects.filter(account__name="Borealis").values_list("pk", flat=True)[0]
    admin.post("/playbooks/attention/retry/", {"like": like})
    assert Run.objects.filter(state=Run.State.PARKED).count() == 1
    admin.post("/playbooks/attention/retry/")
    assert "Nothing needs attention" in text_of(admin, "/playbooks/attention/")
    assert set(Run.objects.values_list("state", "attempts", "error")) == {(Run.State.WAITING, 0, "")}


def test_only_an_admin_lets_parked_runs_try_again() -> None:
    customer(uses=2)
    published(key="low")
    pass_time(clock.now(), clock.now())
    Run.objects.update(state=Run.State.PARKED, error="The mail server is on fire.")
    leader = signed_in(role=User.Role.LEADER)

    assert "The mail server is on fire." in text_of(leader, "/playbooks/attention/")
    assert leader.post("/playbooks/attention/retry/").status_code == 403
    assert Run.objects.get().state == Run.State.PARKED
