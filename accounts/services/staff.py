"""How much people work and when they are away."""

from __future__ import annotations

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from accounts.models import Leave, User
from common.errors import Conflict, DomainError, NotAllowed

MOST_HOURS = 80
LONGEST_LEAVE_DAYS = 730


@transaction.atomic
def set_capacity(*, user: User, weekly_hours: int, is_senior: bool, by: User) -> User:
    """Keep how many hours a week somebody has for work with customers, and whether they get difficult accounts.

    Raises NotAllowed for who does not lead, and DomainError for hours outside 0 to 80.
    """
    if not by.leads:
        raise NotAllowed(_("Only leaders and admins set hours; ask one."))
    if not 0 <= weekly_hours <= MOST_HOURS:
        message = _("Give 0 to %(most)s hours a week.") % {"most": MOST_HOURS}
        raise DomainError(message, code="bad_hours", fields={"weekly_hours": message})
    user.weekly_hours, user.is_senior = weekly_hours, is_senior
    user.save(update_fields=["weekly_hours", "is_senior"])
    return user


@transaction.atomic
def save_leave(*, leave: Leave, by: User) -> Leave:
    """Keep a new or changed leave.

    Raises NotAllowed for somebody else's, save for who leads; DomainError for days in the wrong order and for a cover
    who cannot work on accounts; Conflict when the person is away on some of the days already.
    """
    _may_plan(leave.user, by)
    if leave.pk is not None:
        _may_plan(Leave.objects.select_related("user").get(pk=leave.pk).user, by)
    if leave.ends_on < leave.starts_on or (leave.ends_on - leave.starts_on).days > LONGEST_LEAVE_DAYS:
        message = _("Choose a last day that is not before the first, and at most two years after it.")
        raise DomainError(message, code="bad_leave", fields={"ends_on": message})
    if leave.cover is not None and (
        leave.cover == leave.user or not User.objects.working().filter(pk=leave.cover.pk).exists()
    ):
        message = _("%(name)s cannot cover; choose another colleague who works on accounts.") % {"name": leave.cover}
        raise DomainError(message, code="unsuitable_cover", fields={"cover": message})
    try:
        with transaction.atomic():
            leave.save()
    except IntegrityError as error:
        if "one_at_a_time" not in str(error):
            raise
        message = _("%(name)s is away on some of these days already.") % {"name": leave.user}
        raise Conflict(message, code="leave_overlaps", fields={"starts_on": message}) from error
    return leave


@transaction.atomic
def delete_leave(*, leave: Leave, by: User) -> None:
    """Take a leave back; raises NotAllowed for somebody else's, save for who leads."""
    _may_plan(leave.user, by)
    leave.delete()


def _may_plan(user: User, by: User) -> None:
    if user != by and not by.leads:
        raise NotAllowed(_("You plan your own leave; ask a leader about that of others."))
