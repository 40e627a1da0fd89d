"""Open an opportunity: something that the account may buy."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from typing import Any, ClassVar

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.models import Account, User, Workspace
from common.templatetags.amounts import money
from playbooks.actions.base import Action, Moment, Names, Shown, register
from playbooks.definition.fields import Choice, Number, Text
from playbooks.definition.references import PEOPLE, Reference
from revenue.models import Opportunity
from revenue.services import open_opportunity

OWNER = "owner"
KINDS = Choice("opportunity", gettext_lazy("Kind"), Opportunity.Kind.choices, default=Opportunity.Kind.UPSELL.value)


@register
@dataclass(frozen=True, slots=True)
class OpportunityAction(Action):
    """An opportunity for the account's CSM, or for the person with the address in ``assign``."""

    kind: ClassVar = "opportunity"
    label: ClassVar = gettext_lazy("Opportunity")
    hint: ClassVar = gettext_lazy("Something that the account may buy, to be won or lost.")
    icon: ClassVar = "opportunity"
    form: ClassVar = (
        Text("name", gettext_lazy("What it is"), most=200),
        KINDS,
        Number(
            "amount",
            gettext_lazy("Amount"),
            0,
            999_999_999,
            default=None,
            help=gettext_lazy("In the workspace's currency; empty when nobody can say yet."),
        ),
        Number("expected_in_days", gettext_lazy("Expected in days"), 0, 1000, default=90),
        Reference(
            "assign",
            gettext_lazy("For whom"),
            PEOPLE,
            default=OWNER,
            also=((OWNER, gettext_lazy("The account's CSM")),),
        ),
    )

    name: str
    opportunity: str
    amount: int | None
    expected_in_days: int
    assign: str

    def perform(self, moment: Moment) -> dict[str, Any]:
        """Open it, once a run and step."""
        workspace = Workspace.current()
        opened = open_opportunity(
            account=moment.account,
            name=self.name,
            kind=self.opportunity,
            amount=None if self.amount is None else Decimal(self.amount),
            currency=workspace.currency,
            owner=self._owner(moment.account),
            expected_on=workspace.day(moment.now) + timedelta(days=self.expected_in_days),
            by=None,
            now=moment.now,
            origin=moment.run.playbook.name,
            key=moment.key,
        )
        return {"opportunity": opened.pk, "name": opened.name, "for": opened.owner.name if opened.owner else ""}

    def words(self, names: Names) -> str:
        return _("Open the opportunity “%(name)s”") % {"name": self.name}

    def shown(self, names: Names) -> Shown:
        whom = (
            _("for the account's CSM")
            if self.assign == OWNER
            else _("for %(who)s") % {"who": names.of(PEOPLE, self.assign)}
        )
        amount = "" if self.amount is None else money(self.amount, Workspace.current().currency)
        return Shown(
            self.words(names), notes=(" · ".join(filter(None, (KINDS.named(self.opportunity), amount, whom))),)
        )

    @classmethod
    def told(cls, facts: Mapping[str, Any]) -> str:
        if facts["for"]:
            return _("Opened the opportunity “%(name)s” for %(for)s.") % facts
        return _("Opened the opportunity “%(name)s”.") % facts

    def _owner(self, account: Account) -> User | None:
        person: User | None = account.owner if self.assign == OWNER else PEOPLE.rows().filter(email=self.assign).first()
        return person if person is not None and person.is_active else None
