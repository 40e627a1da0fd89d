"""The scales of the kinds of survey, and what an answer on each means."""

from __future__ import annotations

from dataclasses import dataclass

from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _

from surveys.models import Survey


class Category(TextChoices):
    """Which third of a scale an answer lies in, in the words of NPS; CSAT and CES use them too."""

    PROMOTER = "promoter", _("Promoter")
    PASSIVE = "passive", _("Passive")
    DETRACTOR = "detractor", _("Detractor")


@dataclass(frozen=True, slots=True)
class Scale:
    """Whole numbers from ``lowest`` to ``highest``; the ends of the middle and upper third."""

    lowest: int
    highest: int
    passive_from: int
    promoter_from: int

    @property
    def scores(self) -> range:
        return range(self.lowest, self.highest + 1)

    def category(self, score: int) -> Category:
        """What ``score`` says of the customer."""
        if score >= self.promoter_from:
            return Category.PROMOTER
        return Category.PASSIVE if score >= self.passive_from else Category.DETRACTOR


SCALES = {
    Survey.Kind.NPS: Scale(lowest=0, highest=10, passive_from=7, promoter_from=9),
    Survey.Kind.CSAT: Scale(lowest=1, highest=5, passive_from=3, promoter_from=4),
    Survey.Kind.CES: Scale(lowest=1, highest=7, passive_from=4, promoter_from=5),
}


def scale_of(survey: Survey) -> Scale:
    """The scale that ``survey`` asks on."""
    return SCALES[Survey.Kind(survey.kind)]
