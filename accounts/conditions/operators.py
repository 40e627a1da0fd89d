"""The operators of conditions: for which types they are, what value they take, and their SQL."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, TypeAlias

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from accounts.attributes.registry import Attribute, Context, Type, choices_of
from common.sql import SQL, value
from common.text import storable

NUMERIC = frozenset({Type.NUMBER, Type.MONEY, Type.PERCENT, Type.DAYS})
WORDS = frozenset({Type.TEXT, Type.CHOICE})
MOMENTS = frozenset({Type.DATE, Type.DATETIME})
LIMIT = 10**15
MOST_VALUES = 500


class BadValue(Exception):
    """The value of a leaf cannot be used with its operator; the message says what can."""


def _number(given: Any, attribute: Attribute) -> Any:
    if isinstance(given, bool) or not isinstance(given, int | float):
        raise BadValue(_("Give a number."))
    if not abs(given) <= LIMIT:  # also refuses NaN
        raise BadValue(_("Give a number between −10¹⁵ and 10¹⁵."))
    return given


def _numbers(given: Any, attribute: Attribute) -> Any:
    if not isinstance(given, list) or len(given) != 2:
        raise BadValue(_("Give a list of two numbers, the lower one first."))
    low, high = _number(given[0], attribute), _number(given[1], attribute)
    if low > high:
        raise BadValue(_("Give the lower number first."))
    return [low, high]


def _days(given: Any, attribute: Attribute) -> Any:
    if isinstance(given, bool) or not isinstance(given, int) or not 0 <= given <= 36_500:
        raise BadValue(_("Give a whole number of days from 0 to 36500."))
    return given


def _text(given: Any, attribute: Attribute) -> Any:
    return _known_texts([given], attribute)[0]


def _known_texts(texts: list[Any], attribute: Attribute) -> list[str]:
    """The texts, once each was seen to be one of the attribute's values, which are asked for only once."""
    known = choices_of(attribute) if attribute.choices is not None else None
    for given in texts:
        if not isinstance(given, str) or not storable(given) or len(given) > 500:
            raise BadValue(_("Give a text of at most 500 characters."))
        if known is not None and given not in known:
            raise BadValue(
                _("“%(given)s” is not one of its values; use one of: %(known)s.")
                % {"given": given[:60], "known": ", ".join(list(known)[:20])}
            )
    return texts


def _texts(given: Any, attribute: Attribute) -> Any:
    if not isinstance(given, list) or not 1 <= len(given) <= MOST_VALUES:
        raise BadValue(_("Give a list of 1 to %(most)s texts.") % {"most": MOST_VALUES})
    return _known_texts(given, attribute)


def _part(given: Any, attribute: Attribute) -> Any:
    if not isinstance(given, str) or not given or not storable(given) or len(given) > 500:
        raise BadValue(_("Give a text of 1 to 500 characters."))
    return given


def _truth(given: Any, attribute: Attribute) -> Any:
    if not isinstance(given, bool):
        raise BadValue(_("Give true or false."))
    return given


def _date(given: Any, attribute: Attribute) -> Any:
    try:
        return date.fromisoformat(given)
    except (TypeError, ValueError):
        raise BadValue(_("Give a date as YYYY-MM-DD.")) from None


def _nothing(given: Any, attribute: Attribute) -> Any:
    if given is not None:
        raise BadValue(_("This operator takes no value."))
    return None


BuildSQL: TypeAlias = Callable[[SQL, Any, Context], SQL]


def _infix(operator: str) -> BuildSQL:
    return lambda found, given, context: SQL(f"{{}} {operator} {{}}").format(found, value(given))


def _any_of(found: SQL, given: Any, context: Context) -> SQL:
    return SQL("{} = ANY({})").format(found, value(given))


def _none_of(found: SQL, given: Any, context: Context) -> SQL:
    return SQL("{} <> ALL({})").format(found, value(given))


def _between(found: SQL, given: Any, context: Context) -> SQL:
    return SQL("{} BETWEEN {} AND {}").format(found, value(given[0]), value(given[1]))


