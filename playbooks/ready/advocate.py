"""A happy customer who may speak for us."""

from __future__ import annotations

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from playbooks.ready.base import Json, Ready, every, fact, register, task, wait

ASKED = "advocate-asked"


def _make(_feature: str) -> Json:
    return {
        "entry": {"kind": "event", "event": "survey.answered", "data": {"category": "promoter"}},
        "audience": every(
            fact("health.band", "is", "good"),
            fact("customer_days", "gte", 180),
            fact("tickets.open_urgent", "lt", 1),
        ),
        "reentry_after_days": 180,
        "steps": [
            wait("wait", business_days=2),
            task(
                "thank",
                _("A happy customer: thank them, and ask for a reference"),
                _("Thank first. Then ask for one thing only: a reference call, a case study, or a review."),
                severity=1,
                due=10,
            ),
            {"id": "tag", "kind": "tag", "add": ASKED},
        ],
    }


register(
    Ready(
        key="advocate",
        place=10,
        icon="star",
        name=gettext_lazy("Advocate"),
        description=gettext_lazy(
            "A promoter at a healthy account is thanked and asked for a reference, at most once in half a year."
        ),
        make=_make,
    )
)
