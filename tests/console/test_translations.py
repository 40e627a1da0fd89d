"""One English word that stands for several things is not one word elsewhere."""

import pytest
from django.utils import translation

from console.actions import ACTIONS
from console.queries.accounts import STATES
from playbooks.models import Task


@pytest.mark.parametrize(
    ("language", "command", "state"),
    [
        ("en", "Open", "Open"),
        ("ru", "Открыть", "Открыта"),
        ("bg", "Отваряне", "Отворена"),
        ("zh-hans", "打开", "待处理"),
        ("zh-hant", "開啟", "待處理"),
    ],
)
def test_open_is_a_command_for_rows_and_a_state_of_tasks(language: str, command: str, state: str) -> None:
    [action] = [action for action in ACTIONS if action.key == "list.open"]

    with translation.override(language):
        assert (str(action.label), str(Task.Status.OPEN.label)) == (command, state)


def test_ended_accounts_are_told_as_people_in_the_filter() -> None:
    with translation.override("ru"):
        assert str(STATES["ended"][0]) == "Ушедшие"
