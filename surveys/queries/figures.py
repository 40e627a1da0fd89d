"""What the answers to a survey add up to."""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt

from django.db.models import Avg, Count, Q, QuerySet

from accounts.models import Account
from surveys.models import Invitation, Response, Survey
from surveys.scales import SCALES, scale_of

Z95 = 1.96


@dataclass(frozen=True, slots=True)
class NpsFigures:
    """A Net Promoter Score from -100 to 100 with its 95 % margin of error, and the counts that it rests on.

    ``response_rate`` is a share from 0 to 1. Figures over nothing are None.
    """

    promoters: int
    passives: int
    detractors: int
    score: float | None
    margin: float | None
    response_rate: float | None

    @property
    def n(self) -> int:
        return self.promoters + self.passives + self.detractors

    def differs_from(self, other: NpsFigures) -> bool:
        """Whether the two scores are further apart than their margins explain: only then did one go up or down."""
        if self.score is None or other.score is None or self.margin is None or other.margin is None:
            return False
        return abs(self.score - other.score) > sqrt(self.margin**2 + other.margin**2)


def nps_margin(*, promoters: int, detractors: int, n: int) -> float:
    """The 95 % margin of error of an NPS in points, by the adjusted Wald interval.

    Three quarters of an answer are added to promoters and to detractors and three to all: unlike the plain
    interval it stays honest for few answers and for scores near the ends. It is the margin around the score of
    the counts so adjusted.
    """
    adjusted = n + 3
    p, d = (promoters + 0.75) / adjusted, (detractors + 0.75) / adjusted
    return 100 * Z95 * sqrt((p + d - (p - d) ** 2) / adjusted)


def nps_figures(responses: QuerySet[Response], *, delivered: int | None = None) -> NpsFigures:
    """The NPS of ``responses`` to surveys of kind NPS; ``delivered`` invitations give the response rate."""
    scale = SCALES[Survey.Kind.NPS]
    counts = responses.order_by().aggregate(
        promoters=Count("pk", filter=Q(score__gte=scale.promoter_from)),
        detractors=Count("pk", filter=Q(score__lt=scale.passive_from)),
        n=Count("pk"),
    )
    promoters, detractors, n = counts["promoters"], counts["detractors"], counts["n"]
    return NpsFigures(
        promoters=promoters,
        passives=n - promoters - detractors,
        detractors=detractors,
        score=100 * (promoters - detractors) / n if n else None,
        margin=nps_margin(promoters=promoters, detractors=detractors, n=n) if n else None,
        response_rate=n / delivered if delivered else None,
    )


@dataclass(frozen=True, slots=True)
class Results:
    """What one survey found: how many got it and answered, how often each score was given, and the usual figures.

    ``positive_share`` (top box) is a share from 0 to 1; ``mean`` is in points of the scale. ``nps`` is for NPS alone.
    """

    delivered: int
    answered: int
    distribution: dict[int, int]
    mean: float | None
    positive_share: float | None
    nps: NpsFigures | None

    @property
    def response_rate(self) -> float | None:
        return self.answered / self.delivered if self.delivered else None


def results(survey: Survey, *, accounts: QuerySet[Account]) -> Results:
    """The results of ``survey`` among ``accounts``, such as those that the reader may see or one segment."""
    answers = Response.objects.filter(survey=survey, account__in=accounts).order_by()
    delivered = delivered_invitations(survey).filter(account__in=accounts).count()
    scale = scale_of(survey)
    given = dict(answers.values_list("score").annotate(Count("pk")))
    answered = sum(given.values())
    positive = sum(count for score, count in given.items() if score >= scale.promoter_from)
    return Results(
        delivered=delivered,
        answered=answered,
        distribution={score: given.get(score, 0) for score in scale.scores},
        mean=answers.aggregate(mean=Avg("score"))["mean"],
        positive_share=positive / answered if answered else None,
        nps=nps_figures(answers, delivered=delivered) if survey.kind == Survey.Kind.NPS else None,
    )


def delivered_invitations(survey: Survey) -> QuerySet[Invitation]:
    """The invitations whose mail a server took (or that came by another way), and did not bounce."""
    return Invitation.objects.delivered().filter(survey=survey)
