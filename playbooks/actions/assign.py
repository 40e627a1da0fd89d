"""Give the account to somebody else."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, ClassVar

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from playbooks.actions.base import Action, Moment, Names, Shown, register
from playbooks.definition.fields import Choice, Condition, Problem, Text
from playbooks.definition.references import PEOPLE, Reference
from playbooks.handing import covered
from playbooks.rules import ACCOUNT_RULES, LEAST_LOADED, SENIOR, SPREADING, Rule, RuleError


@register
@dataclass(frozen=True, slots=True)
class AssignAction(Action):
    """Make whoever the rule chooses the account's owner, with the open tasks of the one before."""

    kind: ClassVar = "assign"
    label: ClassVar = gettext_lazy("Assign the account")
    hint: ClassVar = gettext_lazy("It gets an owner, by hours left, in turn, by role, or the one you name.")
    icon: ClassVar = "people"
    form: ClassVar = (
        Reference("to", gettext_lazy("To whom"), PEOPLE, default=LEAST_LOADED, also=tuple(ACCOUNT_RULES.items())),
        Text(
            "among",
            gettext_lazy("Among whom"),
            most=2000,
            default="",
            help=gettext_lazy("Addresses with commas between them; all CSMs when it is empty."),
        ),
        Condition("difficult", gettext_lazy("Difficult is an account for which"), default=None),
        Choice(
            "otherwise",
            gettext_lazy("Accounts that are not difficult go to"),
            tuple(SPREADING.items()),
            default=LEAST_LOADED,
        ),
    )

    to: str
    among: str
    difficult: dict[str, Any] | None
    otherwise: str

    @property
    def rule(self) -> Rule:
        addresses = tuple(address.strip() for address in self.among.split(",") if address.strip())
        return Rule(self.to, among=addresses, difficult=self.difficult, otherwise=self.otherwise)

    def check(self) -> None:
        try:
            self.rule.check(ACCOUNT_RULES)
        except RuleError as error:
            raise Problem(*next(iter(error.fields.items()))) from error

    def perform(self, moment: Moment) -> dict[str, Any]:
        """Assign it; an account for which the rule finds nobody keeps its owner."""
        given, choice = moment.assign(
            rule=self.rule, account=moment.account, now=moment.now, reason=moment.run.playbook.name
        )
        if choice is None:
            return {"skipped": "nobody_found"}
        facts: dict[str, Any] = {"to": choice.user.pk, "name": choice.user.name, "assignment": given and given.pk}
        if choice.cover is not None:
            facts |= {"cover": choice.cover.words}
        return facts

    def words(self, names: Names) -> str:
        if self.to == SENIOR:
            return _("Give the account to a senior, if it is difficult")
        if self.to in ACCOUNT_RULES:
            return _("Assign the account: %(rule)s") % {"rule": ACCOUNT_RULES[self.to]}
        return _("Give the account to %(who)s") % {"who": names.of(PEOPLE, self.to)}

    def shown(self, names: Names) -> Shown:
        notes = []
        if self.among and not self.rule.is_named:
            notes.append(_("among %(people)s") % {"people": self.among})
        if self.to == SENIOR:
            notes.append(_("otherwise: %(rule)s") % {"rule": SPREADING[self.otherwise]})
        return Shown(self.words(names), notes=tuple(notes))

    @classmethod
    def told(cls, facts: Mapping[str, Any]) -> str:
        if facts.get("skipped"):
            return _("Left the account with its owner: the rule found nobody.")
        if not facts["assignment"]:
            return _("%(name)s has the account already.") % facts
        if cover := facts.get("cover"):
            words = {**facts, "cover": covered(cover["name"], date.fromisoformat(cover["until"]))}
            return _("Gave the account to %(name)s. %(cover)s.") % words
        return _("Gave the account to %(name)s.") % facts
