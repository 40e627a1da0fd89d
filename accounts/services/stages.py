from __future__ import annotations

from datetime import datetime

from django.db import transaction

from accounts.models import Account, Stage, StageEntry, User
from accounts.services.ledger import record


@transaction.atomic
def enter_stage(
    *, account: Account, stage: Stage, by: User | None, now: datetime, reason: str = ""
) -> StageEntry | None:
    """Move the account into ``stage`` and keep the stay in the one before; None when it is there already."""
    locked = Account.objects.select_for_update(of=("self",)).select_related("stage").get(pk=account.pk)
    if locked.stage_id == stage.pk:
        return None
    StageEntry.objects.filter(account=account, left_at=None).update(left_at=now)
    entry = StageEntry.objects.create(account=account, stage=stage, entered_at=now, by=by, reason=reason)
    Account.objects.filter(pk=account.pk).update(stage=stage, stage_entered_at=now, updated_at=now)
    account.stage, account.stage_entered_at = stage, now
    record(
        account=account,
        kind="stage.entered",
        happened_at=now,
        user=by,
        data={"stage": stage.key, "from": locked.stage.key if locked.stage else None, "reason": reason},
    )
    return entry
