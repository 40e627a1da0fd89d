"""The health of one account: its history, what changed it between two days, and the reasons of any day."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any

from accounts.models import Account, Workspace
from common import clock
from console.forms.days import ComparedDaysForm, ExplainedDayForm
from console.queries import account_health as queries
from console.queries.account_health_history import LONGEST, PERIOD_LABELS, PERIODS, history, presets
from console.staff import StaffRequest
from console.views.account import account_section
from health.models import NamedScore
from health.queries import DayOfHealth

MONTH = 30
KEPT = ("score", "period")


@account_section("account_health")
def health(request: StaffRequest, account: Account) -> dict[str, Any]:
    """One score: its history, what changed it since a day, and its reasons now or on a day before."""
    now = clock.now()
    today = Workspace.current().day(now)
    scores = queries.scores_of(account)
    asked = request.GET.get("score", NamedScore.OVERALL)
    named = next((score.named for score in scores if score.named.key == asked), None) or NamedScore.overall()
    period = request.GET.get("period", "")
    period = period if period in PERIODS else LONGEST
    plot = history(account, named=named, days=PERIODS[period], today=today)
    days = plot.days if plot else []
    compared = ComparedDaysForm({"since": _first_day(days, today), **request.GET.dict()}, today=today)
    explained = ExplainedDayForm(request.GET.dict(), today=today)
    on = explained.cleaned_data.get("on") if explained.is_valid() else None
    return {
        "named": named,
        "scores": scores,
        "summary": queries.summary(account, named=named.key, now=now),
        "plot": plot,
        "period": period,
        "periods": PERIOD_LABELS,
        "compared": compared,
        "presets": presets(days, today=today),
        "change": queries.change(account, named=named.key, now=now, **compared.cleaned_data)
        if compared.is_valid()
        else None,
        "explained_day": explained,
        "on": on,
        "health": queries.health(account, named=named.key, on=on, now=now),
        "kept": {name: request.GET[name] for name in KEPT if name in request.GET},
    }


def _first_day(days: Sequence[DayOfHealth], today: date) -> date:
    """A month ago, or the first day that there is something of."""
    month_ago = today - timedelta(days=MONTH)
    return max(month_ago, days[0].day) if days else month_ago
