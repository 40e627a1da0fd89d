"""Tags of accounts."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from accounts.models import Account, User
from accounts.services.ledger import record
from common.errors import DomainError
from common.text import storable

LONGEST = 64


@transaction.atomic
def change_tags(
    *, account: Account, add: Collection[str], remove: Collection[str], by: User | None, now: datetime, reason: str = ""
) -> tuple[list[str], list[str]]:
    """Put tags on the account and take others off; returns which it did not have, and which it had.

    Raises DomainError for a tag that cannot be one.
    """
    for tag in add:
        check_tag(tag)
    locked = Account.objects.select_for_update(of=("self",)).get(pk=account.pk)
    added = [tag for tag in dict.fromkeys(add) if tag not in locked.tags]
    removed = [tag for tag in dict.fromkeys(remove) if tag in locked.tags]
    if added or removed:
        locked.tags = [*(tag for tag in locked.tags if tag not in removed), *added]
        locked.save(update_fields=["tags", "updated_at"])
        account.tags = locked.tags
        data = {"added": added, "removed": removed, "reason": reason}
        record(account=account, kind="account.tagged", happened_at=now, user=by, data=data)
    return added, removed


def check_tag(tag: str) -> None:
    """Raise DomainError for what cannot be a tag."""
    if not tag or tag != tag.strip() or len(tag) > LONGEST or "," in tag or not storable(tag):
        raise DomainError(
            _("“%(tag)s” cannot be a tag: it has 1 to %(most)s characters and no comma.")
            % {"tag": tag[:LONGEST], "most": LONGEST},
            code="bad_tag",
        )
