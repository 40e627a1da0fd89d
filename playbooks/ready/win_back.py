"""Customers who left are asked again."""

from __future__ import annotations

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from playbooks.ready.base import Json, Ready, register, task


def _make(_feature: str) -> Json:
    return {
        "entry": {"kind": "date", "attribute": "ended_on", "days": 90},
        "customers": "lost",
        "reentry_after_days": 365,
        "steps": [
            task(
                "ask",
                _("They left three months ago: ask how it goes"),
                _("Read why they left first. Ask how the new way works out, and offer nothing yet."),
                severity=1,
                due=10,
            ),
            {"id": "later", "kind": "wait_for_date", "attribute": "ended_on", "days": 300},
            task(
                "offer",
                _("Their new contract may end soon: make an offer to come back"),
                _("Most contracts run a year. Say what is better now in the very thing that they left for."),
                due=10,
            ),
        ],
    }


register(
    Ready(
        key="win-back",
        place=11,
        icon="refresh",
        name=gettext_lazy("Win-back"),
        description=gettext_lazy(
            "Three months after a customer left, and again before a year is over. It ends when they come back."
        ),
        make=_make,
    )
)
