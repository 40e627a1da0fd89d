"""Move the account along its lifecycle."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.models import Stage
from accounts.services.stages import enter_stage
from playbooks.actions.base import Action, Moment, Names, register
from playbooks.definition.references import Reference, Source

STAGES = Source(Stage.objects.all, gettext_lazy("There is no stage “%(key)s”; use one of: %(known)s."))


@register
@dataclass(frozen=True, slots=True)
class StageAction(Action):
    """Let the account enter the stage with this key; nothing happens when it is there."""

    kind: ClassVar = "stage"
    label: ClassVar = gettext_lazy("Move to a stage")
    hint: ClassVar = gettext_lazy("The account enters another stage of its lifecycle.")
    icon: ClassVar = "stage"
    form: ClassVar = (Reference("stage", gettext_lazy("Stage"), STAGES, most=64),)

    stage: str

    def perform(self, moment: Moment) -> dict[str, Any]:
        stage = Stage.objects.get(key=self.stage)
        entry = enter_stage(
            account=moment.account, stage=stage, by=None, now=moment.now, reason=moment.run.playbook.name
        )
        return {"stage": stage.key, "name": stage.name, "moved": entry is not None}

    def words(self, names: Names) -> str:
        return _("Move the account to the stage “%(stage)s”") % {"stage": names.of(STAGES, self.stage)}

    @classmethod
    def told(cls, facts: Mapping[str, Any]) -> str:
        stage = {"stage": facts.get("name") or facts["stage"]}
        if not facts["moved"]:
            return _("The account was in the stage “%(stage)s” already.") % stage
        return _("Moved the account to the stage “%(stage)s”.") % stage
