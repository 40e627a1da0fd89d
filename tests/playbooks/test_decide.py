"""The decision is a pure function: tested without a database, on definitions, findings and times made up."""

from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from accounts.calendar import Calendar
from playbooks.decide import Found, Position, decide
from playbooks.definition.parse import load
from playbooks.definition.steps import END
from playbooks.models import Run

ZONES = ("UTC", "Europe/Sofia", "America/New_York", "Australia/Lord_Howe", "Asia/Shanghai")
CONDITION: dict[str, Any] = {"all": []}
INSTANTS = st.integers(1_704_067_200, 1_830_297_600).map(lambda second: datetime.fromtimestamp(second, UTC))


@st.composite
def definitions(draw: st.DrawFn) -> dict[str, Any]:
    count = draw(st.integers(1, 8))
    steps: list[dict[str, Any]] = []
    for place in range(count):
        step_id = f"s{place}"
        later = [f"s{n}" for n in range(place + 1, count)]
        steps.append(
            draw(
                st.one_of(
                    st.builds(
                        lambda unit, length, step_id=step_id: {"id": step_id, "kind": "wait", unit: length},
                        st.sampled_from(["hours", "days", "business_days"]),
                        st.integers(1, 40),
                    ),
                    st.builds(
                        lambda otherwise, step_id=step_id: {
                            "id": step_id,
                            "kind": "check",
                            "condition": CONDITION,
                            "otherwise": otherwise,
                        },
                        st.sampled_from(["recovered", "exited", "finished", *later]),
                    ),
                    st.just({"id": step_id, "kind": "task", "title": "Call"}),
                    st.just({"id": step_id, "kind": "survey", "survey": "nps"}),
                    st.builds(
                        lambda day, step_id=step_id: {"id": step_id, "kind": "wait_for_date", "day": day.isoformat()},
                        st.dates(date(2024, 1, 1), date(2028, 12, 31)),
                    ),
                    st.builds(
                        lambda days, step_id=step_id: {
                            "id": step_id,
                            "kind": "wait_for_date",
                            "attribute": "renewal_on",
                            "days": days,
                        },
                        st.integers(-120, 120),
                    ),
                    st.builds(
                        lambda days, otherwise, step_id=step_id: {
                            "id": step_id,
                            "kind": "wait_until",
                            "condition": CONDITION,
                            "days": days,
                            "otherwise": otherwise,
                        },
                        st.integers(1, 40),
                        st.sampled_from(["recovered", "exited", "finished", *later]),
                    ),
                    st.builds(
                        lambda ways, step_id=step_id: {
                            "id": step_id,
                            "kind": "branch",
                            "ways": [{"when": CONDITION, "to": to} for to in ways],
                        },
                        st.lists(st.sampled_from(["recovered", "exited", "finished", *later]), min_size=1, max_size=3),
                    ),
                )
            )
        )
    quiet = draw(
        st.none()
        | st.fixed_dictionaries({"from": st.integers(0, 11), "to": st.integers(12, 23), "weekends": st.booleans()})
    )
    return {"entry": {"kind": "manual"}, "goal": CONDITION, "exit": CONDITION, "quiet_hours": quiet, "steps": steps}


def seen(*, holds: bool, found: Any = None) -> dict[str, Any]:
    return {"at": "2026-03-16T12:00:00+00:00", "holds": holds, "findings": [{"found": found}]}


