"""What the demo company's CSM knew better than the measures: scores that were set by hand for a while."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from accounts.models import Account, User
from demo.agenda import Agenda
from demo.company import Company, moment
from demo.stories import CSM, STORIES
from health.models import NamedScore
from health.services import override_score

WRITTEN_AT = 10 * 60


@dataclass(frozen=True, slots=True)
class Judgement:
    """A score of the account of a story, set so many days ago, for so many days."""

    story: str
    days_ago: int
    lasts: int
    score: float
    reason: str


JUDGEMENTS = (
    Judgement(
        "bad-onboarding",
        38,
        21,
        60.0,
        "The import is being repaired by our engineers this month; what they do not use yet is not their fault.",
    ),
    Judgement(
        "on-leave-now",
        6,
        20,
        78.0,
        "The whole school is on holiday. Its head wrote that they come back with two more classes.",
    ),
    Judgement(
        "win-back",
        3,
        45,
        45.0,
        "Use looks fine, but the new director told me that the budget is only granted until the summer.",
    ),
)


class JudgementWriter:
    """Sets the scores by hand when their time has come."""

    def __init__(self, company: Company) -> None:
        self._judgements: Agenda[Judgement] = Agenda(
            (moment(company.today - timedelta(days=judgement.days_ago), WRITTEN_AT), judgement)
            for judgement in JUDGEMENTS
        )

    def write(self, *, now: datetime) -> None:
        """Set every score whose time has come by ``now``; each account has one to set by then."""
        for at, judgement in self._judgements.take(now):
            override_score(
                account=Account.objects.get(name=STORIES[judgement.story]),
                named=NamedScore.overall(),
                score=judgement.score,
                reason=judgement.reason,
                expires_at=at + timedelta(days=judgement.lasts),
                by=User.objects.get(email=CSM),
                now=now,
            )
