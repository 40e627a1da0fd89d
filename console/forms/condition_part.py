"""A condition among declared fields."""

from __future__ import annotations

from typing import Any

from django.http import QueryDict
from django.utils.translation import gettext as _

from accounts.attributes import Attribute
from accounts.conditions import ConditionError, Describer, Phrase, parse
from console.forms.condition_rows import ALL, EVERYWHERE, ConditionRows, OfferedRow, grouped
from console.forms.typed_fields import Offers
from playbooks.definition.fields import REQUIRED, Condition


class NotComplete(Exception):
    """Something in the form has to be corrected; it stands at its field."""


class ConditionPart:
    """A condition among the fields."""

    template = "console/playbook/_condition_part.html"

    def __init__(self, declared: Condition, given: Any, *, name: str, data: QueryDict | None, offers: Offers) -> None:
        self.declared, self.offers = declared, offers
        self.is_needed = declared.default is REQUIRED
        kept = None if given in (None, declared.default) else given
        self.rows = ConditionRows.typed(data, name=name) if data is not None else ConditionRows.of(kept, name=name)
        if self.is_needed and self.rows.mode == EVERYWHERE:
            self.rows = ConditionRows(ALL, self.rows.rows, name=name)
        self.problem = ""

    @property
    def label(self) -> str:
        return str(self.declared.label)

    @property
    def everywhere(self) -> str:
        """What it means that there is no condition; empty where one is needed."""
        if self.is_needed:
            return ""
        return {"audience": _("Every customer"), "goal": _("No goal"), "exit": _("Nothing")}.get(
            self.declared.name, _("Always")
        )

    @property
    def attributes(self) -> list[tuple[str, list[Attribute]]]:
        return grouped(self.offers.catalogue.values())

    @property
    def offered(self) -> list[OfferedRow]:
        return self.rows.offered(self.offers.catalogue)

    @property
    def words(self) -> Phrase | None:
        """The condition in words; None while that cannot be said, or there is none."""
        try:
            condition = self.rows.condition(self.offers.catalogue)
        except ValueError:
            return None
        phrase = Describer(self.offers.catalogue).describe(condition) if condition is not None else None
        return None if phrase is None or phrase.kind == "problem" else phrase

    def asked(self, button: str) -> None:
        self.rows = self.rows.asked(button)

    def read(self) -> dict[str, Any]:
        """What the definition has of it; raises NotComplete."""
        try:
            condition = self.rows.condition(self.offers.catalogue)
            if condition is None:
                return {}
            parse(condition, catalogue=self.offers.catalogue)
        except ConditionError as error:
            self.problem = error.message
            self.rows = self.rows.with_error(error.fields)
            raise NotComplete from None
        except ValueError as error:
            self.problem = str(error) if self.rows.rows or not self.is_needed else _("Choose what to look at.")
            raise NotComplete from None
        return {self.declared.name: condition}

    def say(self, path: str, sentence: str) -> None:
        self.problem = sentence
