"""A customer's answer moves the health of their account."""

import pytest

from accounts.attributes import Scope
from health.models import HealthScore
from health.services import compute_health, compute_touched
from surveys.services import answer
from tests.factories import NOW, MeasureFactory, ProfileFactory, ProfileMeasureFactory
from tests.surveys.invited import invited, token_of

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(("score", "points"), [(10, 100), (2, 20)])
def test_an_answer_moves_health_when_it_comes(score: int, points: int) -> None:
    seats = MeasureFactory(attribute="seats", curve=[[0, 0], [100, 100]])
    nps = MeasureFactory(attribute="nps.last", curve=[[0, 0], [10, 100]], missing="leave_out")
    profile = ProfileFactory()
    for measure in (seats, nps):
        ProfileMeasureFactory(profile=profile, measure=measure)
    invitation = invited(account__seats=50)
    compute_health(scope=Scope.everything(), now=NOW)
    while compute_touched(now=NOW, limit=100):
        pass
    before = HealthScore.objects.get(account=invitation.account).score

    answer(token=token_of(invitation), score=score, comment="", now=NOW)
    compute_touched(now=NOW, limit=100)

    assert before == 50
    assert HealthScore.objects.get(account=invitation.account).score == (50 + points) / 2
