"""What people are told of answers to surveys."""

from __future__ import annotations

from collections.abc import Iterable

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.models import Event
from notifications.kinds import Channel, Kind, Staff, Told, register
from notifications.notices import account_page, owner


def _owner_of_unhappy(event: Event, staff: Staff) -> Iterable[int | None]:
    return owner(event, staff) if event.data.get("category") == "detractor" else ()


def _owner_of_others(event: Event, staff: Staff) -> Iterable[int | None]:
    return owner(event, staff) if event.data.get("category") != "detractor" else ()


def _answered(told: Told) -> str:
    return _("Somebody at %(account)s answered a survey with %(score)s.") % {
        "account": told.account,
        "score": told.data["score"],
    }


register(
    Kind(
        key="survey.detractor",
        label=gettext_lazy("A customer of mine answers that they are unhappy"),
        icon="alert",
        channel=Channel.AT_ONCE,
        words=_answered,
        page=account_page,
        event="survey.answered",
        concerns=_owner_of_unhappy,
    )
)
register(
    Kind(
        key="survey.answered",
        label=gettext_lazy("A customer of mine answers a survey otherwise"),
        icon="survey",
        channel=Channel.DIGEST,
        words=_answered,
        page=account_page,
        event="survey.answered",
        concerns=_owner_of_others,
    )
)
