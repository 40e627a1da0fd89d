"""Give a CSM something to do."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from common.clock import add_days
from playbooks import handing
from playbooks.actions.base import Action, Moment, Names, Shown, register
from playbooks.capacity import ESTIMATES
from playbooks.definition.fields import Choice, Number, Text
from playbooks.definition.references import PEOPLE, Reference
from playbooks.models import Task
from playbooks.rules import OWNER, TASK_RULES, Rule


@register
@dataclass(frozen=True, slots=True)
class TaskAction(Action):
    """A task for whom ``assign`` says: the account's CSM, whom a rule finds, or the one with an address."""

    kind: ClassVar = "task"
    label: ClassVar = gettext_lazy("Task for a CSM")
    hint: ClassVar = gettext_lazy("Somebody does it and says what came of it.")
    icon: ClassVar = "task"
    form: ClassVar = (
        Text("title", gettext_lazy("Title")),
        Text("guidance", gettext_lazy("What to do"), most=10_000, default=""),
        Choice("severity", gettext_lazy("Severity"), Task.Severity.choices, default=int(Task.Severity.NORMAL)),
        Number("due_in_days", gettext_lazy("Due in days"), 0, 365, default=2),
        Reference(
            "assign",
            gettext_lazy("For whom"),
            PEOPLE,
            default=OWNER,
            also=tuple(TASK_RULES.items()),
        ),
    )

    title: str
    guidance: str
    severity: int
    due_in_days: int
    assign: str

    @property
    def doer(self) -> Rule:
        return Rule(self.assign)

    @property
    def minutes(self) -> int:
        return ESTIMATES[Task.Severity(self.severity)]

    def perform(self, moment: Moment) -> dict[str, Any]:
        """Make the task; without a fit person it is nobody's, and stands in the team's queue."""
        owner = moment.choose_person(rule=self.doer, account=moment.account, now=moment.now)
        is_found = owner is not None and self.assign != OWNER and self.assign in TASK_RULES
        task = moment.create_task(
            account=moment.account,
            owner=owner,
            handed=[handing.chosen(self.assign)] if is_found else [],
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

    def words(self, names: Names) -> str:
        return _("Make the task “%(title)s”") % {"title": self.title}

    def shown(self, names: Names) -> Shown:
        whom = _("for the account's CSM")
        if self.assign != OWNER:
            whom = _("for %(who)s") % {"who": TASK_RULES.get(self.assign) or names.of(PEOPLE, self.assign)}
        due = ngettext("due after %(count)s day", "due after %(count)s days", self.due_in_days)
        severity = _("severity: %(severity)s") % {"severity": Task.Severity(self.severity).label}
        note = " · ".join((whom, due % {"count": self.due_in_days}, severity))
        return Shown(self.words(names), notes=(note,), guidance=self.guidance)

    @classmethod
    def told(cls, facts: Mapping[str, Any]) -> str:
        words = _("Made the task “%(title)s” for %(name)s.") if facts["for"] else _("Made the task “%(title)s”.")
        return words % {"title": facts["title"], "name": facts["for"]}
