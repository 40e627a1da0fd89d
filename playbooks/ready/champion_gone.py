"""The person who carried us at the customer is gone."""

from __future__ import annotations

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from playbooks.ready.base import Json, Ready, fact, register, task, when


def _make(_feature: str) -> Json:
    return {
        "entry": when(fact("contacts.sponsor_lost", "is", True)),
        "goal": fact("contacts.sponsor_lost", "is", False),
        "reentry_after_days": 90,
        "priority": 70,
        "steps": [
            task(
                "who",
                _("The champion is gone: find out who follows"),
                _(
                    "- Ask who takes over, and whether the old champion introduces you.\n"
                    "- Congratulate the old one: their new company may need you too."
                ),
                severity=3,
                due=2,
            ),
            {
                "id": "found",
                "kind": "wait_until",
                "condition": fact("contacts.sponsor_lost", "is", False),
                "days": 21,
                "otherwise": "sponsor",
            },
            {"id": "welcome", "kind": "stop"},
            task(
                "sponsor",
                _("Three weeks without a champion: go to the sponsor"),
                _("Bring what was reached so far. Whoever is new often brings the tool that they know."),
                severity=4,
                due=3,
            ),
        ],
    }


register(
    Ready(
        key="champion-gone",
        place=7,
        icon="contact",
        name=gettext_lazy("Champion gone"),
        description=gettext_lazy(
            "The champion or the decision maker has left. A new one is looked for; after"
            " three weeks without one the sponsor is asked."
        ),
        make=_make,
    )
)
