"""What a survey says: the platform's own words for its kind and language, under the company's own where it has some."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, fields

from django.conf import settings
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.utils.translation import override

from accounts.models import Contact, Workspace
from surveys.models import Survey
from surveys.scales import Category

MERGE_FIELD = re.compile(r"\{(company|name)\}")


@dataclass(frozen=True, slots=True)
class Wording:
    """Every text of one survey for one person, ready to show.

    ``promoter``, ``passive`` and ``detractor`` are the follow-up questions of those who gave such an answer.
    """

    subject: str
    greeting: str
    intro: str
    question: str
    low: str
    high: str
    promoter: str
    passive: str
    detractor: str
    thanks: str
    reminder_subject: str
    reminder_intro: str

    def follow_up(self, category: Category) -> str:
        """The second question, which depends on the answer to the first."""
        return str(getattr(self, category.value))


EVERY_KIND: dict[str, Promise] = {
    "subject": _("A quick question from {company}"),
    "greeting": _("Hello {name},"),
    "intro": _("How is it going with {company}? It is one question and takes less than a minute."),
    "promoter": _("We are delighted to hear it. What do you like most?"),
    "passive": _("What should we improve first?"),
    "detractor": _("We are sorry that we let you down. What went wrong?"),
    "thanks": _("Your answer is with the people who look after you at {company}."),
    "reminder_subject": _("Reminder: a quick question from {company}"),
    "reminder_intro": _(
        "We asked you a few days ago and would still like to know. It is one question and takes less than a minute."
    ),
}
BY_KIND: dict[str, dict[str, Promise]] = {
    Survey.Kind.NPS: {
        "question": _("How likely are you to recommend {company} to a colleague?"),
        "low": _("Not at all likely"),
        "high": _("Extremely likely"),
    },
    Survey.Kind.CSAT: {
        "question": _("How satisfied are you with {company}?"),
        "low": _("Very dissatisfied"),
        "high": _("Very satisfied"),
    },
    Survey.Kind.CES: {
        "question": _("Do you agree? “{company} makes it easy to get done what I need.”"),
        "low": _("Strongly disagree"),
        "high": _("Strongly agree"),
    },
}


def language_of(contact: Contact) -> str:
    """The language to write to ``contact`` in: their own, else their account's, else the workspace's."""
    known = dict(settings.LANGUAGES)
    for language in (contact.language, contact.account.language.lower()):
        if language in known:
            return language
    return Workspace.current().language


def wording_of(survey: Survey, *, language: str, contact: Contact, company: str) -> Wording:
    """What ``survey`` says to ``contact`` in ``language``; ``{company}`` and ``{name}`` are filled in everywhere."""
    own = survey.texts.get(language) if isinstance(survey.texts, dict) else None
    merged: Mapping[str, str] = {"company": company, "name": contact.name}
    words = {**EVERY_KIND, **BY_KIND[survey.kind]}
    with override(language):
        texts = {key: str(text) for key, text in words.items()}
    if isinstance(own, dict):
        texts.update({key: text for key, text in own.items() if key in texts and isinstance(text, str) and text})
    return Wording(
        **{field.name: MERGE_FIELD.sub(lambda found: merged[found[1]], texts[field.name]) for field in fields(Wording)}
    )
