"""Tell colleagues in the app."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from accounts.models import Account, User
from notifications.services import notify
from playbooks.actions.base import Action, Moment, Names, Shown, register
from playbooks.definition.fields import Choice, Text
from playbooks.definition.references import PEOPLE, Reference
from playbooks.mail.colleagues import check_text, text_about
from playbooks.mail.liquid import TemplateError
from playbooks.notices import BY_PLAYBOOK
from playbooks.rules import OWNER, ROLES

LEADERS = "leaders"
WHOM = {OWNER: gettext_lazy("The account's CSM"), LEADERS: gettext_lazy("The leaders"), **ROLES}
BY_CHOICE, BY_MAIL = "choice", "mail"
HOW = {
    BY_CHOICE: gettext_lazy("As each of them has chosen"),
    BY_MAIL: gettext_lazy("Also by email, at once"),
}


@register
@dataclass(frozen=True, slots=True)
class NotifyAction(Action):
    """Tell whom ``whom`` says: the account's CSM, who has a role in its team, the leaders, or somebody by address."""

    kind: ClassVar = "notify"
    label: ClassVar = gettext_lazy("Notification")
    hint: ClassVar = gettext_lazy("Colleagues are told in the app, and by email if they want.")
    icon: ClassVar = "bell"
    form: ClassVar = (
        Reference("whom", gettext_lazy("For whom"), PEOPLE, default=OWNER, also=tuple(WHOM.items())),
        Text(
            "text",
            gettext_lazy("Text"),
            most=500,
            help=gettext_lazy("Merge values such as {{ account.name }} may stand in it."),
        ),
        Choice("how", gettext_lazy("How"), tuple(HOW.items()), default=BY_CHOICE),
    )

    whom: str
    text: str
    how: str

    def check(self) -> None:
        super(NotifyAction, self).check()
        check_text(self.text)

    def perform(self, moment: Moment) -> dict[str, Any]:
        """Write a notification for each of them who may see the account; for nobody when there is none."""
        people = self._people(moment.account)
        if not people:
            return {"skipped": "nobody", "whom": self.whom}
        try:
            text = text_about(moment.account, self.text, moment.now)
        except TemplateError as error:
            return {"skipped": "text_broken", "problem": error.message}
        notify(
            kind=BY_PLAYBOOK,
            user_ids=[person.pk for person in people],
            account_id=moment.account.pk,
            data={"text": text, "playbook": moment.run.playbook.name},
            key=moment.key,
            now=moment.now,
            by_mail=self.how == BY_MAIL,
        )
        return {"told": [person.name for person in people], "text": text}

    def _people(self, account: Account) -> list[User]:
        here = User.objects.filter(is_active=True)
        if self.whom == OWNER:
            chosen = here.filter(pk__in=[account.owner_id])
        elif self.whom == LEADERS:
            chosen = here.filter(role=User.Role.LEADER)
        elif self.whom in ROLES:
            chosen = here.filter(pk__in=account.team.filter(role=self.whom).values("user"))
        else:
            chosen = here.filter(email=self.whom)
        return [person for person in chosen if Account.objects.visible_to(person).filter(pk=account.pk).exists()]

    def words(self, names: Names) -> str:
        return _("Tell %(who)s") % {"who": self._whom(names)}

    def shown(self, names: Names) -> Shown:
        return Shown(self.words(names), notes=(self.text,))

    def _whom(self, names: Names) -> str:
        return str(WHOM[self.whom]) if self.whom in WHOM else names.of(PEOPLE, self.whom)

    @classmethod
    def told(cls, facts: Mapping[str, Any]) -> str:
        match facts.get("skipped"):
            case "nobody":
                return _("Told nobody: there is nobody whom it could tell.")
            case "text_broken":
                return _("Told nobody: %(problem)s") % facts
        names = facts["told"]
        return ngettext("Told %(names)s.", "Told %(names)s.", len(names)) % {"names": ", ".join(names)}
