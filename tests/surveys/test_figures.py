from collections.abc import Iterator
from math import factorial

import pytest

from accounts.models import Account
from outbox.services import deliver_due
from surveys.models import Invitation, Response, Survey
from surveys.queries import NpsFigures, nps_figures, results
from surveys.queries.figures import nps_margin
from surveys.services import answer, mark_bounces
from tests.factories import NOW, AccountFactory, ContactFactory, SurveyFactory
from tests.outbox.server import Postmaster
from tests.surveys.invited import invited, token_of


def given(survey: Survey, scores: list[int]) -> None:
    contact = ContactFactory()
    invitations = Invitation.objects.bulk_create(
        Invitation(
            survey=survey,
            account=contact.account,
            contact=contact,
            occasion=str(number),
            digest=f"{survey.pk}-{number}",
            language="en",
            invited_at=NOW,
            expires_at=NOW,
        )
        for number in range(len(scores))
    )
    Response.objects.bulk_create(
        Response(
            invitation=invitation,
            survey=survey,
            account=contact.account,
            contact=contact,
            score=score,
            answered_at=NOW,
        )
        for invitation, score in zip(invitations, scores, strict=True)
    )


@pytest.mark.django_db
def test_nps_is_that_of_the_worked_example_when_200_of_250_answered() -> None:
    survey = SurveyFactory()
    given(survey, [10] * 60 + [9] * 40 + [8] * 25 + [7] * 25 + [6] * 30 + [0] * 20)

    figures = nps_figures(Response.objects.all(), delivered=250)

    assert (figures.promoters, figures.passives, figures.detractors) == (100, 50, 50)
    assert figures.score == 25
    assert figures.response_rate == 0.8
    # p = 100.75/203, d = 50.75/203: 196 * sqrt((p + d - (p - d)^2) / 203)
    assert figures.margin == pytest.approx(11.391, abs=0.001)


@pytest.mark.django_db
def test_there_are_no_figures_when_nobody_answered() -> None:
    figures = nps_figures(Response.objects.none(), delivered=0)

    assert (figures.n, figures.score, figures.margin, figures.response_rate) == (0, None, None, None)


def _outcomes(n: int, p: float, d: float) -> Iterator[tuple[int, int, float]]:
    for promoters in range(n + 1):
        for detractors in range(n + 1 - promoters):
            rest = n - promoters - detractors
            ways = factorial(n) // (factorial(promoters) * factorial(detractors) * factorial(rest))
            yield promoters, detractors, ways * p**promoters * d**detractors * (1 - p - d) ** rest


@pytest.mark.parametrize(("p", "d"), [(0.9, 0.05), (0.5, 0.2), (0.1, 0.1), (0.34, 0.33), (0.05, 0.9)])
@pytest.mark.parametrize("n", [10, 30])
def test_the_margin_covers_the_true_score_when_answers_are_few(n: int, p: float, d: float) -> None:
    covered = sum(
        chance
        for promoters, detractors, chance in _outcomes(n, p, d)
        if abs(100 * (promoters - detractors) / (n + 3) - 100 * (p - d))
        <= nps_margin(promoters=promoters, detractors=detractors, n=n)
    )

    assert covered >= 0.93


def test_a_score_went_up_only_when_the_margins_do_not_explain_it() -> None:
    def figures(score: float | None, margin: float | None) -> NpsFigures:
        return NpsFigures(1, 1, 1, score=score, margin=margin, response_rate=None)

    assert not figures(30, 10).differs_from(figures(20, 10))
    assert figures(35, 10).differs_from(figures(20, 10))
    assert not figures(35, 10).differs_from(figures(None, None))


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("kind", "scores", "mean", "positive"),
    [
        ("csat", [5, 5, 5, 4, 1, 3, 2, 4, 3, 3], 3.5, 0.5),
        ("ces", [7, 4, 3, 2, 5, 6, 4, 1, 7, 6], 4.5, 0.5),
    ],
)
def test_results_are_those_of_the_worked_examples_when_kinds_differ(
    kind: str, scores: list[int], mean: float, positive: float
) -> None:
    survey = SurveyFactory(kind=kind)
    given(survey, scores)

    found = results(survey, accounts=Account.objects.all())

    assert (found.mean, found.positive_share, found.nps) == (mean, positive, None)
    assert found.distribution[3] == scores.count(3)
    assert sum(found.distribution.values()) == found.answered == 10


@pytest.mark.django_db
def test_only_delivered_invitations_count_when_a_rate_is_given(postmaster: Postmaster) -> None:
    survey = SurveyFactory()
    account = AccountFactory()
    first, *_others = [
        invited(survey=survey, account=account, email=f"{name}@customer.example")
        for name in ("ana", "boris", "nobody", "full")
    ]
    elsewhere = invited(survey=survey)
    deliver_due(now=NOW, limit=10)
    mark_bounces(now=NOW)
    answer(token=token_of(first), score=9, comment=None, now=NOW)
    answer(token=token_of(elsewhere), score=1, comment=None, now=NOW)

    found = results(survey, accounts=Account.objects.filter(pk=account.pk))

    assert (found.delivered, found.answered, found.response_rate) == (2, 1, 0.5)
    assert found.nps is not None
    assert found.nps.score == 100
