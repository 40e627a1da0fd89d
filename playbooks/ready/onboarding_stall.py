"""A new customer does not get going."""

from __future__ import annotations

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from playbooks.ready.base import Json, Ready, every, fact, register, task, wait, when


def _make(_feature: str) -> Json:
    slow = every(fact("customer_days", "between", [21, 180]), fact("onboarding.progress", "lt", 60))
    return {
        "entry": when(slow),
        "goal": fact("onboarding.progress", "gte", 60),
        "reentry_after_days": 60,
        "priority": 60,
        "steps": [
            task(
                "steps",
                _("Onboarding has stalled: go through the open steps"),
                _(
                    "- Ask the champion which step waits for whom.\n"
                    "- Take what can be taken off their hands.\n"
                    "- Agree on one team and one date."
                ),
                severity=3,
            ),
            wait("wait", business_days=10),
            task(
                "sponsor",
                _("Onboarding still stands: bring the sponsor in"),
                _(
                    "Remind the decision maker of the result that they bought, and of the"
                    " date that it was promised for."
                ),
                severity=4,
                due=1,
            ),
        ],
    }


register(
    Ready(
        key="onboarding-stall",
        place=3,
        icon="stage",
        name=gettext_lazy("Onboarding stalls"),
        description=gettext_lazy(
            "Three weeks in, the essential features are not in use. The champion first; two weeks later the sponsor."
        ),
        make=_make,
    )
)
