from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import TYPE_CHECKING

from django.conf import settings
from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import DateRangeField, RangeOperators
from django.db import models
from django.db.models import Case, F, Func, Q, Value, When

if TYPE_CHECKING:
    from accounts.models.user import User


class LeaveQuerySet(models.QuerySet["Leave"]):
    def on(self, day: date) -> LeaveQuerySet:
        """The leaves that ``day`` belongs to."""
        return self.filter(starts_on__lte=day, ends_on__gte=day)

    def covers_on(self, day: date) -> dict[int, int | None]:
        """Everybody who is away on ``day``, with the one named as their cover, as ``follow_covers`` takes it.

        A cover who does not work here any more is none.
        """
        named = Case(When(cover__is_active=True, then=F("cover")))
        return dict(self.on(day).annotate(named=named).values_list("user", "named"))

    def covered_by(self, user: User, day: date) -> list[int]:
        """The people whose work is with ``user`` on ``day``, because they are away."""
        covers = self.covers_on(day)
        return [away for away in covers if follow_covers(away, covers) == user.pk]


class Leave(models.Model):
    """The days, the last one included, on which somebody of the staff is away, and the colleague who covers for them.

    Days are those of the workspace.
    """

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="leaves")
    starts_on = models.DateField()
    ends_on = models.DateField()
    cover = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="covers"
    )

    objects = LeaveQuerySet.as_manager()

    class Meta:
        ordering = ["starts_on", "id"]
        constraints = [
            models.CheckConstraint(condition=Q(ends_on__gte=F("starts_on")), name="accounts_leave_ends_after_start"),
            models.CheckConstraint(condition=~Q(cover=F("user")), name="accounts_leave_covered_by_another"),
            ExclusionConstraint(
                name="accounts_leave_one_at_a_time",
                expressions=[
                    (F("user"), RangeOperators.EQUAL),
                    (
                        Func("starts_on", "ends_on", Value("[]"), function="daterange", output_field=DateRangeField()),
                        RangeOperators.OVERLAPS,
                    ),
                ],
            ),
        ]

    def __str__(self) -> str:
        return f"{self.user_id} {self.starts_on}–{self.ends_on}"


def follow_covers(person: int, covers: Mapping[int, int | None]) -> int | None:
    """Who works for ``person``: themselves, or when they are away whoever covers, and whoever covers for that one.

    ``covers`` has everybody who is away, with the one named as their cover. None when nobody is left: a chain that
    ends with somebody away whom nobody covers, or that leads back to where it was.
    """
    seen: set[int] = set()
    while person in covers:
        if person in seen or (cover := covers[person]) is None:
            return None
        seen.add(person)
        person = cover
    return person
