"""What the text in a cell of a file means: one reader a type, each refusing with a sentence what it cannot read."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo, available_timezones

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.utils.translation import gettext as _

from common.text import normal_email, one_line, storable

NUMBER = re.compile(r"[+-]?[0-9]{1,30}(\.[0-9]{1,30})?")
DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
EARLIEST, LATEST = 1900, 2200
YES = frozenset({"true", "t", "yes", "y", "1"})
NO = frozenset({"false", "f", "no", "n", "0"})
SHOWN = 60


class Refusal(Exception):
    """A cell or a row that cannot be taken: a stable code and a sentence that says what to do.

    ``field`` names the importer's field, where one is to blame.
    """

    def __init__(self, code: str, message: str, *, field: str = "") -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.field = field


@dataclass(frozen=True, slots=True)
class Reading:
    """How the mapping says that cells are written: the zone of naive times, and formats of dates."""

    zone: ZoneInfo
    formats: tuple[str, ...] = ()


def shown(text: str) -> str:
    """A cell as a sentence quotes it: one line, and not too long."""
    line = one_line(text)
    return f"“{line if len(line) <= SHOWN else line[: SHOWN - 1] + '…'}”"


class Cell:
    """A type of cell. ``empty`` is what a cell without text stands for."""

    empty: Any = None

    def read(self, text: str, reading: Reading) -> Any:
        """The value of ``text``, which is trimmed and not empty; raises Refusal."""
        raise NotImplementedError


@dataclass(frozen=True, slots=True)
class Text(Cell):
    """Text on one line, or on many; kept as it is, also where a spreadsheet would take it for a formula."""

    longest: int
    lines: bool = False
    empty: str | None = ""

    def read(self, text: str, reading: Reading) -> str:
        if not storable(text):
            raise Refusal("unstorable", _("A NUL or half a character is in the text; remove it."))
        text = text if self.lines else one_line(text)
        if len(text) > self.longest:
            raise Refusal(
                "too_long",
                _("%(cell)s has %(length)d characters; at most %(longest)d are kept, shorten it.")
                % {"cell": shown(text), "length": len(text), "longest": self.longest},
            )
        return text


@dataclass(frozen=True, slots=True)
class Email(Cell):
    """One address, compared without regard to case."""

    empty: str = ""

    def read(self, text: str, reading: Reading) -> str:
        address = normal_email(text)
        try:
            validate_email(address)
        except ValidationError as error:
            raise Refusal("not_an_address", _("%s is not an e-mail address.") % shown(text)) from error
        return address


@dataclass(frozen=True, slots=True)
class Texts(Cell):
    """Several short texts in one cell, separated by commas or semicolons."""

    longest: int
    empty: list[str] = field(default_factory=list)

    def read(self, text: str, reading: Reading) -> list[str]:
        one = Text(self.longest)
        parts = (part.strip() for part in re.split("[,;]", text))
        return list(dict.fromkeys(one.read(part, reading) for part in parts if part))


@dataclass(frozen=True, slots=True)
class Number(Cell):
    """A number with a decimal point, kept to ``places`` digits after it; without places a whole one."""

    least: int
    most: int
    places: int = 0
    empty: int | None = None

    def read(self, text: str, reading: Reading) -> Any:
        if NUMBER.fullmatch(text) is None:
            raise Refusal(
                "not_a_number",
                _("%s is not a number; write digits with a point before the fraction, such as 1234.5.") % shown(text),
            )
        number = Decimal(text)
        if not self.least <= number <= self.most:
            raise Refusal(
                "out_of_range",
                _("%(cell)s is not between %(least)s and %(most)s.")
                % {"cell": shown(text), "least": self.least, "most": self.most},
            )
        if self.places:
            return round(number, self.places)
        if number != number.to_integral_value():
            raise Refusal("not_whole", _("%s is not a whole number.") % shown(text))
        return int(number)


@dataclass(frozen=True, slots=True)
class Flag(Cell):
    """Yes or no."""

    empty: bool | None = None

    def read(self, text: str, reading: Reading) -> bool:
        word = text.casefold()
        if word in YES or word in NO:
            return word in YES
        raise Refusal("not_yes_or_no", _("%s is neither true nor false; translate it in the mapping.") % shown(text))


@dataclass(frozen=True, slots=True)
class Choice(Cell):
    """One of a few known words."""

    choices: Sequence[str]
    empty: str = ""

    def read(self, text: str, reading: Reading) -> str:
        if text in self.choices:
            return text
        raise Refusal(
            "not_a_choice",
            _("%(cell)s is none of %(choices)s; translate it in the mapping.")
            % {"cell": shown(text), "choices": ", ".join(self.choices)},
        )


@dataclass(frozen=True, slots=True)
class TimeZone(Cell):
    """The name of a time zone."""

    empty: str = ""

    def read(self, text: str, reading: Reading) -> str:
        if text in available_timezones():
            return text
        raise Refusal("not_a_time_zone", _("%s is not a time zone; use a name such as Europe/Sofia.") % shown(text))


@dataclass(frozen=True, slots=True)
class Day(Cell):
    """A date: 2026-03-16, or written as the mapping's formats say."""

    def read(self, text: str, reading: Reading) -> date:
        return _plausible(text, _moment(text, reading)).date()


@dataclass(frozen=True, slots=True)
class Instant(Cell):
    """A date with a time: ISO 8601, or written as the mapping's formats say.

    Without an offset it is the workspace's time; a date alone is the start of that day.
    """

    def read(self, text: str, reading: Reading) -> datetime:
        moment = _plausible(text, _moment(text, reading))
        return (moment if moment.tzinfo else moment.replace(tzinfo=reading.zone)).astimezone(UTC)


def _moment(text: str, reading: Reading) -> datetime:
    if not reading.formats:
        try:
            if DAY.fullmatch(text):
                return datetime.combine(date.fromisoformat(text), time.min)
            return datetime.fromisoformat(text)
        except ValueError:
            pass
    for pattern in reading.formats:
        try:
            return datetime.strptime(text, pattern)  # noqa: DTZ007  # the caller gives it the workspace's zone
        except ValueError:
            continue
    raise Refusal(
        "not_a_date",
        _("%(cell)s is not a date written as %(formats)s; correct it, or name its format in the mapping.")
        % {"cell": shown(text), "formats": _(" or ").join(reading.formats) or "2026-03-16"},
    )


def _plausible(text: str, moment: datetime) -> datetime:
    if EARLIEST <= moment.year < LATEST:
        return moment
    raise Refusal(
        "out_of_range",
        _("%(cell)s is not between the years %(first)d and %(last)d.")
        % {"cell": shown(text), "first": EARLIEST, "last": LATEST},
    )
