"""The words that scores are told in: points, values with their units, days, and how old the inputs are."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from math import floor, isclose

from django.utils import formats
from django.utils.text import get_text_list
from django.utils.translation import gettext as _
from django.utils.translation import ngettext, pgettext

from accounts.attributes import Attribute, Type
from accounts.attributes.registry import choices_of
from common.numerals import in_days
from common.templatetags.amounts import NO_BREAK, money, number
from health.queries.attribution import Fact

SHOWN = 0.05
"""What is less rounds to nothing."""
MOST_PLACES = 9


def points_words(amount: float) -> str:
    """How many points, without a sign: ``12 points``, ``0.4 points``."""
    shown = round(abs(amount), 1)
    if shown == int(shown):
        return ngettext("%(n)s point", "%(n)s points", int(shown)) % {"n": number(shown)}
    return pgettext("a number with a fraction", "%(n)s points") % {"n": number(shown, 1)}


def score_words(score: float) -> str:
    """A score to one decimal where it has any; it never rounds up to a whole number that was missed."""
    shown = round(score, 1)
    if shown > score and shown == int(shown) and not isclose(shown, score, abs_tol=1e-9):
        shown = floor(score * 10) / 10
    return number(shown, 0 if shown == int(shown) else 1)


def day_words(day: date) -> str:
    """A day as the reader writes it, with its year."""
    return formats.date_format(day, "DATE_FORMAT")


def listed(words: Iterable[str]) -> str:
    """Several words or phrases: ``a, b and c``."""
    return str(get_text_list(list(words), pgettext("between nouns", "and")))


def fact_words(fact: Fact, source: Attribute | None, currency: str) -> str:
    """What was found, with its unit; a choice by its label."""
    return value_words(fact.value if fact.value is not None else "", source, currency)


def value_words(value: float | str | bool, source: Attribute | None, currency: str) -> str:
    """One value of an attribute with its unit; a choice by its label."""
    if isinstance(value, bool):
        value = str(value).lower()
    if isinstance(value, str):
        return _choice(value, source)
    return _with_unit(value, source, currency, _places(value))


def pair_words(before: float, after: float, source: Attribute | None, currency: str) -> tuple[str, str]:
    """Two values, as exact as it takes to tell them apart, the unit with the second one where it follows a number."""
    places = max(_places(before), _places(after))
    while places < MOST_PLACES and round(before, places) == round(after, places):
        places += 1
    second = _with_unit(after, source, currency, places if round(after, places) % 1 else 0)
    if source is not None and source.type == Type.MONEY:
        return _with_unit(before, source, currency, places), second
    return number(before, places if round(before, places) % 1 else 0), second


def _choice(value: str, source: Attribute | None) -> str:
    if source is not None and source.type == Type.BOOLEAN:
        return {"true": _("yes"), "false": _("no")}.get(value, value)
    return _("“%(choice)s”") % {"choice": choices_of(source).get(value, value) if source else value}


def _places(value: float) -> int:
    return next((places for places in range(3) if isclose(round(value, places), value, abs_tol=1e-9)), 1)


def _with_unit(value: float, source: Attribute | None, currency: str, places: int) -> str:
    shown = number(value, places)
    if source is None:
        return shown
    if source.type == Type.MONEY:
        return money(round(value, places), currency)
    if source.type == Type.DAYS:
        return in_days(value, shown)
    return f"{shown}{NO_BREAK}{source.unit}" if source.unit else shown