def _holding(before: str, after: str) -> BuildSQL:
    def build(found: SQL, given: Any, context: Context) -> SQL:
        escaped = given.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
        return SQL("{} ILIKE {}").format(found, value(f"{before}{escaped}{after}"))

    return build


def _within(first: int, last: int) -> BuildSQL:
    def build(found: SQL, given: Any, context: Context) -> SQL:
        start, end = (context.today + timedelta(days=edge * given) for edge in (first, last))
        return SQL("{} BETWEEN {} AND {}").format(found, value(start), value(end))

    return build


def _before_days_ago(found: SQL, given: Any, context: Context) -> SQL:
    return SQL("{} < {}").format(found, value(context.today - timedelta(days=given)))


def _tags(operator: str) -> BuildSQL:
    return lambda found, given, context: SQL(f"{{}} {operator} {{}}::varchar[]").format(found, value(given))


def _no_tags(found: SQL, given: Any, context: Context) -> SQL:
    return SQL("NOT ({} && {}::varchar[])").format(found, value(given))


@dataclass(frozen=True, slots=True)
class Operator:
    """One operator: its key in the JSON, its words, the types it is for, the check of its value, and its SQL."""

    key: str
    label: str | Promise
    types: frozenset[Type]
    check: Callable[[Any, Attribute], Any]
    sql: BuildSQL


ALL_TYPES = frozenset(Type)
VALUED = ALL_TYPES - {Type.SEGMENT}

_OPERATORS = (
    Operator("eq", _("is"), NUMERIC, _number, _infix("=")),
    Operator("ne", _("is not"), NUMERIC, _number, _infix("<>")),
    Operator("lt", _("is less than"), NUMERIC, _number, _infix("<")),
    Operator("lte", _("is at most"), NUMERIC, _number, _infix("<=")),
    Operator("gt", _("is more than"), NUMERIC, _number, _infix(">")),
    Operator("gte", _("is at least"), NUMERIC, _number, _infix(">=")),
    Operator("between", _("is between"), NUMERIC, _numbers, _between),
    Operator("is", _("is"), WORDS, _text, _infix("=")),
    Operator("is_not", _("is not"), WORDS, _text, _infix("<>")),
    Operator("in", _("is one of"), WORDS | {Type.SEGMENT}, _texts, _any_of),
    Operator("not_in", _("is none of"), WORDS | {Type.SEGMENT}, _texts, _none_of),
    Operator("contains", _("contains"), frozenset({Type.TEXT}), _part, _holding("%", "%")),
    Operator("starts_with", _("starts with"), frozenset({Type.TEXT}), _part, _holding("", "%")),
    Operator("is", _("is"), frozenset({Type.BOOLEAN}), _truth, _infix("=")),
    Operator("on", _("is on"), MOMENTS, _date, _infix("=")),
    Operator("before", _("is before"), MOMENTS, _date, _infix("<")),
    Operator("after", _("is after"), MOMENTS, _date, _infix(">")),
    Operator("in_next_days", _("is within the next days"), MOMENTS, _days, _within(0, 1)),
    Operator("in_last_days", _("is within the last days"), MOMENTS, _days, _within(-1, 0)),
    Operator("over_days_ago", _("is more days ago than"), MOMENTS, _days, _before_days_ago),
    Operator("has_any", _("has any of"), frozenset({Type.TAGS}), _texts, _tags("&&")),
    Operator("has_all", _("has all of"), frozenset({Type.TAGS}), _texts, _tags("@>")),
    Operator("has_none", _("has none of"), frozenset({Type.TAGS}), _texts, _no_tags),
    Operator(
        "is_known",
        _("is known"),
        VALUED,
        _nothing,
        lambda found, given, context: SQL("{} IS NOT NULL").format(found),
    ),
    Operator(
        "is_missing",
        _("is missing"),
        VALUED,
        _nothing,
        lambda found, given, context: SQL("{} IS NULL").format(found),
    ),
)


def operators_for(type_: Type) -> dict[str, Operator]:
    """The operators that a condition may use on attributes of this type, by key, in the order to offer them."""
    return {operator.key: operator for operator in _OPERATORS if type_ in operator.types}
