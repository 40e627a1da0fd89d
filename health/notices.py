"""What people are told of health."""

from __future__ import annotations

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from notifications.kinds import Channel, Kind, Told, register
from notifications.notices import account_page, owner


def _dropped(told: Told) -> str:
    words = {
        "account": told.account,
        "before": round(told.data["before"]),
        "score": round(told.data["score"]),
    }
    return _("The health of %(account)s fell from %(before)s to %(score)s within a week.") % words


register(
    Kind(
        key="health.dropped",
        label=gettext_lazy("The health of one of my accounts falls far"),
        icon="health",
        channel=Channel.AT_ONCE,
        words=_dropped,
        page=account_page,
        event="health.dropped",
        concerns=owner,
    )
)
