"""Put tags on the account, and take others off."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.services.tags import change_tags, check_tag
from common.errors import DomainError
from playbooks.actions.base import Action, Moment, Names, register
from playbooks.definition.fields import Problem, Text


@register
@dataclass(frozen=True, slots=True)
class TagAction(Action):
    """The account gets the tags in ``add`` and loses those in ``remove``."""

    kind: ClassVar = "tag"
    label: ClassVar = gettext_lazy("Tags")
    hint: ClassVar = gettext_lazy("The account gets tags or loses some; lists and conditions know them.")
    icon: ClassVar = "pin"
    form: ClassVar = (
        Text("add", gettext_lazy("Add"), default="", help=gettext_lazy("Tags with commas between them.")),
        Text("remove", gettext_lazy("Take off"), default="", help=gettext_lazy("Tags with commas between them.")),
    )

    add: str
    remove: str

    def check(self) -> None:
        if not self.added and not self.removed:
            raise Problem("add", _("Name a tag to add or to take off."))
        for field, tags in (("add", self.added), ("remove", self.removed)):
            for tag in tags:
                try:
                    check_tag(tag)
                except DomainError as error:
                    raise Problem(field, error.message) from error
        if both := set(self.added) & set(self.removed):
            words = {"tags": ", ".join(sorted(both))}
            raise Problem("remove", _("%(tags)s cannot be both added and taken off.") % words)

    @property
    def added(self) -> tuple[str, ...]:
        return _tags(self.add)

    @property
    def removed(self) -> tuple[str, ...]:
        return _tags(self.remove)

    def perform(self, moment: Moment) -> dict[str, Any]:
        added, removed = change_tags(
            account=moment.account,
            add=self.added,
            remove=self.removed,
            by=None,
            now=moment.now,
            reason=moment.run.playbook.name,
        )
        return {"added": added, "removed": removed}

    def words(self, names: Names) -> str:
        words = {"add": ", ".join(self.added), "remove": ", ".join(self.removed)}
        if not self.removed:
            return _("Tag the account: %(add)s") % words
        if not self.added:
            return _("Take tags off: %(remove)s") % words
        return _("Tag the account: %(add)s; take off: %(remove)s") % words

    @classmethod
    def told(cls, facts: Mapping[str, Any]) -> str:
        words = {"added": ", ".join(facts["added"]), "removed": ", ".join(facts["removed"])}
        if facts["added"] and facts["removed"]:
            return _("Tagged the account %(added)s and took off %(removed)s.") % words
        if facts["added"]:
            return _("Tagged the account %(added)s.") % words
        if facts["removed"]:
            return _("Took off the tags %(removed)s.") % words
        return _("The account's tags were so already.")


def _tags(said: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(tag.strip() for tag in said.split(",") if tag.strip()))
