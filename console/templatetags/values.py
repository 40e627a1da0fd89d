"""Values of attributes as people read them."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

from django import template
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from accounts.attributes import Attribute, Type
from common.numerals import in_days
from common.templatetags.amounts import NO_BREAK, NOTHING, money, number
from common.templatetags.ui import ago
from playbooks.queries.queue import MOST_COUNTED

register = template.Library()


@register.filter
def with_unit(value: Any, unit: object = "") -> str:
    """A value with its unit: a number to one decimal where it has any, yes or no, words as they are."""
    if value is None or value == "":
        return NOTHING
    if isinstance(value, bool):
        return _("Yes") if value else _("No")
    if isinstance(value, int | float | Decimal):
        shown = number(value, 0 if value == int(value) else 1)
        return f"{shown}{NO_BREAK}{unit}" if unit else shown
    if isinstance(value, list | tuple):
        return ", ".join(map(str, value)) or NOTHING
    return str(value)


@register.filter
def counted(count: int) -> str:
    """A count of the queue, with a plus where there may be more."""
    return f"{number(count)}{'+' if count >= MOST_COUNTED else ''}"


def shown_value(value: Any, attribute: Attribute, *, currency: str, names: dict[str, Any]) -> str | SafeString:
    """An attribute's value for a list; ``names`` are the labels of its choices."""
    if isinstance(value, date):
        return ago(value)
    if attribute.type == Type.MONEY:
        return money(value, currency)
    if isinstance(value, str):
        return str(names.get(value, value))
    if attribute.type == Type.DAYS and isinstance(value, int):
        return in_days(value, number(value))
    return with_unit(value, attribute.unit)
