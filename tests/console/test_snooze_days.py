"""The days that the dialog for snoozing offers."""

from datetime import UTC, datetime

import pytest
import time_machine

from accounts.models import Workspace
from console.forms.work import SnoozeForm

pytestmark = pytest.mark.django_db


def offered(day: int, month: int = 6) -> list[tuple[str, str]]:
    with time_machine.travel(datetime(2026, month, day, 12, tzinfo=UTC), tick=False):
        return [(str(words), f"{on:%a %d %b}") for words, on in SnoozeForm.suggestions()]


def test_every_choice_is_offered_when_all_are_working_days() -> None:
    assert offered(2) == [
        ("Tomorrow", "Wed 03 Jun"),
        ("In three days", "Fri 05 Jun"),
        ("Next Monday", "Mon 08 Jun"),
        ("In a month", "Thu 02 Jul"),
    ]


def test_a_day_is_offered_once_when_two_choices_mean_it() -> None:
    assert offered(5) == [("Next Monday", "Mon 08 Jun"), ("In a month", "Mon 06 Jul")]
    assert offered(7) == [("Tomorrow", "Mon 08 Jun"), ("In three days", "Wed 10 Jun"), ("In a month", "Tue 07 Jul")]


def test_choices_pass_over_the_holidays_of_the_workspace() -> None:
    Workspace.current()
    Workspace.objects.update(holiday_country="DE")

    assert offered(24, month=12) == [("Next Monday", "Mon 28 Dec"), ("In a month", "Mon 25 Jan")]
    assert offered(2, month=4) == [
        ("Tuesday", "Tue 07 Apr"),
        ("In a month", "Mon 04 May"),
    ]
