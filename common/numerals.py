"""Numbers as a language writes them; lists write hundreds, so what a language needs is looked up once."""

from __future__ import annotations

from decimal import Decimal
from functools import lru_cache
from math import ceil

from django.utils import formats
from django.utils.translation import get_language, ngettext

THOUSANDS = 3


def written(value: Decimal | float, places: int | None = None) -> str:
    """``value`` in the active language, digits grouped, to ``places`` decimals or to as many as it has.

    The same as Django's ``number_format`` with grouping, in a tenth of its time; languages that do not group by
    thousands are left to that.
    """
    decimal_point, between, is_plain = _signs(get_language())
    text = f"{value:,}" if places is None else f"{value:,.{places}f}"
    if not is_plain or "e" in text.lower():
        return formats.number_format(value, places, use_l10n=True, force_grouping=True)
    if (decimal_point, between) == (".", ","):
        return text
    return text.replace(",", "\0").replace(".", decimal_point).replace("\0", between)


def in_days(count: float, shown: str) -> str:
    """So many days in words, the number being written as ``shown``; a part of a day counts as one more."""
    return ngettext("%(n)s day", "%(n)s days", ceil(abs(count))) % {"n": shown}


@lru_cache(maxsize=64)
def _signs(language: str | None) -> tuple[str, str, bool]:
    """The decimal point, what stands between thousands, and whether the language groups by thousands or not at all."""
    grouping = formats.get_format("NUMBER_GROUPING", language)
    between = str(formats.get_format("THOUSAND_SEPARATOR", language)) if grouping else ""
    return str(formats.get_format("DECIMAL_SEPARATOR", language)), between, not between or grouping == THOUSANDS
