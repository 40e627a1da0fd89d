"""Move the account along its lifecycle."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.models import Stage
from accounts.services.stages import enter_stage
from playbooks.actions.base import Action, Moment, register
from playbooks.definition.fields import Problem, Text


@register
@dataclass(frozen=True, slots=True)
class StageAction(Action):
    """Let the account enter the stage with this key; nothing happens when it is there."""

    kind: ClassVar = "stage"
    label: ClassVar = gettext_lazy("Move to a stage")
    form: ClassVar = (Text("stage", gettext_lazy("Stage"), most=64),)

    stage: str

    def check(self) -> None:
        if not Stage.objects.filter(key=self.stage).exists():
            known = ", ".join(Stage.objects.values_list("key", flat=True)[:20])
            raise Problem(
                "stage",
                _("There is no stage “%(key)s”; use one of: %(known)s.") % {"key": self.stage, "known": known or "–"},
            )

    def perform(self, moment: Moment) -> dict[str, Any]:
        stage = Stage.objects.get(key=self.stage)
        entry = enter_stage(
            account=moment.account, stage=stage, by=None, now=moment.now, reason=moment.run.playbook.name
        )
        return {"stage": stage.key, "moved": entry is not None}

    def words(self) -> str:
        return _("Move to stage: %(stage)s") % {"stage": self.stage}
