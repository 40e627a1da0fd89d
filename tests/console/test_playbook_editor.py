"""The page on which an admin writes a playbook: every change is saved at once, and what cannot work is refused at its
step with nothing lost."""

from __future__ import annotations

import json
import re
from typing import Any
from urllib.parse import urlencode

import pytest
from django.test import Client

from accounts.models import User
from common import clock
from playbooks.actions import REGISTRY
from playbooks.definition.edit import BLANK
from playbooks.definition.parse import STEPS
from playbooks.models import Playbook
from playbooks.ready import ready_playbooks
from playbooks.services import create_playbook, evaluate_entries, save_draft, save_template
from tests.console.pages import HTMX, client_of, queries_of, words_of
from tests.factories import PlaybookFactory, UserFactory
from tests.playbooks.cases import LOW, REFERENCE, customer, messaging, published
from usage.models import Feature

pytestmark = pytest.mark.django_db

WAYS: dict[str, Any] = {
    "entry": {"kind": "manual"},
    "steps": [
        {"id": "fork", "kind": "branch", "ways": [{"when": LOW, "to": "call"}]},
        {"id": "calm", "kind": "wait", "days": 30},
        {"id": "done", "kind": "stop"},
        {"id": "call", "kind": "task", "title": "Call them"},
        {"id": "again", "kind": "check", "condition": LOW, "otherwise": "note"},
        {"id": "talk", "kind": "task", "title": "Talk to the sponsor"},
        {"id": "note", "kind": "task", "title": "Write it down"},
    ],
}


@pytest.fixture
def boss() -> User:
    made: User = UserFactory(role=User.Role.ADMIN, name="Ada Admin")
    return made


@pytest.fixture
def admin(boss: User) -> Client:
    return client_of(boss)


@pytest.fixture(autouse=True)
def _features() -> None:
    messaging()


def drafted(definition: dict[str, Any] = WAYS, **fields: Any) -> Playbook:
    """A playbook of which this is the draft."""
    playbook: Playbook = PlaybookFactory(**{"key": "ours", "name": "Ours", **fields})
    return save_draft(playbook=playbook, definition=definition, number=playbook.draft_number, by=None, now=clock.now())


def steps_of(playbook: Playbook) -> list[dict[str, Any]]:
    playbook.refresh_from_db()
    assert playbook.draft is not None
    steps: list[dict[str, Any]] = playbook.draft["steps"]
    return steps


def ids_of(playbook: Playbook) -> list[str]:
    return [step["id"] for step in steps_of(playbook)]


def post(client: Client, playbook: Playbook, part: str, data: dict[str, Any] | None = None, **query: str) -> Any:
    """Send a form of the editor as its page does."""
    playbook.refresh_from_db()
    url = f"/playbooks/{playbook.key}/edit/{part}/" + (f"?{urlencode(query)}" if query else "")
    return client.post(url, {"number": playbook.draft_number, **(data or {})}, headers=HTMX)


def text_of(response: Any) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", response.content.decode()).split())


def test_playbook_is_made_with_a_key_of_its_name_when_somebody_names_it(admin: Client) -> None:
    PlaybookFactory(key="renewal-soon")

    made = admin.post("/playbooks/new/", {"name": "Renewal soon", "description": "Early"})

    assert made["Location"] == "/playbooks/renewal-soon-2/edit/"
    words = words_of(admin, made["Location"])
    assert "A playbook watches for a situation, waits, looks again, and only then acts." in words
    assert "Add the first step" in words
    assert admin.post("/playbooks/new/", {"name": "New"})["Location"] == "/playbooks/new-2/edit/"


def test_page_tells_every_step_and_way_in_words(admin: Client) -> None:
    drafted()

    words = words_of(admin, "/playbooks/ours/edit/")

    assert "Enters by hand, when somebody says so" in words
    assert "Messaging, 7 days is less than 10 → step 4: Make the task “Call them”" in words
    assert "If not: step 7: Make the task “Write it down”" in words
    assert "from step 5 7 Make the task “Write it down”" in words


