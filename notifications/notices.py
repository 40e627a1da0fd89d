"""What people are told of accounts."""

from __future__ import annotations

from collections.abc import Iterable

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.models import Event
from notifications.kinds import Channel, Kind, Staff, Told, register


def account_page(told: Told) -> str:
    """The address of the account."""
    return reverse("console:account", args=[told.account_id]) if told.account_id else reverse("console:home")


def owner(event: Event, staff: Staff) -> Iterable[int | None]:
    """The account's CSM."""
    return [event.account.owner_id]


def _new_owner(event: Event, staff: Staff) -> Iterable[int | None]:
    return [event.data.get("to")]


def _given(told: Told) -> str:
    words = {"account": told.account, "before": told.data.get("from_name", "")}
    if words["before"]:
        return _("%(account)s is yours now; %(before)s had it.") % words
    return _("%(account)s is yours now.") % words


register(
    Kind(
        key="account.given",
        label=gettext_lazy("An account is given to me"),
        icon="accounts",
        channel=Channel.AT_ONCE,
        words=_given,
        page=account_page,
        event="account.assigned",
        concerns=_new_owner,
    )
)
