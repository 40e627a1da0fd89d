"""A feature that the account pays for is hardly used."""

from __future__ import annotations

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from playbooks.ready.base import Json, Ready, every, fact, register, still, task, wait, when

FEW = 10


def _make(feature: str) -> Json:
    low = fact(f"usage.{feature}.7d", "lt", FEW)
    return {
        "entry": when(low),
        "audience": every(fact("customer_days", "gte", 60)),
        "reentry_after_days": 60,
        "steps": [
            wait("wait", days=7),
            still("again", low),
            task(
                "ask",
                _("A feature has gone quiet: find out why"),
                _(
                    "- Ask the champion what the team uses instead.\n"
                    "- Look for an open ticket, and for people who have left.\n"
                    "- Offer a short session on what they wanted it for."
                ),
            ),
        ],
    }


register(
    Ready(
        key="low-usage",
        place=1,
        icon="usage",
        name=gettext_lazy("Low use of a feature"),
        description=gettext_lazy(
            "A feature of the plan is hardly used. People take leave, so it waits a week"
            " and looks again before anybody calls."
        ),
        make=_make,
        asks_feature=True,
    )
)
