"""The account has outgrown what it pays for."""

from __future__ import annotations

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from playbooks.ready.base import Json, Ready, every, fact, register, still, task, wait, when


def _make(_feature: str) -> Json:
    full = fact("seats.active_share", "gte", 90)
    return {
        "entry": when(full),
        "audience": every(fact("health.band", "is", "good"), fact("opportunities.open", "lt", 1)),
        "reentry_after_days": 120,
        "steps": [
            wait("wait", days=14),
            still("again", full, "exited"),
            {
                "id": "opportunity",
                "kind": "opportunity",
                "name": _("More seats"),
                "opportunity": "upsell",
                "expected_in_days": 60,
            },
            task(
                "talk",
                _("Nearly all seats are in use: talk about more"),
                _("Ask which team is next before you speak of a price. The opportunity is open already."),
                due=5,
            ),
        ],
    }


register(
    Ready(
        key="expansion-signal",
        place=9,
        icon="opportunity",
        name=gettext_lazy("Sign of expansion"),
        description=gettext_lazy(
            "Nine of ten seats have been in use for two weeks and health is good: an opportunity and a talk."
        ),
        make=_make,
    )
)
