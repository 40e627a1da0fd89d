from __future__ import annotations

from datetime import datetime, timedelta

from django.db import transaction
from django.utils.translation import gettext as _

from accounts.models import Account, Rating, User
from accounts.services.ledger import record
from common.errors import Conflict, DomainError, NotAllowed

FAST_CLOCK = timedelta(minutes=10)


@transaction.atomic
def rate_account(
    *,
    account: Account,
    user: User | None,
    value: int,
    now: datetime,
    rated_at: datetime | None = None,
    comment: str = "",
) -> Rating:
    """Keep how somebody feels an account is doing, 1 to 5 as in ``Rating.Value``, now or at ``rated_at``.

    Raises DomainError for another value, and for a time that is still to come.
    """
    if value not in Rating.Value.values:
        message = _("Rate from 1 to 5.")
        raise DomainError(message, code="rating_invalid", fields={"value": message})
    if rated_at is not None and rated_at > now + FAST_CLOCK:
        message = _("Choose a time that has passed.")
        raise DomainError(message, code="rated_ahead", fields={"rated_at": message})
    rating = Rating.objects.create(account=account, user=user, value=value, comment=comment, rated_at=rated_at or now)
    record(
        account=account,
        kind="account.rated",
        happened_at=rating.rated_at,
        user=user,
        data={"rating": rating.pk, "value": value},
    )
    return rating


@transaction.atomic
def withdraw_rating(*, rating: Rating, by: User, now: datetime) -> None:
    """Take back a rating that was given by mistake; the ledger keeps that it was, and who took it back.

    Raises NotAllowed for somebody else's, save for admins, and Conflict when it was taken back already.
    """
    if rating.user_id != by.pk and not by.is_admin:
        raise NotAllowed(_("Only the person who rated, or an admin, can take it back."))
    if not Rating.objects.filter(pk=rating.pk).delete()[0]:
        raise Conflict(_("This was taken back already."), code="rating_withdrawn")
    record(
        account=rating.account,
        kind="account.rating_withdrawn",
        happened_at=now,
        user=by,
        data={"rating": rating.pk, "value": rating.value},
    )
