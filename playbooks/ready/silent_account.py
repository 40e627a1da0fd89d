"""Nobody has talked to the account, and it is used less."""

from __future__ import annotations

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from playbooks.ready.base import Json, Ready, every, fact, register, still, task, wait, when


def _make(_feature: str) -> Json:
    silent = every(fact("touch.days_since", "gte", 60), fact("usage.days_since", "gte", 14))
    return {
        "entry": when(silent),
        "audience": every(fact("customer_days", "gte", 90)),
        "reentry_after_days": 60,
        "steps": [
            wait("wait", days=3),
            still("again", silent),
            task(
                "check-in",
                _("Two months without a word and nobody signs in: check in"),
                _("Bring one number from their usage and one thing that is new since you last spoke."),
                severity=3,
                due=3,
            ),
        ],
    }


register(
    Ready(
        key="silent-account",
        place=8,
        icon="touchpoint",
        name=gettext_lazy("Silent account"),
        description=gettext_lazy("Nobody talked to them for 60 days, and nobody there used the product for two weeks."),
        make=_make,
    )
)