def test_page_takes_as_many_statements_however_many_steps_there_are(admin: Client) -> None:
    drafted({**WAYS, "steps": WAYS["steps"][:1] + WAYS["steps"][3:4]})
    queries_of(admin, "/playbooks/ours/edit/")
    few = queries_of(admin, "/playbooks/ours/edit/")
    playbook = drafted(key="more")
    save_draft(
        playbook=playbook,
        definition={
            **WAYS,
            "steps": [*WAYS["steps"], *({"id": f"w{n}", "kind": "wait", "days": 1} for n in range(30))],
        },
        number=playbook.draft_number,
        by=None,
        now=clock.now(),
    )

    assert queries_of(admin, "/playbooks/more/edit/") == few


@pytest.mark.parametrize("user", [User.Role.CSM, User.Role.VIEWER])
def test_only_admins_write_playbooks(user: User.Role) -> None:
    playbook = drafted()
    client = client_of(UserFactory(role=user))

    assert client.get("/playbooks/ours/edit/").status_code == 403
    assert client.post("/playbooks/new/", {"name": "Mine"}).status_code == 403
    assert post(client, playbook, "step/remove", {"step": "note"}).status_code == 403
    assert "New playbook" not in words_of(client, "/playbooks/")


def test_step_is_changed_in_its_place_and_only_its_card_is_sent(admin: Client, boss: User) -> None:
    playbook = drafted()

    saved = post(admin, playbook, "step", {"form_calm-length": "14", "form_calm-unit": "business_days"}, step="calm")

    assert steps_of(playbook)[1] == {"id": "calm", "kind": "wait", "business_days": 14}
    assert playbook.draft_by == boss
    assert "Wait 14 business days" in text_of(saved)
    assert "Call them" not in text_of(saved)


def test_cards_that_name_a_step_are_sent_too_when_it_is_changed(admin: Client) -> None:
    playbook = drafted()

    saved = post(admin, playbook, "step", {**TASK, "form_note-title": "Note it"}, step="note")

    assert "If not: step 7: Make the task “Note it”" in text_of(saved)
    assert "Talk to the sponsor" not in text_of(saved)


TASK = {"form_note-severity": "2", "form_note-due_in_days": "2", "form_note-assign": "owner"}


@pytest.mark.parametrize(
    ("step", "typed", "sentence"),
    [
        ("calm", {"length": "-1", "unit": "days"}, "Give a whole number from 1 to 3650."),
        ("calm", {"length": "", "unit": "days"}, "This field is required."),
        ("calm", {"length": "soon", "unit": "hours"}, "Give a whole number from 1 to 8760."),
        ("note", {"title": "", **{k[10:]: v for k, v in TASK.items()}}, "This field is required."),
        (
            "note",
            {"title": "x", "severity": "2", "due_in_days": "2", "assign": "nobody@example.com"},
            "Nobody who works here has the address",
        ),
    ],
)
def test_refusal_stands_in_the_form_and_nothing_is_saved(
    admin: Client, step: str, typed: dict[str, str], sentence: str
) -> None:
    playbook = drafted()

    refused = post(admin, playbook, "step", {f"form_{step}-{name}": value for name, value in typed.items()}, step=step)

    assert refused.status_code == 422
    assert sentence in text_of(refused)
    assert "<form" in refused.content.decode()
    assert steps_of(playbook) == WAYS["steps"]


def test_condition_on_what_does_not_exist_is_refused_at_its_row(admin: Client) -> None:
    playbook = drafted()
    typed = {
        "form_again_condition": "all",
        "form_again_condition_attribute_0": "usage.gone.7d",
        "form_again_condition_operator_0": "lt",
        "form_again_condition_value_0": "3",
        "form_again-otherwise": "recovered",
    }

    refused = post(admin, playbook, "step", typed, step="again")

    assert refused.status_code == 422
    assert "There is no attribute “usage.gone.7d”" in text_of(refused)
    assert 'id="form_again_condition_error_0"' in refused.content.decode()


def test_way_back_is_never_offered_and_refused_when_it_is_sent(admin: Client) -> None:
    playbook = drafted()
    form = admin.get("/playbooks/ours/edit/step/?step=again", headers=HTMX).content.decode()
    assert '<option value="note" selected>' in form
    assert '<option value="calm"' not in form

    typed = {**condition("form_again_condition"), "form_again-otherwise": "calm"}
    assert post(admin, playbook, "step", typed, step="again").status_code == 422


