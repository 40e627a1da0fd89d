"""Ask the customer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from outbox.models import HeldBack
from playbooks.actions.base import Action, Moment, Names, Shown, register
from playbooks.definition.references import Reference, Source
from surveys.models import Survey
from surveys.services import invite

SURVEYS = Source(
    Survey.objects.all, gettext_lazy("There is no survey “%(key)s”; use one of: %(known)s."), page="survey"
)


@register
@dataclass(frozen=True, slots=True)
class SurveyAction(Action):
    """An invitation to the survey with this key, to whom ``playbooks.recipients`` says."""

    kind: ClassVar = "survey"
    label: ClassVar = gettext_lazy("Survey")
    hint: ClassVar = gettext_lazy("A question by email, to one contact.")
    icon: ClassVar = "survey"
    writes_to_contact: ClassVar = True
    form: ClassVar = (Reference("survey", gettext_lazy("Survey"), SURVEYS, most=64),)

    survey: str

    def perform(self, moment: Moment) -> dict[str, Any]:
        """Invite one contact; an account where nobody can be written to, or a survey switched off, is passed by.

        A contact whose budget is used up is asked later, or not at all: the record names what was held back.
        """
        survey = Survey.objects.filter(key=self.survey, is_live=True).first()
        if survey is None:
            return {"skipped": "survey_not_live", "survey": self.survey}
        contact = self.recipient(moment.account, moment.event)
        if contact is None:
            return {"skipped": "nobody_reachable", "survey": self.survey}
        invitation = invite(survey=survey, contact=contact, occasion=moment.key, now=moment.now)
        if isinstance(invitation, HeldBack):
            return {"held_back": invitation.pk, "survey": survey.key, "contact": contact.name}
        return {"invitation": invitation.pk, "survey": survey.key, "contact": contact.name}

    def words(self, names: Names) -> str:
        return _("Send the survey “%(survey)s”") % {"survey": names.of(SURVEYS, self.survey)}

    def shown(self, names: Names) -> Shown:
        return Shown(self.words(names), page=names.page(SURVEYS, self.survey))

    @classmethod
    def told(cls, facts: Mapping[str, Any]) -> str:
        match facts.get("skipped"):
            case "nobody_reachable":
                return _("Sent no survey: nobody at the customer can be written to.")
            case "survey_not_live":
                return _("Sent no survey: “%(survey)s” is switched off.") % {"survey": facts["survey"]}
        what = {"name": facts["contact"], "survey": facts["survey"]}
        if "held_back" in facts:
            return _("Held back the survey “%(survey)s”: the contact budget of %(name)s was used up.") % what
        return _("Asked %(name)s to answer the survey “%(survey)s”.") % what
