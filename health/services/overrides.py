"""Scores that people set by hand: with a reason, until a time, the formula's own beneath."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from math import isfinite

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from accounts.attributes import Scope
from accounts.models import Account, Event, User
from accounts.services.ledger import record_many
from common.doorbell import ring
from common.errors import Conflict, DomainError, NotAllowed, NotFound
from common.locks import only_one
from common.text import storable
from health.models import HealthScore, NamedScore, Override
from health.models.override import OverrideQuerySet
from health.services.compute import compute_health
from health.services.events import health_event

LONGEST_REASON = 500
LONGEST = timedelta(days=366)
AT_ONCE = 1_000


@transaction.atomic
def override_score(
    *, account: Account, named: NamedScore, score: float, reason: str, expires_at: datetime, by: User, now: datetime
) -> Override:
    """Set one score of an account by hand until ``expires_at``; the page shows it as soon as this commits.

    One that is live is ended by the same person. Raises DomainError when something is missing or out of range, or the
    account has no such score; NotAllowed and NotFound for who may not; Conflict when somebody else has just set it.
    """
    _refuse_outsiders(account, by)
    problems = _problems(score, reason, expires_at, now)
    before = HealthScore.objects.filter(account=account, named=named).first()
    if problems:
        raise DomainError(" ".join(problems.values()), code="override_invalid", fields=problems)
    if before is None:
        raise _no_score()
    replaced = _mark_ended(Override.objects.filter(account=account, named=named), by=by, now=now)
    try:
        with transaction.atomic():
            override = Override.objects.create(
                account=account,
                named=named,
                score=float(score),
                reason=reason.strip(),
                author=by,
                created_at=now,
                expires_at=expires_at,
            )
    except IntegrityError:
        raise _just_set() from None
    _begin(override, band_before=before.band, by=by, now=now, replaced=replaced)
    return override


@transaction.atomic
def end_override(*, override: Override, by: User, now: datetime) -> Override:
    """End an override before its time: what was computed counts again at once.

    Raises NotAllowed and NotFound for who may not, and Conflict when it has ended already.
    """
    _refuse_outsiders(override.account, by)
    if not _end(Override.objects.filter(pk=override.pk), by=by, now=now):
        raise Conflict(_("This score is not set by hand any more."), code="override_ended")
    override.refresh_from_db()
    return override


@transaction.atomic
def take_back_override(*, override: Override, by: User, now: datetime) -> Override | None:
    """Undo setting a score: end the override, and let the one that it replaced hold again, which is returned.

    Raises as ``end_override`` does.
    """
    end_override(override=override, by=by, now=now)
    replaced = Override.objects.filter(
        account=override.account_id,
        named=override.named_id,
        ended_at=override.created_at,
        ended_by=override.author_id,
        expires_at__gt=now,
    )
    former = replaced.exclude(pk=override.pk).first()
    return restore_override(override=former, by=by, now=now) if former else None


@transaction.atomic
def restore_override(*, override: Override, by: User, now: datetime) -> Override:
    """Undo ending an override: it holds again until its time.

    Raises NotAllowed and NotFound for who may not, and Conflict when its time is over, it is live, or another one is.
    """
    _refuse_outsiders(override.account, by)
    before = HealthScore.objects.filter(account=override.account_id, named=override.named_id).first()
    try:
        with transaction.atomic():
            restored = Override.objects.filter(pk=override.pk, ended_at__isnull=False, expires_at__gt=now).update(
                ended_at=None, ended_by=None
            )
    except IntegrityError:
        raise _just_set() from None
    if not restored or before is None:
        raise Conflict(_("This cannot be taken back any more; set the score anew."), code="override_over")
    override.refresh_from_db()
    _begin(override, band_before=before.band, by=by, now=now)
    return override


def expire_overrides(*, now: datetime) -> int:
    """End every override whose time is over, each once however many do this at once; returns how many."""
    with only_one("health.overrides") as alone:
        if not alone:
            return 0
        return _end(Override.objects.expired(now), by=None, now=now, limit=AT_ONCE)


def _refuse_outsiders(account: Account, by: User) -> None:
    if not by.can_edit:
        raise NotAllowed(_("Viewers can read everything and change nothing; ask an admin for another role."))
    if not Account.objects.visible_to(by).filter(pk=account.pk).exists():
        raise NotFound(_("There is no such account."))


def _problems(score: float, reason: str, expires_at: datetime, now: datetime) -> dict[str, str]:
    problems = {}
    if isinstance(score, bool) or not isfinite(score) or not 0 <= score <= 100:
        problems["score"] = _("Give a number from 0 to 100.")
    if not reason.strip() or len(reason.strip()) > LONGEST_REASON or not storable(reason):
        problems["reason"] = _("Say in 1 to %(most)s characters why.") % {"most": LONGEST_REASON}
    if expires_at <= now:
        problems["expires_at"] = _("Choose a time that is still to come.")
    elif expires_at > now + LONGEST:
        problems["expires_at"] = _("Choose a time within a year; it can be set anew then.")
    return problems


def _no_score() -> DomainError:
    message = _("This account has no such score to set: no profile decides it.")
    return DomainError(message, code="no_score", fields={"score": message})


def _just_set() -> Conflict:
    return Conflict(
        _("Somebody else has just set this score by hand; look at theirs before you replace it."),
        code="override_exists",
    )


def _begin(override: Override, *, band_before: str, by: User, now: datetime, replaced: Sequence[Override] = ()) -> None:
    """Compute the account with the override, and write the event, and those of what it replaced."""
    compute_health(scope=Scope.ids([override.account_id]), now=now)
    row = HealthScore.objects.filter(account=override.account_id, named=override.named_id).first()
    if row is None:
        raise _no_score()
    if row.override_id != override.pk:
        raise Conflict(
            _("This score stands still, because what its segment is decided by cannot be read; mend that first."),
            code="score_stands_still",
        )
    record_many(
        [
            *(_ended(former, row, now=now, is_replaced=True) for former in replaced),
            health_event(
                "overridden",
                named=override.named,
                account_id=override.account_id,
                happened_at=now,
                user=by,
                data={
                    "override": override.pk,
                    "score": override.score,
                    "computed": row.computed_score,
                    "from": band_before,
                    "to": row.band,
                    "reason": override.reason,
                    "until": override.expires_at.isoformat(),
                },
            ),
        ]
    )
    ring("playbooks.tick")


def _end(overrides: OverrideQuerySet, *, by: User | None, now: datetime, limit: int | None = None) -> int:
    """End those of ``overrides`` that nobody has ended yet, compute their accounts, write the events; how many."""
    ended = _mark_ended(overrides, by=by, now=now, limit=limit)
    if not ended:
        return 0
    accounts = {override.account_id for override in ended}
    compute_health(scope=Scope.ids(accounts), now=now)
    found = HealthScore.objects.filter(account__in=accounts).select_related("profile")
    rows = {(row.account_id, row.named_id): row for row in found}
    record_many([_ended(override, rows.get((override.account_id, override.named_id)), now=now) for override in ended])
    ring("playbooks.tick")
    return len(ended)


def _mark_ended(
    overrides: OverrideQuerySet, *, by: User | None, now: datetime, limit: int | None = None
) -> list[Override]:
    """End those of ``overrides`` that nobody has ended yet; past their time they expired, whoever came across them."""
    held = overrides.filter(ended_at=None).select_for_update(of=["self"], skip_locked=by is None)
    ended = list(held.select_related("named").order_by("expires_at", "pk")[:limit])
    for override in ended:
        override.ended_at = now
        override.ended_by = None if override.expires_at <= now else by
    Override.objects.bulk_update(ended, ["ended_at", "ended_by"])
    return ended


def _ended(override: Override, row: HealthScore | None, *, now: datetime, is_replaced: bool = False) -> Event:
    """The event of an override's end: which band it held, and in which the account is now."""
    how = "expired" if override.ended_by is None else "replaced" if is_replaced else "ended"
    return health_event(
        "override_ended",
        named=override.named,
        account_id=override.account_id,
        happened_at=now,
        user=override.ended_by,
        data={
            "override": override.pk,
            "score": override.score,
            "computed": (row.computed_score if row.override_id else row.score) if row else None,
            "from": row.profile.band_of(override.score) if row else "",
            "to": row.band if row else "",
            "how": how,
        },
    )
