import json
import re
from typing import Any

import pytest

from common.errors import Conflict, DomainError, NotAllowed
from launcher.places import ROOT
from playbooks.actions import REGISTRY
from playbooks.definition.parse import parse
from playbooks.models import Playbook, PlaybookVersion
from playbooks.services import enter_by_hand, pause, publish, resume
from surveys.models import Survey
from tests.factories import NOW, AccountFactory, PlaybookFactory, SegmentFactory, StageFactory, UserFactory
from tests.playbooks.cases import LOW, REFERENCE, leaf, messaging, published

pytestmark = pytest.mark.django_db

TASK = {"id": "call", "kind": "task", "title": "Call"}
WAIT = {"id": "wait", "kind": "wait", "days": 7}
CHECK = {"id": "again", "kind": "check", "condition": {"all": []}}


def definition(*steps: Any, **other: Any) -> dict[str, Any]:
    return {"entry": {"kind": "manual"}, "steps": list(steps), **other}


def test_definition_is_read_when_it_uses_everything() -> None:
    messaging()
    Survey.objects.create(key="nps", name="NPS", kind="nps")
    StageFactory(key="risk")
    anna = UserFactory()
    parsed = parse(
        {
            **REFERENCE,
            "exit": leaf("tags", "has_any", ["leaving"]),
            "steps": [
                {"id": "hours", "kind": "wait", "hours": 3},
                {"id": "work", "kind": "wait", "business_days": 2},
                {"id": "again", "kind": "check", "condition": LOW, "otherwise": "ask"},
                {"id": "call", "kind": "task", "title": "Call", "assign": anna.email, "severity": 3},
                {"id": "move", "kind": "stage", "stage": "risk"},
                {"id": "done", "kind": "stop"},
                {"id": "ask", "kind": "survey", "survey": "nps"},
            ],
        }
    )

    assert [step.id for step in parsed.steps] == ["hours", "work", "again", "call", "move", "done", "ask"]
    assert list(parsed.looks_ahead("again")) == ["again"]
    assert parsed.after("ask") == ""
    assert {"task", "survey", "stage"} <= set(REGISTRY)


@pytest.mark.parametrize(
    ("wrong", "place", "sentence"),
    [
        ([], "definition", "Give an object with “entry” and “steps”."),
        (definition(), "steps", "Give a list of 1 to 50 steps."),
        ({"steps": [TASK]}, "entry", "“entry” is missing."),
        (definition(TASK, colour=1), "colour", "“colour” is not known here"),
        (definition(TASK, entry={"kind": "moon"}), "entry.kind", "Entry: Use one of: condition, event, date, manual."),
        (definition(TASK, entry={"kind": "event"}), "entry.event", "Entry: “event” is missing."),
        (
            definition(TASK, entry={"kind": "condition", "condition": leaf("moon", "gt", 1)}),
            "entry.condition.attribute",
            "Entry: There is no attribute “moon”.",
        ),
        (definition(TASK, audience=leaf("seats", "gt", "x")), "audience.value", "Audience: “seats”: Give a number."),
        (definition(TASK, exit={"any": 3}), "exit.any", "Leave when: Give a list"),
        (definition(TASK, reentry_after_days=-1), "reentry_after_days", "Give a whole number from 0 to 3650."),
        (definition({**WAIT, "days": -1}), "steps[0].days", "Step “wait”: Give a whole number from 1 to 3650."),
        (definition({**WAIT, "days": 0}), "steps[0].days", "Step “wait”: Give a whole number from 1 to 3650."),
        (definition({**WAIT, "days": True}), "steps[0].days", "Step “wait”: Give a whole number"),
        (definition({**WAIT, "hours": 1}), "steps[0]", "Step “wait”: Say how long, in just one of"),
        (definition({"id": "w", "kind": "wait"}), "steps[0]", "Step “w”: Say how long, in just one of"),
        (definition({"id": "x", "kind": "dance"}), "steps[0].kind", "Step “x”: “dance” is not a kind of step; use"),
        (definition({"id": "x", "kind": ["task"]}), "steps[0].kind", "is not a kind of step"),
        (definition("wait"), "steps[0]", "Step “1”: Give an object with “id” and “kind”."),
        (definition({"kind": "stop"}), "steps[0].id", "Give every step an id"),
        (definition(WAIT, {**TASK, "id": "wait"}), "steps[1].id", "Step “wait”: The id “wait” is taken"),
        (definition({**TASK, "id": "recovered"}), "steps[0].id", "The id “recovered” is taken"),
        (definition({**TASK, "id": "a\x00"}), "steps[0].id", "Give every step an id"),
        (definition({**TASK, "title": " "}), "steps[0].title", "Step “call”: Give a text of 1 to 300 characters."),
        (definition({**TASK, "severity": 5}), "steps[0].severity", "Step “call”: Use one of: 1, 2, 3, 4."),
        (definition({**TASK, "assign": "no@body"}), "steps[0].assign", "Nobody who works here has the address"),
        (definition({**TASK, "owner": 1}), "steps[0].owner", "Step “call”: “owner” is not known here; use id, kind,"),
        (
            definition({"id": "ask", "kind": "survey", "survey": "moon"}),
            "steps[0].survey",
            "Step “ask”: There is no survey “moon”",
        ),
        (
            definition({"id": "go", "kind": "stage", "stage": "moon"}),
            "steps[0].stage",
            "Step “go”: There is no stage “moon”",
        ),
        (definition({"id": "end", "kind": "stop"}, TASK), "steps[1]", "Step “call”: No way leads here"),
        (
            definition(WAIT, {**CHECK, "otherwise": "wait"}),
            "steps[1].otherwise",
            "Step “again”: “wait” is not a later step; use one",
        ),
        (
            definition({**CHECK, "condition": leaf("moon", "gt", 1)}),
            "steps[0].condition.attribute",
            "Step “again”: There is no attribute “moon”.",
        ),
        (
            definition(TASK, entry={"kind": "date", "attribute": "seats", "days": -90}),
            "entry.attribute",
            "Entry: “seats” is not a date; use one of",
        ),
        (
            definition(TASK, entry={"kind": "event", "event": "survey.answered", "data": {"score": {"below": 3}}}),
            "entry.data.score",
            "Give a value, a list of values, or an object with the numbers “at_least” and “at_most”.",
        ),
        (definition(TASK, goal=leaf("moon", "gt", 1)), "goal.attribute", "Goal: There is no attribute “moon”."),
        (definition(TASK, priority=0), "priority", "Give a whole number from 1 to 100."),
        (
            definition(TASK, quiet_hours={"from": 8, "to": 8, "weekends": False}),
            "quiet_hours.to",
            "Quiet hours: Give another hour",
        ),
        (definition(TASK, quiet_hours={"from": 8, "to": 24}), "quiet_hours.to", "Give a whole number from 0 to 23."),
        (definition({"id": "d", "kind": "wait_for_date"}), "steps[0]", "Step “d”: Say until when, in just one of"),
        (definition({"id": "d", "kind": "wait_for_date", "day": "soon"}), "steps[0].day", "Give a date as YYYY-MM-DD."),
        (
            definition({"id": "d", "kind": "wait_for_date", "attribute": "moon"}),
            "steps[0].attribute",
            "Step “d”: “moon” is not a date",
        ),
        (
            definition({"id": "u", "kind": "wait_until", "condition": {"all": []}}),
            "steps[0]",
            "Step “u”: Say how long, in just one of",
        ),
        (
            definition(
                {"id": "b", "kind": "branch", "ways": [{"when": leaf("moon", "gt", 1), "to": "finished"}]}, TASK
            ),
            "steps[0].ways[0].when.attribute",
            "Step “b”: There is no attribute “moon”.",
        ),
        (
            definition({"id": "b", "kind": "branch", "ways": [{"when": {"all": []}, "to": "moon"}]}, TASK),
            "steps[0].ways[0].to",
            "Step “b”: “moon” is not a later step",
        ),
        (
            definition({"id": "b", "kind": "branch", "ways": [{"to": "call"}]}, TASK),
            "steps[0].ways[0].when",
            "“when” is missing",
        ),
        (definition({"id": "g", "kind": "go", "to": "g"}), "steps[0].to", "Step “g”: “g” is not a later step"),
        (definition({"id": "g", "kind": "go", "to": "finished"}, TASK), "steps[1]", "Step “call”: No way leads here"),
        (definition({**CHECK, "condition": [1]}), "steps[0].condition", "Step “again”: Give an object."),
    ],
)
def test_definition_is_refused_at_the_step_with_the_remedy(wrong: Any, place: str, sentence: str) -> None:
    with pytest.raises(DomainError) as refused:
        parse(wrong)
    assert sentence in refused.value.message
    assert list(refused.value.fields) == [place]


