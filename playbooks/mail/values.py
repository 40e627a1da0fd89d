"""Merge values: every attribute of the account, and a few words about who writes to whom."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from django.utils import formats, timezone
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.attributes import Attribute, Catalogue, Context, Type, read_facts
from accounts.attributes.registry import choices_of
from accounts.models import Account, Contact, Workspace
from common.templatetags.amounts import money
from playbooks.mail.liquid import Value, written

WORDS: dict[str, str | Promise] = {
    "account.name": gettext_lazy("Account"),
    "contact.name": gettext_lazy("Reader's name"),
    "contact.title": gettext_lazy("Reader's title"),
    "contact.email": gettext_lazy("Reader's address"),
    "owner.name": gettext_lazy("CSM's name"),
    "owner.email": gettext_lazy("CSM's address"),
    "sender.name": gettext_lazy("Sender's name"),
    "company": gettext_lazy("Our company"),
}
PEOPLE = gettext_lazy("Who writes to whom")


@dataclass(frozen=True, slots=True)
class About:
    """Whom a mail is for: the account, who reads it, and whose name stands under it."""

    account: Account
    contact: Contact
    sender: str


@dataclass(frozen=True, slots=True)
class Offered:
    """One merge value that templates may use, with what it says of an account, if that is known."""

    name: str
    label: str
    group: str
    sample: str = ""


def is_known(name: str, catalogue: Catalogue) -> bool:
    """Whether a template may use the name."""
    return name in WORDS or (name in catalogue and catalogue[name].type != Type.SEGMENT)


def unknown_in(names: Iterable[str], catalogue: Catalogue) -> list[str]:
    """The names that are no merge values."""
    return [name for name in names if not is_known(name, catalogue)]


def values_for(
    names: Iterable[str], about: About, catalogue: Catalogue, now: datetime
) -> tuple[dict[str, Value], list[str]]:
    """The values as a template takes them, in the language at hand, and the list in which it notes what was missing.

    One query, and one for each choice among them. Names that are not known are left out.
    """
    wanted = list(dict.fromkeys(names))
    missing: list[str] = []
    said = _said_words(about)
    attributes = [catalogue[name] for name in wanted if name not in WORDS and is_known(name, catalogue)]
    context = Context.at(now)
    facts = read_facts(attributes, [about.account.pk], context=context)[about.account.pk] if attributes else {}
    by_key = {attribute.key: attribute for attribute in attributes}
    writer = Writer(_zone(about, context.zone))
    tree: dict[str, Value] = {}
    for name in wanted:
        if name in WORDS:
            value = Value(str(WORDS[name]), said[name] or None, said[name], missing)
        elif name in facts:
            raw = None if facts[name].value == "" else facts[name].value
            value = Value(str(by_key[name].label), raw, writer.value(by_key[name], raw), missing)
        else:
            continue
        _put(tree, name, value, missing)
    return tree, missing


def _put(tree: dict[str, Value], name: str, value: Value, missing: list[str]) -> None:
    """Put a value where its dotted name leads; one name may begin others, as ``stage`` does ``stage.days``."""
    *way, last = name.split(".")
    parts = tree
    for place, step in enumerate(way, 1):
        parts = parts.setdefault(step, Value(".".join(way[:place]), None, "", missing)).parts
    if last in parts:
        value.parts = parts[last].parts
    parts[last] = value


def _said_words(about: About) -> dict[str, str]:
    owner = about.account.owner if about.account.owner and about.account.owner.is_active else None
    return {
        "account.name": about.account.name,
        "contact.name": about.contact.name,
        "contact.title": about.contact.title,
        "contact.email": about.contact.email,
        "owner.name": owner.name if owner else "",
        "owner.email": owner.email if owner else "",
        "sender.name": about.sender,
        "company": Workspace.current().name,
    }


def _zone(about: About, workspace: ZoneInfo) -> ZoneInfo:
    named = about.contact.time_zone or about.account.time_zone
    return ZoneInfo(named) if named else workspace


class Writer:
    """Writes values of attributes in the language at hand, with times of ``zone``."""

    def __init__(self, zone: ZoneInfo) -> None:
        self.zone = zone
        self.currency = Workspace.current().currency

    def value(self, attribute: Attribute, value: Any) -> str:
        """The value as people read it; empty for none."""
        if isinstance(value, datetime):
            value = timezone.localtime(value, self.zone).date()
        if isinstance(value, date):
            return formats.date_format(value, "DATE_FORMAT")
        if attribute.type == Type.TAGS and value:
            return ", ".join(value)
        if attribute.type == Type.CHOICE and value is not None:
            return str(choices_of(attribute).get(value, value))
        if attribute.type == Type.MONEY and value is not None:
            return money(value, self.currency)
        words = written(value)
        return _("%(share)s %%") % {"share": words} if words and attribute.type == Type.PERCENT else words


def offered_values(about: About | None, catalogue: Catalogue, now: datetime) -> Iterator[Offered]:
    """Every merge value in order, with what it says of the account in the language at hand; one query for all."""
    names = [*WORDS, *(key for key in catalogue if is_known(key, catalogue))]
    values = values_for(names, about, catalogue, now)[0] if about is not None else {}
    for name in names:
        label, group = (WORDS[name], PEOPLE) if name in WORDS else (catalogue[name].label, catalogue[name].group)
        yield Offered(name, str(label), str(group), _at(values, name))


def _at(values: Mapping[str, Value], name: str) -> str:
    first, *rest = name.split(".")
    value = values.get(first)
    for step in rest:
        value = value.parts.get(step) if value else None
    return value.text if value else ""
