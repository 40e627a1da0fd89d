"""Give a CSM something to do."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.models import Account, User
from common.clock import add_days
from common.text import normal_email
from playbooks.actions.base import Action, Moment, register
from playbooks.definition.fields import Number, Problem, Text
from playbooks.models import Task

OWNER = "owner"


@register
@dataclass(frozen=True, slots=True)
class TaskAction(Action):
    """A task for the account's CSM (``assign`` is ``owner``) or for the person with the address in ``assign``."""

    kind: ClassVar = "task"
    label: ClassVar = gettext_lazy("Task for a CSM")
    form: ClassVar = (
        Text("title", gettext_lazy("Title")),
        Text("guidance", gettext_lazy("What to do"), most=10_000, default=""),
        Number("severity", gettext_lazy("Severity"), 1, 4, default=int(Task.Severity.NORMAL)),
        Number("due_in_days", gettext_lazy("Due in days"), 0, 365, default=2),
        Text("assign", gettext_lazy("For whom"), most=254, default=OWNER),
    )

    title: str
    guidance: str
    severity: int
    due_in_days: int
    assign: str

    def check(self) -> None:
        if self.assign != OWNER and self._person() is None:
            raise Problem(
                "assign",
                _("Nobody who works here has the address “%(address)s”; use “owner” or a colleague's address.")
                % {"address": self.assign},
            )

    def perform(self, moment: Moment) -> dict[str, Any]:
        """Make the task; without a fit person it is nobody's, and stands in the team's queue."""
        task = moment.create_task(
            account=moment.account,
            owner=_csm(moment.account) if self.assign == OWNER else self._person(),
            title=self.title,
            guidance=self.guidance,
            severity=self.severity,
            due_at=add_days(moment.now, self.due_in_days, moment.calendar.zone),
            why=moment.why,
            run=moment.run,
            dedupe_key=moment.key,
            now=moment.now,
        )
        return {"task": task.pk, "title": task.title, "for": task.owner.name if task.owner else ""}

    def words(self) -> str:
        return _("Task: %(title)s") % {"title": self.title}

    def _person(self) -> User | None:
        return User.objects.filter(email=normal_email(self.assign), is_active=True).first()


def _csm(account: Account) -> User | None:
    return account.owner if account.owner is not None and account.owner.is_active else None