def test_step_that_nothing_leads_to_any_more_is_named_when_its_way_is_changed(admin: Client) -> None:
    playbook = drafted()
    typed = {"form_fork_ways_count": "1", **condition("form_fork_ways_0_when"), "form_fork_ways_0-to": "finished"}

    refused = post(admin, playbook, "step", typed, step="fork")

    assert refused.status_code == 422
    assert "Step 4: Make the task “Call them”: No way leads here" in text_of(refused)


def condition(name: str) -> dict[str, str]:
    return {
        name: "all",
        f"{name}_attribute_0": LOW["attribute"],
        f"{name}_operator_0": LOW["operator"],
        f"{name}_value_0": str(LOW["value"]),
    }


def test_first_step_takes_the_place_of_the_blank_one(admin: Client, boss: User) -> None:
    playbook = create_playbook(name="Ours", description="", definition=BLANK, by=boss, now=clock.now())

    added = post(
        admin, playbook, "step/new", {"add_start-length": "3", "add_start-unit": "days"}, kind="wait", after=""
    )

    [step] = steps_of(playbook)
    assert (step["kind"], step["days"]) == ("wait", 3)
    assert step["id"].startswith("wait-")
    assert "1 Wait 3 days" in text_of(added)
    post(admin, playbook, "step/remove", {"step": step["id"]})
    assert steps_of(playbook) == BLANK["steps"]


def test_step_at_the_beginning_of_a_way_is_where_the_way_leads(admin: Client) -> None:
    playbook = drafted()

    post(admin, playbook, "step/new", {"add_done-length": "3", "add_done-unit": "days"}, kind="wait", after="done")

    steps = steps_of(playbook)
    assert ids_of(playbook)[4] == "call"
    assert steps[0]["ways"][0]["to"] == steps[3]["id"]
    assert steps[3]["days"] == 3


def test_way_gets_steps_of_its_own_when_it_is_asked_for(admin: Client) -> None:
    playbook = drafted({"entry": {"kind": "manual"}, "steps": [{"id": "calm", "kind": "wait", "days": 3}]})
    typed = {"add_calm_ways_count": "1", **condition("add_calm_ways_0_when"), "add_calm_ways_0-to": "+"}

    post(admin, playbook, "step/new", typed, kind="branch", after="calm")

    steps = steps_of(playbook)
    assert [step["kind"] for step in steps] == ["wait", "branch", "stop", "stop"]
    assert steps[1]["ways"] == [{"when": LOW, "to": steps[3]["id"]}]


def test_ways_are_added_and_dropped_while_what_was_typed_stays(admin: Client) -> None:
    playbook = drafted()
    typed = {"form_fork_ways_count": "1", **condition("form_fork_ways_0_when"), "form_fork_ways_0-to": "call"}

    more = post(admin, playbook, "step", {**typed, "do": "more-form_fork_ways"}, step="fork").content.decode()
    assert 'name="form_fork_ways_1-to"' in more
    assert 'name="form_fork_ways_count" value="2"' in more
    both = {**typed, "form_fork_ways_count": "2", **condition("form_fork_ways_1_when"), "form_fork_ways_1-to": "note"}
    less = post(admin, playbook, "step", {**both, "do": "less-form_fork_ways-0"}, step="fork").content.decode()
    assert 'name="form_fork_ways_1-to"' not in less
    assert '<option value="note" selected>' in less
    assert steps_of(playbook) == WAYS["steps"]


def test_order_changes_by_button_and_by_place(admin: Client) -> None:
    playbook = drafted()

    post(admin, playbook, "step/move", {"step": "talk", "to": "up"})
    assert ids_of(playbook) == ["fork", "calm", "done", "call", "talk", "again", "note"]
    post(admin, playbook, "step/move", {"step": "call", "to": "5"})

    assert ids_of(playbook) == ["fork", "calm", "done", "talk", "again", "call", "note"]
    assert steps_of(playbook)[0]["ways"][0]["to"] == "talk"  # the way leads to what is first in it now


