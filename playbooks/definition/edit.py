"""Changing the steps of a definition (JSON) one at a time, so that ways stay with what they lead to.

Steps stand in stretches: each ends where a run does not simply go on (a stop, a go). A way that leads to the first step
of a stretch leads to the stretch: a step that is put before that one, or takes its place, is where the way leads then.
All functions answer new lists and leave what they were given as it was; whether the outcome is valid ``parse`` says.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from copy import deepcopy
from typing import Any

from django.utils.crypto import get_random_string

from playbooks.definition.parse import ways_in
from playbooks.definition.steps import END, ENDINGS

RawStep = dict[str, Any]
OWN_STEPS = "+"
"""As the goal of a way: steps of its own, which are yet to be written."""
BLANK: dict[str, Any] = {"entry": {"kind": "manual"}, "steps": [{"id": "end", "kind": "stop"}]}
"""The definition that a new playbook begins with: nobody enters by itself, and nothing is done."""
SUFFIX = "abcdefghjkmnpqrstuvwxyz23456789"


def is_blank(steps: Sequence[RawStep]) -> bool:
    """Whether nothing is done yet."""
    return len(steps) == 1 and steps[0]["kind"] == "stop"


def fresh_id(kind: str) -> str:
    """An id for a new step: one that no version has had, so that a run is never at another step than it was."""
    return f"{kind}-{get_random_string(5, SUFFIX)}"


def place_of(steps: Sequence[RawStep], step_id: str) -> int | None:
    """Where the step with this id stands."""
    return next((place for place, step in enumerate(steps) if step["id"] == step_id), None)


def goes_on(step: RawStep) -> bool:
    """Whether a run may simply go on from the step to the next one."""
    return step["kind"] not in ("stop", "go")


def inserted(steps: Sequence[RawStep], place: int, step: RawStep) -> list[RawStep]:
    """The steps with one more at ``place``."""
    if is_blank(steps):
        return [deepcopy(step)]
    after = [*steps[:place], step, *steps[place:]]
    return _with_ways_kept(steps, after, step["id"])


def replaced(steps: Sequence[RawStep], place: int, step: RawStep) -> list[RawStep]:
    """The steps with another one at ``place``."""
    return deepcopy([*steps[:place], step, *steps[place + 1 :]])


def duplicated(steps: Sequence[RawStep], place: int) -> list[RawStep]:
    """The steps with a second one like that at ``place`` after it."""
    copy = {**deepcopy(steps[place]), "id": fresh_id(steps[place]["kind"])}
    return inserted(steps, place + 1, copy)


def removed(steps: Sequence[RawStep], place: int) -> list[RawStep]:
    """The steps without the one at ``place``."""
    after = [*steps[:place], *steps[place + 1 :]] or BLANK["steps"]
    return _with_ways_kept(steps, after, steps[place]["id"])


def moved(steps: Sequence[RawStep], place: int, to: int) -> list[RawStep]:
    """The steps with the one at ``place`` moved to ``to``."""
    rest = [*steps[:place], *steps[place + 1 :]]
    return _with_ways_kept(steps, [*rest[:to], steps[place], *rest[to:]], steps[place]["id"])


def with_own_steps(steps: Sequence[RawStep]) -> list[RawStep]:
    """The steps with a stretch of its own, empty yet, for every way that asks for one."""
    after = deepcopy(list(steps))
    for step in list(after):
        for holder, key in ways_in(step):
            if holder[key] == OWN_STEPS:
                if goes_on(after[-1]):
                    after.append({"id": fresh_id("stop"), "kind": "stop"})
                after.append({"id": fresh_id("stop"), "kind": "stop"})
                holder[key] = after[-1]["id"]
    return after


def lost_ways(steps: Sequence[RawStep]) -> list[tuple[str, str]]:
    """The ways that lead to no later step, by the step that they begin at and the id that they lead to."""
    places = {step["id"]: place for place, step in enumerate(steps)}
    return [
        (step["id"], holder[key])
        for place, step in enumerate(steps)
        for holder, key in ways_in(step)
        if holder[key] not in ENDINGS and places.get(holder[key], -1) <= place
    ]


def lost_steps(steps: Sequence[RawStep]) -> list[str]:
    """The ids of the steps that no way leads to."""
    reached = {steps[0]["id"]}
    lost = []
    for place, step in enumerate(steps):
        if step["id"] not in reached:
            lost.append(step["id"])
            continue
        reached |= {holder[key] for holder, key in ways_in(step)}
        if goes_on(step) and place + 1 < len(steps):
            reached.add(steps[place + 1]["id"])
    return lost


def repaired(steps: Sequence[RawStep], instead: Mapping[str, str]) -> list[RawStep]:
    """The steps with every lost way led to what ``instead`` says, or to the end, and without the lost steps."""
    after = deepcopy(list(steps))
    places = {step["id"]: place for place, step in enumerate(after)}
    for place, step in enumerate(after):
        for holder, key in ways_in(step):
            to = holder[key]
            if to not in ENDINGS and places.get(to, -1) <= place:
                other = instead.get(to, "finished")
                holder[key] = other if places.get(other, -1) > place else "finished"
    lost = set(lost_steps(after))
    return [step for step in after if step["id"] not in lost]


def _with_ways_kept(before: Sequence[RawStep], after: Sequence[RawStep], acted: str) -> list[RawStep]:
    """``after`` with the ways to the first step of a stretch led to the one that is its first now."""
    was, now = dict(_stretches(before)), dict(_stretches(after))
    heads = {
        ids[0]: now[end][0]
        for end, ids in was.items()
        if end in now and (now[end][0] == acted or now[end][0] in ids) and now[end][0] != ids[0]
    }
    kept = deepcopy(list(after))
    for step in kept:
        for holder, key in ways_in(step):
            holder[key] = heads.get(holder[key], holder[key])
    return kept


def _stretches(steps: Sequence[RawStep]) -> Iterator[tuple[str, list[str]]]:
    """The ids of each stretch, by the id of the step that ends it; END for the last one that just ends."""
    ids: list[str] = []
    for step in steps:
        ids.append(step["id"])
        if not goes_on(step):
            yield step["id"], ids
            ids = []
    if ids:
        yield END, ids
