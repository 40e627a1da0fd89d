"""Somebody answered that they are unhappy."""

from __future__ import annotations

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from playbooks.ready.base import Json, Ready, fact, register, task


def _make(_feature: str) -> Json:
    return {
        "entry": {"kind": "event", "event": "survey.answered", "data": {"category": "detractor"}},
        "reentry_after_days": 7,
        "priority": 90,
        "steps": [
            task(
                "call",
                _("A customer is unhappy: call back"),
                _(
                    "- Read the answer aloud before you dial.\n"
                    "- Thank, listen, do not explain.\n"
                    "- Agree on one thing and a date, and write it down."
                ),
                severity=4,
                due=0,
            ),
            {
                "id": "talked",
                "kind": "wait_until",
                "condition": fact("touch.days_since", "lte", 1),
                "business_days": 2,
                "otherwise": "tell",
            },
            {"id": "done", "kind": "stop"},
            {
                "id": "tell",
                "kind": "notify",
                "whom": "leaders",
                "text": _("Nobody has talked to {{ account.name }} since they answered that they are unhappy."),
                "how": "choice",
            },
        ],
    }


register(
    Ready(
        key="detractor",
        place=6,
        icon="survey",
        name=gettext_lazy("Unhappy answer"),
        description=gettext_lazy(
            "Somebody answers that they are unhappy: a call the same day. If nobody talked"
            " to them in two days, the leaders know."
        ),
        make=_make,
    )
)
