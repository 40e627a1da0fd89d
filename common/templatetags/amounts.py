"""Numbers, shares and money in the reader's locale."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from functools import lru_cache
from typing import Any

from django import template
from django.utils.translation import get_language

from common.numerals import written

register = template.Library()

NOTHING = "–"
NO_BREAK = "\u00a0"
SYMBOLS = {
    "USD": "$",
    "EUR": "€",
    "GBP": "£",
    "JPY": "¥",
    "CNY": "CN¥",
    "TWD": "NT$",
    "HKD": "HK$",
    "RUB": "₽",
    "BGN": "лв.",
    "INR": "₹",
    "CHF": "CHF",
}
SYMBOL_AFTER = ("bg", "ru")
THOUSAND = 1000


def _decimal(value: Any) -> Decimal | None:
    if value is None or value == "":
        return None
    try:
        return Decimal(str(value))
    except InvalidOperation:
        return None


def _grouped(amount: Decimal, places: int) -> str:
    return _written(amount, places, get_language())


@lru_cache(maxsize=8192)
def _written(amount: Decimal, places: int, language: str | None) -> str:
    """An amount in the active language; lists write the same ones again and again."""
    rounded = abs(amount).quantize(Decimal(1).scaleb(-places), rounding=ROUND_HALF_UP)
    sign = "−" if amount < 0 and rounded else ""
    return sign + written(rounded, places)


def _with_symbol(digits: str, currency: str) -> str:
    symbol = SYMBOLS.get(currency, currency)
    if (get_language() or "").split("-")[0] in SYMBOL_AFTER:
        return f"{digits}{NO_BREAK}{symbol}"
    sign, bare = ("−", digits[1:]) if digits.startswith("−") else ("", digits)
    gap = NO_BREAK if symbol[-1:].isalpha() else ""
    return f"{sign}{symbol}{gap}{bare}"


@register.filter
def number(value: Any, places: int = 0) -> str:
    """Return a number with digits grouped, to `places` decimals; a dash for nothing."""
    amount = _decimal(value)
    return NOTHING if amount is None else _grouped(amount, places)


@register.filter
def money(value: Any, currency: str = "USD") -> str:
    """Return an amount of money; cents show only where there are some."""
    amount = _decimal(value)
    if amount is None:
        return NOTHING
    return _with_symbol(_grouped(amount, 0 if amount == amount.to_integral() else 2), currency)


@register.filter
def money_short(value: Any, currency: str = "USD") -> str:
    """Return an amount of money in at most three digits: $840, $12.5k, $1.2M."""
    amount = _decimal(value)
    if amount is None:
        return NOTHING
    for size, suffix in ((THOUSAND**3, "B"), (THOUSAND**2, "M"), (THOUSAND, "k")):
        if abs(amount) >= size:
            scaled = amount / size
            return _with_symbol(f"{_grouped(scaled, 0 if abs(scaled) >= 100 else 1)}{suffix}", currency)
    return _with_symbol(_grouped(amount, 0), currency)


@register.filter
def share(value: Any, places: int = 0) -> str:
    """Return a share between 0 and 1 as a percentage."""
    amount = _decimal(value)
    return NOTHING if amount is None else f"{_grouped(amount * 100, places)}{NO_BREAK}%"