def test_move_that_breaks_a_way_is_refused_at_the_step_and_can_be_mended(admin: Client) -> None:
    playbook = drafted()

    refused = post(admin, playbook, "step/move", {"step": "again", "to": "6"})

    assert "A way from step 5: Look again: is it still so? leads to step 7" in text_of(refused)
    assert "ways can only lead further down." in text_of(refused)
    assert ids_of(playbook) == [step["id"] for step in WAYS["steps"]]
    post(admin, playbook, "step/move", {"step": "again", "to": "6", "fix": "1"})
    assert ids_of(playbook)[-1] == "again"
    assert steps_of(playbook)[-1]["otherwise"] == "finished"


def test_removal_that_breaks_a_way_is_refused_at_the_step_and_can_be_mended(admin: Client) -> None:
    playbook = drafted({**WAYS, "steps": [*WAYS["steps"], {"id": "rest", "kind": "wait", "days": 1}]})

    refused = post(admin, playbook, "step/remove", {"step": "note"})

    assert "A way from step 5: Look again: is it still so? leads here." in text_of(refused)
    assert "Let step 5: Look again: is it still so? lead to step 8: Wait 1 day" in text_of(refused)
    assert "note" in ids_of(playbook)
    post(admin, playbook, "step/remove", {"step": "note", "fix": "1"})
    assert "note" not in ids_of(playbook)
    assert steps_of(playbook)[4]["otherwise"] == "rest"


def test_steps_that_only_a_removed_step_leads_to_go_with_it_when_asked(admin: Client) -> None:
    playbook = drafted()

    refused = post(admin, playbook, "step/remove", {"step": "fork"})
    assert "Nothing would lead any more to step 4: Make the task “Call them”" in text_of(refused)
    post(admin, playbook, "step/remove", {"step": "fork", "fix": "1"})

    assert ids_of(playbook) == ["calm", "done"]


def test_second_step_like_one_has_an_id_of_its_own(admin: Client) -> None:
    playbook = drafted()

    post(admin, playbook, "step/duplicate", {"step": "note"})

    *_rest, one, other = steps_of(playbook)
    assert one["id"] != other["id"]
    assert {**one, "id": ""} == {**other, "id": ""}


def test_entry_and_audience_are_saved(admin: Client) -> None:
    playbook = drafted()
    typed = {
        "entry_kind": "condition",
        "entry_shown": "condition",
        **condition("entry_condition"),
        "who-customers": "live",
        "who_audience": "everywhere",
    }

    saved = post(admin, playbook, "entry", typed)

    assert playbook_entry(playbook) == {"kind": "condition", "condition": LOW}
    assert "Enters when this becomes true" in text_of(saved)
    assert "Call them" not in text_of(saved)
    typed = {
        "entry_kind": "event",
        "entry_shown": "event",
        "entry-event": "survey.answered",
        "who-customers": "live",
        "who_audience": "everywhere",
    }
    rows = {"entry_data_key_0": "category", "entry_data_how_0": "is", "entry_data_value_0": "detractor"}
    more = {"entry_data_key_1": "score", "entry_data_how_1": "at_most", "entry_data_value_1": "3"}
    post(admin, playbook, "entry", {**typed, **rows, **more})
    assert playbook_entry(playbook) == {
        "kind": "event",
        "event": "survey.answered",
        "data": {"category": "detractor", "score": {"at_most": 3}},
    }
    date = {"entry_kind": "date", "entry_shown": "date", "entry-attribute": "renewal_on", "entry-days": "90"}
    post(
        admin,
        playbook,
        "entry",
        {**date, "entry-side": "before", "who-customers": "lost", "who_audience": "everywhere"},
    )
    assert playbook_entry(playbook) == {"kind": "date", "attribute": "renewal_on", "days": -90}
    assert playbook.draft is not None
    assert playbook.draft["customers"] == "lost"


def playbook_entry(playbook: Playbook) -> Any:
    playbook.refresh_from_db()
    assert playbook.draft is not None
    return playbook.draft["entry"]


def test_entry_shows_what_another_occasion_asks_for(admin: Client) -> None:
    playbook = drafted()

    shaped = post(admin, playbook, "entry", {"entry_kind": "date", "entry_shown": "manual", "do": "shape"})

    assert 'name="entry-attribute"' in shaped.content.decode()
    refused = post(admin, playbook, "entry", {"entry_kind": "date", "entry_shown": "date", "entry-attribute": ""})
    assert refused.status_code == 422


