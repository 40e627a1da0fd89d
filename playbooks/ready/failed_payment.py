"""An invoice is overdue."""

from __future__ import annotations

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from playbooks.ready.base import Json, Ready, fact, register, task, wait, when


def _make(_feature: str) -> Json:
    return {
        "entry": when(fact("invoices.overdue", "gte", 1)),
        "goal": fact("invoices.overdue", "lt", 1),
        "reentry_after_days": 0,
        "steps": [
            wait("grace", business_days=3),
            task(
                "ask",
                _("An invoice is overdue: ask billing"),
                _("Most are an expired card or a missing order number. Ask the billing contact, kindly."),
                due=1,
            ),
            wait("week", days=7),
            task(
                "champion",
                _("An invoice is a week late: tell the champion"),
                _("They do not want to be switched off for a form. Ask who can solve it today."),
                severity=3,
                due=1,
            ),
            wait("second-week", days=7),
            task(
                "decide",
                _("An invoice is two weeks late: decide with your leader"),
                _("Is it a matter of money or of worth? Talk to the decision maker before anything is switched off."),
                severity=4,
                due=1,
            ),
        ],
    }


register(
    Ready(
        key="failed-payment",
        place=5,
        icon="money",
        name=gettext_lazy("Payment failed"),
        description=gettext_lazy(
            "An invoice is overdue: billing after three working days, the champion a week"
            " later, then the leader. Paid ends it."
        ),
        make=_make,
    )
)
