"""Ask the customer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from django.db.models import Case, IntegerField, Value, When
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.models import Contact
from playbooks.actions.base import Action, Moment, register
from playbooks.definition.fields import Problem, Text
from surveys.models import Survey
from surveys.services import invite

FIRST_ASKED = (Contact.Role.CHAMPION, Contact.Role.DECISION_MAKER, Contact.Role.USER, Contact.Role.BILLING)


@register
@dataclass(frozen=True, slots=True)
class SurveyAction(Action):
    """An invitation to the survey with this key: to the contact of the event that began the run, else to the
    champion, the decision maker, a user, whoever can be reached first."""

    kind: ClassVar = "survey"
    label: ClassVar = gettext_lazy("Survey")
    writes_to_contact: ClassVar = True
    form: ClassVar = (Text("survey", gettext_lazy("Survey"), most=64),)

    survey: str

    def check(self) -> None:
        if not Survey.objects.filter(key=self.survey).exists():
            known = ", ".join(Survey.objects.values_list("key", flat=True)[:20])
            raise Problem(
                "survey",
                _("There is no survey “%(key)s”; use one of: %(known)s.") % {"key": self.survey, "known": known or "–"},
            )

    def perform(self, moment: Moment) -> dict[str, Any]:
        """Invite one contact; an account where nobody can be written to, or a survey switched off, is passed by."""
        survey = Survey.objects.filter(key=self.survey, is_live=True).first()
        if survey is None:
            return {"skipped": "survey_not_live", "survey": self.survey}
        contact = _whom(moment)
        if contact is None:
            return {"skipped": "nobody_reachable", "survey": self.survey}
        invitation = invite(survey=survey, contact=contact, occasion=moment.key, now=moment.now)
        return {"invitation": invitation.pk, "survey": survey.key, "contact": contact.name}

    def words(self) -> str:
        return _("Survey: %(survey)s") % {"survey": self.survey}


def _whom(moment: Moment) -> Contact | None:
    reachable = moment.account.contacts.reachable()
    if moment.event is not None and moment.event.contact_id is not None:
        return reachable.filter(pk=moment.event.contact_id).first()
    rank = Case(
        *(When(role=role, then=Value(place)) for place, role in enumerate(FIRST_ASKED)),
        default=Value(len(FIRST_ASKED)),
        output_field=IntegerField(),
    )
    return reachable.order_by(rank, "id").first()
