"""A feature that nobody can do without has stopped."""

from __future__ import annotations

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from playbooks.ready.base import Json, Ready, every, fact, register, still, task, wait, when


def _make(feature: str) -> Json:
    stopped = fact(f"usage.{feature}.7d", "lt", 1)
    return {
        "entry": when(stopped),
        "audience": every(fact("customer_days", "gte", 30), fact(f"usage.{feature}.28d_before", "gte", 1)),
        "reentry_after_days": 30,
        "priority": 80,
        "steps": [
            wait("wait", days=1),
            still("again", stopped),
            task(
                "call",
                _("An essential feature has stopped: call today"),
                _(
                    "- Check the status page and open tickets first.\n"
                    "- Call the champion; if nobody answers, the decision maker.\n"
                    "- Write down what would have to happen until Friday."
                ),
                severity=4,
                due=1,
            ),
            wait("week", days=7),
            still("later", stopped),
            {
                "id": "tell",
                "kind": "notify",
                "whom": "leaders",
                "text": _("{{ account.name }} has not used an essential feature for two weeks."),
                "how": "mail",
            },
        ],
    }


register(
    Ready(
        key="essential-feature",
        place=2,
        icon="alert",
        name=gettext_lazy("Essential feature stopped"),
        description=gettext_lazy(
            "Something that nobody can do without is not used at all. It waits only a"
            " day; after a week the leaders are told."
        ),
        make=_make,
        asks_feature=True,
    )
)