def test_rules_are_saved_and_their_mistakes_said(admin: Client) -> None:
    playbook = drafted()
    typed = {"again": "later", "days": "45", "priority": "7", "quiet": "on", "quiet_from": "18", "quiet_to": "8"}
    rest = {"rules_goal": "everywhere", **condition("rules_exit")}

    saved = post(admin, playbook, "rules", {**typed, **rest})

    assert playbook.draft is not None
    playbook.refresh_from_db()
    assert {name: playbook.draft.get(name) for name in ("reentry_after_days", "priority", "quiet_hours", "exit")} == {
        "reentry_after_days": 45,
        "priority": 7,
        "quiet_hours": {"from": 18, "to": 8, "weekends": False},
        "exit": LOW,
    }
    assert "An account may enter again 45 days after it left." in text_of(saved)
    refused = post(admin, playbook, "rules", {**typed, **rest, "days": "", "priority": "1000"})
    assert "Say after how many days: 1 to 3650." in text_of(refused)
    refused = post(admin, playbook, "rules", {**typed, **rest, "priority": "1000"})
    assert "Give a whole number from 1 to 100." in text_of(refused)


def test_counts_say_who_would_enter_and_for_whom_it_is_so(admin: Client) -> None:
    customer(uses=2, name="Ostrava Steel")
    customer(uses=50)
    drafted(REFERENCE)

    counted = text_of(admin.get("/playbooks/ours/edit/counts/", headers=HTMX))

    assert "1 account matches now, 1 would enter : Ostrava Steel" in counted
    assert "so for 1 of 2 accounts now" in counted


def test_counts_leave_out_who_entered_already(admin: Client) -> None:
    customer(uses=2)
    playbook = published(key="ours")
    evaluate_entries(now=clock.now())

    counted = text_of(admin.get(f"/playbooks/{playbook.key}/edit/counts/", headers=HTMX))

    assert "1 account matches now, 0 would enter" in counted


def test_form_counts_what_is_typed(admin: Client) -> None:
    customer(uses=2, name="Ostrava Steel")
    playbook = drafted()
    typed = {**condition("form_again_condition"), "form_again-otherwise": "recovered", "do": "look"}

    looked = post(admin, playbook, "step", typed, step="again")

    assert "So for 1 of 1 accounts now : Ostrava Steel" in text_of(looked)
    entry = {
        "entry_kind": "condition",
        "entry_shown": "condition",
        **condition("entry_condition"),
        "who-customers": "live",
        "do": "look",
    }
    assert "1 account matches now" in text_of(post(admin, playbook, "entry", entry))
    assert text_of(post(admin, playbook, "entry", {**entry, "entry_condition_attribute_0": ""})) == ""
    date = {"entry_kind": "date", "entry_shown": "date", "entry-attribute": "renewal_on", "entry-days": "90"}
    more = {"entry-side": "before", "who-customers": "live", "do": "look"}
    assert "0 accounts match now" in text_of(post(admin, playbook, "entry", {**date, **more}))


def test_change_is_taken_back_step_by_step(admin: Client) -> None:
    playbook = drafted()
    post(admin, playbook, "step/remove", {"step": "talk"})
    post(admin, playbook, "step/move", {"step": "calm", "to": "up"})

    assert "Undo" in words_of(admin, "/playbooks/ours/edit/")
    post(admin, playbook, "undo")
    assert ids_of(playbook)[:2] == ["fork", "calm"]
    post(admin, playbook, "undo")
    assert steps_of(playbook) == WAYS["steps"]
    assert "Undo" not in words_of(admin, "/playbooks/ours/edit/")


def test_first_change_begins_a_draft_of_what_is_live_and_can_be_taken_back(admin: Client) -> None:
    playbook = published(key="ours")

    post(admin, playbook, "step/remove", {"step": "wait"})
    assert ids_of(playbook) == ["again", "call"]
    post(admin, playbook, "undo")

    playbook.refresh_from_db()
    assert playbook.draft is None
    assert "This is version 1, which is live." in words_of(admin, "/playbooks/ours/edit/")


