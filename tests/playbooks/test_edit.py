"""Changing steps one at a time: what was given stays, ways follow their stretch, and what can be mended is valid."""

from copy import deepcopy
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from playbooks.definition.edit import (
    BLANK,
    RawStep,
    duplicated,
    fresh_id,
    inserted,
    lost_steps,
    lost_ways,
    moved,
    removed,
    repaired,
    with_own_steps,
)
from playbooks.definition.parse import load

LOOK: dict[str, Any] = {"attribute": "seats", "operator": "gte", "value": 1}
KINDS = ("wait", "check", "branch", "go", "stop", "task")


def step(kind: str, to: str) -> RawStep:
    made: RawStep = {"id": fresh_id(kind), "kind": kind}
    match kind:
        case "wait":
            return {**made, "days": 1}
        case "check":
            return {**made, "condition": LOOK, "otherwise": to}
        case "branch":
            return {**made, "ways": [{"when": LOOK, "to": to}, {"when": LOOK, "to": "+"}]}
        case "go":
            return {**made, "to": to}
        case "task":
            return {**made, "title": "Call"}
    return made


def is_valid(steps: list[RawStep]) -> bool:
    return not lost_ways(steps) and not lost_steps(steps)


def checked(steps: list[RawStep]) -> list[RawStep]:
    load({"entry": {"kind": "manual"}, "steps": steps})
    return steps


CHANGE = st.tuples(
    st.sampled_from(("insert", "duplicate", "remove", "move")),
    st.integers(0, 40),
    st.integers(0, 40),
    st.sampled_from(KINDS),
)


@settings(max_examples=150)
@given(st.lists(CHANGE, min_size=1, max_size=12))
def test_steps_stay_valid_or_can_be_mended_when_anything_is_done(changes: list[tuple[str, int, int, str]]) -> None:
    steps: list[RawStep] = deepcopy(BLANK["steps"])
    for verb, one, other, kind in changes:
        place, goal = one % len(steps), other % len(steps)
        before = deepcopy(steps)
        match verb:
            case "insert":
                to = steps[goal]["id"] if goal > place else "finished"
                after = with_own_steps(inserted(steps, place, step(kind, to)))
            case "duplicate":
                after = duplicated(steps, place)
            case "remove":
                after = removed(steps, place)
            case _:
                after = moved(steps, place, goal)
        assert steps == before, verb
        mended = repaired(after, {})
        assert is_valid(mended), (verb, after)
        if len(mended) <= 50:
            steps = checked(after if is_valid(after) else mended)


def test_way_leads_to_what_is_first_in_its_stretch_when_steps_come_move_and_go() -> None:
    steps: list[RawStep] = [
        {"id": "look", "kind": "check", "condition": LOOK, "otherwise": "x"},
        {"id": "end", "kind": "stop"},
        {"id": "x", "kind": "wait", "days": 1},
        {"id": "y", "kind": "wait", "days": 2},
    ]

    def goal(after: list[RawStep]) -> str:
        assert is_valid(after)
        return str(after[0]["otherwise"])

    assert goal(inserted(steps, 2, {"id": "new", "kind": "wait", "days": 3})) == "new"
    assert goal(moved(steps, 3, 2)) == "y"
    assert goal(moved(steps, 2, 3)) == "y"
    assert goal(removed(steps, 2)) == "y"
    assert goal(inserted(steps, 3, {"id": "new", "kind": "wait", "days": 3})) == "x"
    assert lost_steps(removed(steps, 0)) == ["x", "y"]
    assert goal(removed(steps, 1)) == "x"