def test_refused_definition_leaves_nothing_behind() -> None:
    playbook = PlaybookFactory()
    with pytest.raises(DomainError):
        publish(playbook=playbook, definition=definition(), author=None, note="", now=NOW)

    playbook.refresh_from_db()
    assert playbook.status == Playbook.Status.DRAFT
    assert not PlaybookVersion.objects.exists()


def test_versions_are_kept_and_the_last_is_live() -> None:
    admin = UserFactory(role="admin")
    playbook = published(definition(TASK))
    second = publish(playbook=playbook, definition=definition(WAIT, TASK), author=admin, note="Wait first", now=NOW)

    assert (playbook.status, playbook.live_version) == ("live", second)
    assert list(playbook.versions.values_list("number", "author", "note")) == [
        (2, admin.pk, "Wait first"),
        (1, None, ""),
    ]
    assert json.loads(json.dumps(second.definition)) == definition(WAIT, TASK)


def test_only_admins_switch_playbooks() -> None:
    playbook, csm = published(definition(TASK)), UserFactory()
    with pytest.raises(NotAllowed):
        publish(playbook=playbook, definition=definition(TASK), author=csm, note="", now=NOW)
    with pytest.raises(NotAllowed):
        pause(playbook=playbook, by=csm)


def test_switch_is_refused_when_somebody_else_turned_it_first() -> None:
    playbook = published(definition(TASK))
    with pytest.raises(Conflict, match="is not paused"):
        resume(playbook=playbook, by=None, now=NOW)
    pause(playbook=playbook, by=None)
    with pytest.raises(Conflict, match="is not switched on"):
        pause(playbook=playbook, by=None)
    with pytest.raises(Conflict, match="publish or resume it first"):
        enter_by_hand(playbook=playbook, account_ids=[AccountFactory().pk], by=UserFactory(), now=NOW)


def test_every_definition_in_the_handbook_is_valid() -> None:
    messaging()
    SegmentFactory(key="mid-market")
    blocks = re.findall(r"```json\n(.*?)```", (ROOT / "docs/playbooks.md").read_text(), flags=re.DOTALL)
    definitions = [one for one in map(json.loads, blocks) if "steps" in one]

    assert next([step.id for step in parse(one).steps] for one in definitions) == ["wait", "again", "ask"]
    assert len(definitions) == 2