def test_later_change_is_refused_with_a_way_out_when_somebody_was_faster(admin: Client) -> None:
    playbook = drafted()
    stale = playbook.draft_number
    save_draft(
        playbook=playbook, definition=WAYS, number=stale, by=UserFactory(role="admin", name="Bo"), now=clock.now()
    )

    url = "/playbooks/ours/edit/step/move/"
    late = admin.post(url, {"step": "talk", "to": "up", "number": stale}, headers=HTMX)

    assert "Bo changed this draft in the meantime" in text_of(late)
    assert "Load again" in text_of(late)
    assert late["HX-Reswap"] == "none"
    assert steps_of(playbook) == WAYS["steps"]
    assert admin.post(url, {"step": "talk", "to": "up", "number": stale}).status_code == 409
    assert "Undo" not in words_of(admin, "/playbooks/ours/edit/")


def test_everything_works_without_scripts(admin: Client) -> None:
    playbook = drafted()
    here = {"number": playbook.draft_number}

    assert "How long" in words_of(admin, "/playbooks/ours/edit/step/?step=calm")
    assert "Wait some time" in words_of(admin, "/playbooks/ours/edit/step/new/?after=calm")
    moved = admin.post("/playbooks/ours/edit/step/move/", {**here, "step": "talk", "to": "up"})
    assert moved["Location"] == "/playbooks/ours/edit/#card-talk"
    playbook.refresh_from_db()
    typed = {"number": playbook.draft_number, "form_calm-length": "-1", "form_calm-unit": "days"}
    refused = admin.post("/playbooks/ours/edit/step/?step=calm", typed)
    assert refused.status_code == 422
    assert "Give a whole number from 1 to 3650." in text_of(refused)
    gone = admin.post("/playbooks/ours/edit/step/remove/", {"number": playbook.draft_number, "step": "note"})
    assert gone.status_code == 422
    assert "leads here." in text_of(gone)


def test_draft_is_published_with_its_note(admin: Client, boss: User) -> None:
    playbook = published(key="ours")
    post(admin, playbook, "step", {"form_wait-length": "3", "form_wait-unit": "days"}, step="wait")

    assert "changed step 1: Wait 3 days" in words_of(admin, "/playbooks/ours/edit/publish/")
    playbook.refresh_from_db()
    done = admin.post("/playbooks/ours/edit/publish/", {"number": playbook.draft_number, "note": "Sooner"})

    assert done["Location"] == "/playbooks/ours/"
    version = playbook.versions.get(number=2)
    assert (version.note, version.author, version.definition["steps"][0]["days"]) == ("Sooner", boss, 3)
    playbook.refresh_from_db()
    assert playbook.draft is None


def test_publishing_is_refused_when_nothing_is_done_or_the_draft_moved_on(admin: Client, boss: User) -> None:
    playbook = create_playbook(name="Ours", description="", definition=BLANK, by=boss, now=clock.now())

    empty = admin.post("/playbooks/ours/edit/publish/", {"number": playbook.draft_number, "note": ""})
    assert "It has no steps yet" in text_of(empty)
    stale = admin.post("/playbooks/ours/edit/publish/", {"number": "0", "note": ""})
    assert "The draft was changed since this page was shown" in text_of(stale)
    assert playbook.versions.count() == 0


def test_problem_of_the_live_version_stands_at_its_step(admin: Client) -> None:
    playbook = published(key="ours")
    playbook.versions.update(definition=json.loads(json.dumps(REFERENCE).replace("messaging", "gone")))

    words = words_of(admin, "/playbooks/ours/edit/")

    assert "There is no attribute “usage.gone.7d”" in words
    assert words_of(admin, "/playbooks/ours/edit/publish/")


def test_problem_is_said_with_a_way_to_its_step_before_publishing(admin: Client) -> None:
    playbook = drafted({**WAYS, "steps": [{"id": "again", "kind": "check", "condition": LOW}]})
    Feature.objects.all().delete()

    page = admin.get("/playbooks/ours/edit/publish/").content.decode()
    assert '<a class="link" href="/playbooks/ours/edit/#card-again">Step 1' in page
    refused = admin.post("/playbooks/ours/edit/publish/", {"number": playbook.draft_number, "note": ""})
    assert refused.status_code == 422
    assert "There is no attribute “usage.messaging.7d”" in text_of(refused)


