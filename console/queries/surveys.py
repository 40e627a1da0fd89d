"""Surveys as people look at them: how many answered and what, how it goes over time, and what was done about it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from zoneinfo import ZoneInfo

from django.db.models import Count, F, Q
from django.db.models.functions import TruncMonth

from accounts.models import Account, Event, User
from playbooks.models import Task
from surveys.models import Invitation, InvitationQuerySet, Reminder, Response, ResponseQuerySet, Survey
from surveys.queries.figures import NpsFigures, nps_margin
from surveys.scales import Category, Scale, scale_of

MONTHS = 12


@dataclass(frozen=True, slots=True)
class SurveyRow:
    """One survey in the list: invitations that arrived, answers, and the usual figure of its kind.

    ``figure`` is the NPS with its ``margin``, else the share from 0 to 1 of answers in the upper part of the scale.
    """

    survey: Survey
    delivered: int
    answered: int
    figure: float | None
    margin: float | None

    @property
    def response_rate(self) -> float | None:
        return self.answered / self.delivered if self.delivered else None


def survey_rows(user: User) -> list[SurveyRow]:
    """Every survey, with the figures of the accounts that ``user`` may see; three queries."""
    sent = Invitation.objects.visible_to(user).delivered().order_by()
    delivered = dict(sent.values_list("survey_id").annotate(Count("pk")))
    scores: dict[int, dict[int, int]] = {}
    counted = Response.objects.visible_to(user).order_by().values_list("survey_id", "score").annotate(Count("pk"))
    for survey_id, score, count in counted:
        scores.setdefault(survey_id, {})[score] = count
    return [
        _row(survey, delivered.get(survey.pk, 0), scores.get(survey.pk, {}))
        for survey in Survey.objects.order_by("-is_live", "name")
    ]


def _row(survey: Survey, delivered: int, scores: Mapping[int, int]) -> SurveyRow:
    figures = figures_of(scores, scale_of(survey))
    if survey.kind == Survey.Kind.NPS:
        return SurveyRow(survey, delivered, figures.n, figures.score, figures.margin)
    return SurveyRow(survey, delivered, figures.n, figures.promoters / figures.n if figures.n else None, None)


def figures_of(scores: Mapping[int, int], scale: Scale) -> NpsFigures:
    """The figures of answers counted by score."""
    counts = dict.fromkeys(Category, 0)
    for score, count in scores.items():
        counts[scale.category(score)] += count
    n = sum(counts.values())
    promoters, detractors = counts[Category.PROMOTER], counts[Category.DETRACTOR]
    return NpsFigures(
        promoters=promoters,
        passives=counts[Category.PASSIVE],
        detractors=detractors,
        score=100 * (promoters - detractors) / n if n else None,
        margin=nps_margin(promoters=promoters, detractors=detractors, n=n) if n else None,
        response_rate=None,
    )


def figures_by_month(survey: Survey, user: User, *, zone: ZoneInfo, now: datetime) -> dict[date, NpsFigures]:
    """The figures of each of the last months with answers, by the first day of the month; one query."""
    today = now.astimezone(zone).date()
    months = today.year * 12 + today.month - MONTHS
    begin = datetime(months // 12, months % 12 + 1, 1, tzinfo=zone)
    answers = Response.objects.visible_to(user).filter(survey=survey, answered_at__gte=begin).order_by()
    month = TruncMonth("answered_at", tzinfo=zone)
    scores: dict[date, dict[int, int]] = {}
    for at, score, count in answers.annotate(month=month).values_list("month", "score").annotate(Count("pk")):
        scores.setdefault(at.date(), {})[score] = count
    scale = scale_of(survey)
    return {day: figures_of(scores[day], scale) for day in sorted(scores)}


def answers_of(survey: Survey, user: User, category: str) -> ResponseQuerySet:
    """The answers on the accounts that ``user`` may see, of one category or all."""
    answers = Response.objects.visible_to(user).filter(survey=survey)
    scale = scale_of(survey)
    match category:
        case Category.PROMOTER:
            answers = answers.filter(score__gte=scale.promoter_from)
        case Category.PASSIVE:
            answers = answers.filter(score__gte=scale.passive_from, score__lt=scale.promoter_from)
        case Category.DETRACTOR:
            answers = answers.filter(score__lt=scale.passive_from)
    return answers.select_related("account", "contact", "invitation")


def unanswered(survey: Survey, user: User, *, now: datetime) -> InvitationQuerySet:
    """The invitations on the accounts that ``user`` may see that may still be answered and were not."""
    waiting = Invitation.objects.visible_to(user).open(now).filter(survey=survey, response=None)
    return waiting.select_related("account", "contact", "message", "reminder__message")


@dataclass(frozen=True, slots=True)
class Reminded:
    """How many reminders of a survey arrived, and how many of those people answered afterwards."""

    delivered: int
    answered: int


def reminded(survey: Survey, user: User) -> Reminded:
    """The reminders of a survey on the accounts that ``user`` may see; one query."""
    mine = Reminder.objects.delivered().filter(
        invitation__survey=survey, invitation__account__in=Account.objects.visible_to(user)
    )
    after = Q(invitation__response__answered_at__gte=F("reminded_at"))
    return Reminded(**mine.aggregate(delivered=Count("pk"), answered=Count("pk", filter=after)))


@dataclass(frozen=True, slots=True)
class AnswerRow:
    """One answer, what it says of the customer, and the task that was made of it."""

    response: Response
    category: Category
    task: Task | None


def answer_rows(survey: Survey, answers: Iterable[Response], user: User) -> list[AnswerRow]:
    """The rows of these answers; two queries: the events that they were, and the tasks of the runs that those began."""
    listed = list(answers)
    accounts = {answer.account_id for answer in listed}
    events = Event.objects.filter(
        account__in=accounts, kind="survey.answered", data__response__in=[answer.pk for answer in listed]
    )
    response_of = {pk: data["response"] for pk, data in events.values_list("pk", "data")}
    tasks: dict[int, Task] = {}
    made = Task.objects.visible_to(user).filter(account__in=accounts, run__event__in=list(response_of))
    for task in made.select_related("run", "owner").order_by("pk"):
        if task.run is not None and task.run.event_id is not None:
            tasks[response_of[task.run.event_id]] = task
    scale = scale_of(survey)
    return [AnswerRow(answer, scale.category(answer.score), tasks.get(answer.pk)) for answer in listed]
