"""The playbooks of the demo company."""

from dataclasses import dataclass
from typing import Any

from demo.catalogue import STAFFED_SEGMENTS, leaf

SETTLED = leaf("stage", "in", ["adoption", "value", "renewal", "expansion", "advocacy"])
STAFFED = leaf("segment", "in", STAFFED_SEGMENTS)
ENDED = leaf("is_live", "is", False)
LOW_MESSAGING = leaf("usage.messaging.7d", "lt", 15)
LOW_TASKS = leaf("usage.tasks.7d", "lt", 5)


def _task(title: str, guidance: str, severity: int, due_in_days: int) -> dict[str, Any]:
    return {
        "id": "task",
        "kind": "task",
        "title": title,
        "guidance": guidance,
        "severity": severity,
        "due_in_days": due_in_days,
        "assign": "owner",
    }


def _definition(
    entry: dict[str, Any],
    audience: dict[str, Any],
    steps: list[dict[str, Any]],
    reentry_after_days: int,
    goal: dict[str, Any] | None = None,
) -> dict[str, Any]:
    return {
        "entry": entry,
        "audience": audience,
        "goal": goal,
        "exit": ENDED,
        "reentry_after_days": reentry_after_days,
        "steps": steps,
    }


def _when(*conditions: dict[str, Any]) -> dict[str, Any]:
    condition = conditions[0] if len(conditions) == 1 else {"all": list(conditions)}
    return {"kind": "condition", "condition": condition}


@dataclass(frozen=True, slots=True)
class PlaybookPlan:
    """One playbook of the demo company; a draft is published by nobody and never runs."""

    key: str
    name: str
    description: str
    definition: dict[str, Any]
    is_draft: bool = False


PLAYBOOKS = (
    PlaybookPlan(
        "low-messaging",
        "Low messaging use",
        "Messaging has gone quiet. People take leave, so look again after a week before anybody calls.",
        _definition(
            _when(LOW_MESSAGING),
            {"all": [STAFFED, SETTLED]},
            [
                {"id": "wait", "kind": "wait", "days": 7},
                {"id": "again", "kind": "check", "condition": LOW_MESSAGING, "otherwise": "recovered"},
                _task(
                    "Messaging has been quiet for two weeks: find out why",
                    "Ask the champion what the teams use instead. Offer the half-hour session on channels.",
                    2,
                    3,
                ),
            ],
            30,
        ),
    ),
    PlaybookPlan(
        "tasks-stopped",
        "Tasks not used",
        "Nobody stops using tasks for a holiday: look again tomorrow, then call.",
        _definition(
            _when(LOW_TASKS),
            {"all": [STAFFED, SETTLED]},
            [
                {"id": "wait", "kind": "wait", "days": 1},
                {"id": "again", "kind": "check", "condition": LOW_TASKS, "otherwise": "recovered"},
                _task(
                    "Almost no tasks in a week: call today",
                    "Check the status page and open tickets first, then call the champion or the team lead.",
                    3,
                    1,
                ),
            ],
            30,
        ),
    ),
    PlaybookPlan(
        "detractor",
        "Close the loop with a detractor",
        "Somebody answered 0 to 6: talk to them within a day.",
        _definition(
            {"kind": "event", "event": "survey.answered", "data": {"category": "detractor", "kind": "nps"}},
            STAFFED,
            [
                _task(
                    "A detractor answered: call back",
                    "Read the comment aloud before you dial. Thank, listen, agree on one thing and a date.",
                    4,
                    1,
                )
            ],
            7,
        ),
    ),
    PlaybookPlan(
        "renewal-at-risk",
        "Renewal at risk",
        "The contract ends within ninety days and the health is not good.",
        _definition(
            _when(leaf("days_to_renewal", "lte", 90), leaf("health", "lt", 56)),
            STAFFED,
            [
                _task(
                    "Renewal within 90 days and health is low: make a plan",
                    "Agree with the leader on an offer, and book the decision maker, not only the champion.",
                    3,
                    5,
                ),
                {"id": "wait", "kind": "wait", "days": 45},
                {
                    "id": "tell",
                    "kind": "notify",
                    "whom": "leaders",
                    "text": "{{ account.name }} has not renewed yet, six weeks after the plan was due.",
                },
            ],
            90,
            goal=leaf("days_to_renewal", "gt", 120),
        ),
    ),
    PlaybookPlan(
        "quiet-account",
        "Quiet account",
        "Nobody has talked to them in sixty days and use is falling.",
        _definition(
            _when(leaf("touch.days_since", "gte", 60), leaf("usage.change_28d", "lt", -15)),
            {"all": [STAFFED, SETTLED]},
            [
                _task(
                    "No touch in 60 days and use is falling: check in",
                    "Bring one number from their usage and one thing that changed in the product since you last spoke.",
                    2,
                    5,
                )
            ],
            60,
        ),
    ),
    PlaybookPlan(
        "onboarding-stalled",
        "Onboarding stalled",
        "Still in onboarding after thirty days, with little of the plan in use.",
        _definition(
            _when(leaf("stage", "is", "onboarding"), leaf("stage.days", "gte", 30), leaf("usage.breadth", "lt", 25)),
            STAFFED,
            [
                _task(
                    "Onboarding has stalled: bring the sponsor in",
                    "Go through the open steps with the champion; agree with the sponsor on one team and one date.",
                    3,
                    2,
                )
            ],
            45,
        ),
    ),
    PlaybookPlan(
        "first-nps",
        "Ask after onboarding",
        "Two weeks after onboarding, ask how it went. Not switched on yet.",
        _definition(
            {"kind": "event", "event": "stage.entered", "data": {"stage": "adoption"}},
            STAFFED,
            [{"id": "wait", "kind": "wait", "days": 14}, {"id": "ask", "kind": "survey", "survey": "nps"}],
            180,
        ),
        is_draft=True,
    ),
)

WORKSHOP_BOOKED = "workshop-booked"
WORKSHOP = PlaybookPlan(
    "workshop",
    "Workshop offered",
    "For accounts that were offered a workshop: look after four days whether they booked one.",
    _definition(
        {"kind": "manual"},
        STAFFED,
        [
            {"id": "wait", "kind": "wait", "days": 4},
            {
                "id": "booked",
                "kind": "check",
                "condition": {"not": leaf(f"custom.{WORKSHOP_BOOKED}", "is", True)},
                "otherwise": "finished",
            },
            _task(
                "No workshop booked: offer two dates", "Two dates are answered more often than an open question.", 1, 5
            ),
        ],
        30,
    ),
)
"""Its second step asks for a custom field that somebody deletes meanwhile, so its run needs attention."""
