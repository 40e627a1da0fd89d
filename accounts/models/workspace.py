from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import date, datetime
from zoneinfo import ZoneInfo, available_timezones

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import models
from django.utils.translation import gettext_lazy as _

from common import clock

_kept: ContextVar[list[Workspace] | None] = ContextVar("workspace", default=None)


def validate_time_zone(name: str) -> None:
    """Refuse a name that the time zone database does not know."""
    if name not in available_timezones():
        raise ValidationError(
            _("“%(name)s” is not a time zone; use a name such as Europe/Sofia."), params={"name": name}
        )


class Workspace(models.Model):
    """The one company that this deployment serves, and the calendar and currency that its figures are in."""

    id = models.PositiveSmallIntegerField(primary_key=True, default=1, editable=False)
    name = models.CharField(max_length=200, default="CS Platform")
    time_zone = models.CharField(max_length=64, default="UTC", validators=[validate_time_zone])
    currency = models.CharField(max_length=3, default="USD")
    language = models.CharField(max_length=10, choices=settings.LANGUAGES, default="en")
    holiday_country = models.CharField(max_length=2, blank=True)
    csms_see_only_their_book = models.BooleanField(default=False)

    class Meta:
        constraints = [models.CheckConstraint(condition=models.Q(id=1), name="accounts_workspace_is_one")]

    def __str__(self) -> str:
        return self.name

    @classmethod
    def current(cls) -> Workspace:
        """The workspace; made with its defaults when the deployment is new."""
        kept = _kept.get()
        if kept is None:
            return cls.objects.get_or_create(id=1)[0]
        if not kept:
            kept.append(cls.objects.get_or_create(id=1)[0])
        return kept[0]

    @classmethod
    @contextmanager
    def read_once(cls) -> Iterator[None]:
        """Within this, ``current`` reads the row the first time only: a page asks for it in many places."""
        token = _kept.set([])
        try:
            yield
        finally:
            _kept.reset(token)

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.time_zone)

    def day(self, instant: datetime) -> date:
        """The workspace's calendar day at ``instant``."""
        return clock.local_day(instant, self.zone)


class Heartbeat(models.Model):
    """When a periodic process was last seen alive; one row a process name."""

    name = models.CharField(max_length=64, primary_key=True)
    beat_at = models.DateTimeField()

    def __str__(self) -> str:
        return self.name
