"""What is to be done 120, 90, 60 and 30 days before a renewal."""

from __future__ import annotations

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from playbooks.ready.base import Json, Ready, fact, register, task


def _rung(step: str, days: int) -> Json:
    return {"id": step, "kind": "wait_for_date", "attribute": "renewal_on", "days": -days}


def _make(_feature: str) -> Json:
    return {
        "entry": {"kind": "date", "attribute": "renewal_on", "days": -120},
        "goal": fact("days_to_renewal", "gt", 125),
        "reentry_after_days": 0,
        "steps": [
            task(
                "review",
                _("Renewal in 120 days: prepare the business review"),
                _("Collect what was promised and what was reached, in numbers. Book the decision maker."),
                due=10,
            ),
            _rung("until-90", 90),
            {
                "id": "health",
                "kind": "branch",
                "ways": [{"when": fact("health.band", "in", ["poor", "watch"]), "to": "rescue"}],
            },
            task(
                "offer",
                _("Renewal in 90 days: make the offer"),
                _("Bring the review's results. Ask what else would help, and write down who decides."),
                due=10,
            ),
            {"id": "on", "kind": "go", "to": "until-60"},
            task(
                "rescue",
                _("Renewal in 90 days and health is not good: make a plan"),
                _("Agree with your leader on what may be offered. Name the two things that must change, with dates."),
                severity=3,
                due=5,
            ),
            _rung("until-60", 60),
            task(
                "confirm",
                _("Renewal in 60 days: have the terms confirmed"),
                _("Price, seats, length. Ask billing whether an order number is needed."),
                severity=3,
                due=10,
            ),
            _rung("until-30", 30),
            task(
                "sign",
                _("Renewal in 30 days: have it signed"),
                _("If it is not signed in a week, tell your leader what is missing."),
                severity=4,
                due=5,
            ),
        ],
    }


register(
    Ready(
        key="renewal-ladder",
        place=4,
        icon="renewal",
        name=gettext_lazy("Renewal: 120, 90, 60, 30 days"),
        description=gettext_lazy(
            "What is due at each rung before a renewal; another task at 90 days when"
            " health is not good. It ends once renewed."
        ),
        make=_make,
    )
)