def test_playbook_is_called_otherwise_and_keeps_its_key(admin: Client) -> None:
    drafted()

    admin.post("/playbooks/ours/edit/name/", {"name": "Theirs", "description": "For them"})

    assert "Theirs" in words_of(admin, "/playbooks/ours/edit/")
    assert admin.post("/playbooks/ours/edit/name/", {"name": ""}).status_code == 422


def test_draft_is_thrown_away_when_asked(admin: Client) -> None:
    playbook = published(key="ours")
    post(admin, playbook, "step/remove", {"step": "wait"})

    assert "gone step 1: Wait 7 days" in words_of(admin, "/playbooks/ours/edit/discard/")
    admin.post("/playbooks/ours/edit/discard/", {"number": playbook.draft_number + 1})

    playbook.refresh_from_db()
    assert playbook.draft is None


def test_definition_is_read_and_pasted_as_json_with_the_same_errors(admin: Client) -> None:
    playbook = drafted()
    assert "&quot;id&quot;: &quot;fork&quot;" in admin.get("/playbooks/ours/edit/json/").content.decode()
    number = {"number": playbook.draft_number}

    broken = admin.post("/playbooks/ours/edit/json/", {**number, "definition": "{"})
    assert "This is not JSON" in text_of(broken)
    wrong = json.dumps({**WAYS, "steps": [{"id": "a", "kind": "wait", "days": -1}]})
    refused = admin.post("/playbooks/ours/edit/json/", {**number, "definition": wrong})
    assert "Step “a”: Give a whole number from 1 to 3650." in text_of(refused).replace("&quot;", "")
    admin.post("/playbooks/ours/edit/json/", {**number, "definition": json.dumps(REFERENCE)})
    assert ids_of(playbook) == ["wait", "again", "call"]


def test_every_kind_of_step_has_a_form_made_of_its_declaration(admin: Client) -> None:
    drafted()
    kinds = admin.get("/playbooks/ours/edit/step/new/?after=call", headers=HTMX).content.decode()

    offered = re.findall(r'href="[^"]*kind=(\w+)"', kinds)

    assert {*offered} == {*STEPS, *REGISTRY}
    for kind in offered:
        form = admin.get(f"/playbooks/ours/edit/step/new/?after=call&kind={kind}", headers=HTMX)
        assert "Add the step" in text_of(form), kind


def test_ready_playbook_becomes_a_draft_about_the_chosen_feature(admin: Client) -> None:
    messaging()
    gallery = text_of(admin.get("/playbooks/new/"))
    assert all(str(ready.name) in gallery for ready in ready_playbooks())

    asked = words_of(admin, "/playbooks/new/?ready=low-usage")
    assert "Which feature" in asked
    refused = admin.post("/playbooks/new/", {"ready": "low-usage", "name": "Quiet", "description": ""})
    assert "Choose a feature." in text_of(refused)
    admin.post("/playbooks/new/", {"ready": "low-usage", "name": "Quiet", "description": "", "feature": "messaging"})

    made = Playbook.objects.get(name="Quiet")
    assert made.status == Playbook.Status.DRAFT
    assert made.draft is not None
    assert made.draft["entry"]["condition"]["attribute"] == "usage.messaging.7d"
    assert "Messaging, 7 days" in words_of(admin, f"/playbooks/{made.key}/edit/")


def test_email_without_a_sender_is_refused_at_its_step(admin: Client) -> None:
    playbook = drafted()
    before = ids_of(playbook)
    author = UserFactory(role=User.Role.ADMIN)
    save_template(template=None, name="Hello", texts={"en": ("Hello", "Hello.")}, by=author, now=clock.now())
    typed = {"add_call-template": "hello", "add_call-sender": "", "add_call-to": ""}

    refused = post(admin, playbook, "step/new", typed, kind="email", after="call")

    assert refused.status_code == 422
    assert "This field is required." in text_of(refused)
    assert ids_of(playbook) == before
    post(admin, playbook, "step/new", {**typed, "add_call-sender": "owner"}, kind="email", after="call")
    assert len(ids_of(playbook)) == len(before) + 1