@given(raw=definitions(), start=INSTANTS, late=st.integers(0, 10**6), zone=st.sampled_from(ZONES), data=st.data())
def test_run_ends_never_early_and_twice_the_same_way(
    raw: dict[str, Any], start: datetime, late: int, zone: str, data: st.DataObject
) -> None:
    definition, calendar = load(raw), Calendar(ZoneInfo(zone), "BG")
    position = Position(definition.first, start)
    renewal = data.draw(st.none() | st.dates(date(2024, 1, 1), date(2028, 12, 31)))
    for _ in range(4 * len(definition.steps) + 1):
        found = Found(
            goal=seen(holds=data.draw(st.integers(0, 19)) == 0),
            exit=seen(holds=data.draw(st.integers(0, 9)) == 0),
            looks={
                name: seen(holds=data.draw(st.booleans()), found=renewal and renewal.isoformat())
                for name in definition.looks_ahead(position.step)
            },
            zones=dict.fromkeys((step.id for step in definition.steps), ZoneInfo(data.draw(st.sampled_from(ZONES)))),
        )
        now = position.due_at + timedelta(seconds=late)
        decision = decide(definition, position, found, now, calendar)

        assert decision == decide(definition, position, found, now, calendar)
        early = decide(definition, position, found, position.due_at - timedelta(microseconds=1), calendar)
        assert (early.taken, early.act, early.position) == ((), None, position)
        assert decision.taken
        assert decision.position.due_at >= position.due_at
        if decision.state != Run.State.WAITING:
            return
        position = decision.position
    pytest.fail("the run does not end")


def test_turn_stops_at_a_check_that_was_not_looked_at() -> None:
    definition = load({"entry": {"kind": "manual"}, "steps": [{"id": "c", "kind": "check", "condition": CONDITION}]})
    start = datetime(2026, 3, 16, tzinfo=UTC)

    decision = decide(definition, Position("c", start), Found(), start, Calendar(ZoneInfo("UTC")))

    assert (decision.state, decision.position, decision.taken) == (Run.State.WAITING, Position("c", start), ())


def test_run_that_waits_as_its_last_step_is_finished_only_after_the_wait() -> None:
    definition = load({"entry": {"kind": "manual"}, "steps": [{"id": "w", "kind": "wait", "hours": 5}]})
    start, calendar = datetime(2026, 3, 16, tzinfo=UTC), Calendar(ZoneInfo("UTC"))

    first = decide(definition, Position("w", start), Found(), start, calendar)
    assert (first.state, first.position) == (Run.State.WAITING, Position(END, start + timedelta(hours=5)))
    assert decide(definition, first.position, Found(), first.position.due_at, calendar).state == Run.State.FINISHED


@pytest.mark.parametrize(
    ("zone", "start", "days", "end"),
    [
        # Clocks go forward on 29 March 2026 in Sofia: the local week has 167 hours.
        ("Europe/Sofia", "2026-03-25T07:00:00+00:00", 7, "2026-04-01T06:00:00+00:00"),
        # They go back on 25 October 2026: 169 hours.
        ("Europe/Sofia", "2026-10-22T06:00:00+00:00", 7, "2026-10-29T07:00:00+00:00"),
        # 02:30 does not exist on 8 March 2026 in New York: it is read with the offset before the change.
        ("America/New_York", "2026-03-07T07:30:00+00:00", 1, "2026-03-08T07:30:00+00:00"),
        # Lord Howe Island changes by half an hour.
        ("Australia/Lord_Howe", "2026-04-01T00:00:00+00:00", 7, "2026-04-08T00:30:00+00:00"),
    ],
)
def test_days_keep_the_wall_clock_time_when_clocks_change(zone: str, start: str, days: int, end: str) -> None:
    calendar = Calendar(ZoneInfo(zone))

    assert calendar.add(datetime.fromisoformat(start), days=days) == datetime.fromisoformat(end)


def test_hours_pass_as_hours_when_clocks_change() -> None:
    start = datetime(2026, 3, 28, 12, tzinfo=UTC)

    assert Calendar(ZoneInfo("Europe/Sofia")).add(start, hours=24) == start + timedelta(hours=24)


@pytest.mark.parametrize(
    ("country", "days", "end"),
    [("", 3, "2026-03-05"), ("BG", 1, "2026-03-04"), ("BG", 4, "2026-03-09"), ("XX", 1, "2026-03-03")],
)
def test_business_days_leave_out_weekends_and_holidays(country: str, days: int, end: str) -> None:
    monday = datetime(2026, 3, 2, 9, tzinfo=UTC)  # Tuesday, 3 March is Bulgaria's national day

    assert Calendar(ZoneInfo("UTC"), country).add(monday, business_days=days).date().isoformat() == end
