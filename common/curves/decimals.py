"""Numbers as people type them, with the comma or the point of their language."""

from __future__ import annotations

import re
from decimal import Decimal

from django.utils import formats

PLAIN = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)", re.ASCII)
BLANKS = re.compile(r"[\s\u00a0\u2009\u202f]")
PLACES = 9


def separators() -> tuple[str, str]:
    """The sign before decimals and the sign between groups of three digits, in the language that is on."""
    return str(formats.get_format("DECIMAL_SEPARATOR")), str(formats.get_format("THOUSAND_SEPARATOR"))


def read_decimal(text: str) -> float | None:
    """The number that ``text`` says, or None when it says none.

    A comma or a point is what the reader's language makes of it: ``1,250`` has a group of three digits in English and
    three decimals in Bulgarian; ``1,5`` is one and a half in both.
    """
    _decimal, group = separators()
    bare = BLANKS.sub("", text).replace("−", "-")
    last = max(bare.rfind(","), bare.rfind("."))
    if last >= 0:
        sign = bare[last]
        grouped = re.fullmatch(rf"[+-]?\d{{1,3}}({re.escape(sign)}\d{{3}})+", bare, re.ASCII) is not None
        if grouped and (sign == group or bare.count(sign) > 1):
            bare = bare.replace(sign, "")
        else:
            other = "." if sign == "," else ","
            bare = bare[:last].replace(other, "") + "." + bare[last + 1 :]
    return float(bare) if PLAIN.fullmatch(bare) else None


def write_decimal(number: float) -> str:
    """``number`` as it is typed: the decimal sign of the language, no groups, no more decimals than it has."""
    decimal, _group = separators()
    whole, _point, fraction = f"{Decimal(str(round(number, PLACES))):f}".partition(".")
    fraction = fraction.rstrip("0")
    return f"{whole}{decimal}{fraction}" if fraction else whole
