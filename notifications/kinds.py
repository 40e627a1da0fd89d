"""What people can be told. Each app declares its kinds in its ``notices`` module; a new one touches nothing else."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from django.db import models
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from accounts.models import Event, User


class Channel(models.TextChoices):
    """How somebody is told. Whatever it is, it also stands in the app; only ``off`` tells nothing."""

    AT_ONCE = "at_once", _("By email at once")
    DIGEST = "digest", _("In the daily email")
    APP = "app", _("Only here")
    OFF = "off", _("Not at all")


@dataclass(frozen=True, slots=True)
class Told:
    """What a notification is about: the account, if there is one, and what was kept when it happened."""

    account_id: int | None
    account: str
    data: Mapping[str, Any]


class Staff:
    """Who is who among the staff, read once for many events."""

    @cached_property
    def admins(self) -> list[int]:
        """The ids of the admins who are here."""
        return list(User.objects.filter(is_active=True, role=User.Role.ADMIN).values_list("pk", flat=True))


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of notification.

    ``words`` and ``page`` make its sentence and its address when it is read, in the reader's language. ``event`` is the
    ledger's kind that it comes of, ``concerns`` the ids of those it is for, and ``icon`` one of ``assets/icons.mjs``.
    Who did something is never told of it. A kind without an event is told by ``services.notify``.
    """

    key: str
    label: str | Promise
    icon: str
    channel: Channel
    words: Callable[[Told], str]
    page: Callable[[Told], str]
    event: str = ""
    concerns: Callable[[Event, Staff], Iterable[int | None]] = field(default=lambda _event, _staff: ())


KINDS: dict[str, Kind] = {}


def register(kind: Kind) -> Kind:
    """Make a kind known under its key; raises ValueError for a key that is taken."""
    if kind.key in KINDS:
        raise ValueError(f"notification {kind.key} is declared twice")
    KINDS[kind.key] = kind
    return kind
