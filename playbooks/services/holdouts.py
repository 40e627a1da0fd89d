"""Holdouts: some of a playbook's entrants are only watched, and what came of both is written down when it is due."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping
from datetime import date, datetime, timedelta
from hashlib import sha256
from typing import Any

from django.db import DataError, IntegrityError, transaction
from django.db.models import Count, Q
from django.utils.translation import gettext as _

from accounts.attributes import Scope
from accounts.conditions import matching_ids, parse
from accounts.models import User, Workspace
from common.clock import add_days
from common.errors import Conflict, DomainError, NotAllowed
from common.locks import only_one
from common.sql import rows
from health.models import HealthScore
from playbooks.models import Holdout, HoldoutMember, Playbook

LEAST_SHARE, MOST_SHARE = 5, 50
LONGEST = 365
STICK = 2
"""So many accounts more or fewer than its share one arm may have within a band, before chance stops deciding."""
AT_ONCE = 10_000

Arm = HoldoutMember.Arm


def start_holdout(
    *,
    playbook: Playbook,
    share: int,
    outcome: dict[str, Any],
    after_days: int,
    base_rate: float,
    verdict_on: date,
    by: User,
    now: datetime,
) -> Holdout:
    """From now on hold out ``share`` of a hundred accounts that enter by themselves, and compare on ``verdict_on``.

    ``outcome`` is looked at ``after_days`` after each entered; ``base_rate`` is how many of a hundred are expected to
    fulfil it anyway. Raises DomainError that names the field and the remedy, NotAllowed for anybody but an admin, and
    Conflict when the playbook is not on or has a holdout already.
    """
    if not by.is_admin:
        raise NotAllowed(_("Only an admin can do this; ask one."))
    _check(share, after_days, base_rate, verdict_on, Workspace.current().day(now))
    parse(outcome)
    if playbook.status != Playbook.Status.LIVE:
        raise Conflict(_("“%(playbook)s” is not switched on; publish or resume it first.") % {"playbook": playbook})
    try:
        with transaction.atomic():
            return Holdout.objects.create(
                playbook=playbook,
                share=share,
                outcome=outcome,
                after_days=after_days,
                base_rate=base_rate,
                verdict_on=verdict_on,
                started_at=now,
                started_by=by,
            )
    except IntegrityError:
        raise Conflict(
            _("“%(playbook)s” has a holdout already; end that one first.") % {"playbook": playbook}
        ) from None


def stop_holdout(*, holdout: Holdout, by: User, now: datetime) -> Holdout:
    """End a holdout before its day, without a verdict: whoever was held out is treated from now on.

    Raises NotAllowed for anybody but an admin and Conflict when it has ended.
    """
    if not by.is_admin:
        raise NotAllowed(_("Only an admin can do this; ask one."))
    with transaction.atomic():
        changed = Holdout.objects.filter(pk=holdout.pk, stopped_at=None).update(stopped_at=now)
        holdout.refresh_from_db()
        if not changed:
            raise Conflict(_("This holdout has ended already."), code="holdout_changed")
        holdout.playbook.runs.live().filter(is_held_out=True).update(is_held_out=False)
    return holdout


def held_out_of(playbook: Playbook, account_ids: Collection[int], now: datetime) -> set[int]:
    """Which of these accounts, which enter now, are to be only watched; writes down the arm of those that are new.

    Called in the transaction that begins their runs, with the playbook's row locked. An account keeps its arm when it
    enters again. Chance is the hash of playbook and account; within each health band an arm that is more than STICK
    accounts from its share gets the next one (the big stick design of Soares and Wu, 1983).
    """
    holdout = _measuring(playbook)
    if holdout is None or not account_ids:
        return set()
    arms, new = _arms(holdout, account_ids, now)
    due_at = _due_at(holdout, now)
    HoldoutMember.objects.bulk_create(
        HoldoutMember(holdout=holdout, account_id=account, arm=arm, band=band, entered_at=now, due_at=due_at)
        for account, (arm, band) in new.items()
    )
    return _only_watched(arms, new)


def would_be_held_out(playbook: Playbook, account_ids: Collection[int], now: datetime) -> set[int]:
    """Which of these accounts would only be watched if all of them entered now; writes nothing."""
    holdout = _measuring(playbook)
    return set() if holdout is None or not account_ids else _only_watched(*_arms(holdout, account_ids, now))


def _measuring(playbook: Playbook) -> Holdout | None:
    return Holdout.objects.filter(playbook=playbook, stopped_at=None).first()


def _due_at(holdout: Holdout, now: datetime) -> datetime:
    return add_days(now, holdout.after_days, Workspace.current().zone)


def _arms(
    holdout: Holdout, account_ids: Collection[int], now: datetime
) -> tuple[dict[int, str], dict[int, tuple[Arm, str]]]:
    """The arms of those that have one, and, while it enrols, those that are drawn for the others with their bands."""
    members = HoldoutMember.objects.filter(holdout=holdout)
    arms: dict[int, str] = dict(members.filter(account__in=account_ids).values_list("account_id", "arm"))
    if Workspace.current().day(_due_at(holdout, now)) > holdout.verdict_on:
        return arms, {}
    return arms, _draw(holdout, sorted(set(account_ids) - arms.keys()))


def _only_watched(arms: Mapping[int, str], new: Mapping[int, tuple[Arm, str]]) -> set[int]:
    drawn = {account: arm for account, (arm, _band) in new.items()}
    return {account for account, arm in {**arms, **drawn}.items() if arm == Arm.HELD_OUT}


def _draw(holdout: Holdout, account_ids: Collection[int]) -> dict[int, tuple[Arm, str]]:
    """An arm and the band for each account that has none, in the order of the hashes."""
    bands = _bands(account_ids)
    entered, held = _counts(holdout)
    chance = {account: luck(holdout.playbook_id, account) for account in account_ids}
    drawn: dict[int, tuple[Arm, str]] = {}
    for account in sorted(account_ids, key=chance.__getitem__):
        band = bands.get(account, "")
        arm = draw(chance[account], holdout.share / 100, entered=entered[band], held=held[band])
        entered[band] += 1
        held[band] += arm == Arm.HELD_OUT
        drawn[account] = arm, band
    return drawn


def luck(playbook_id: int, account_id: int) -> float:
    """A number from 0 up to 1 that depends on nothing but the playbook and the account, and looks like chance."""
    digest = sha256(f"playbook:{playbook_id}:account:{account_id}".encode()).digest()
    return int.from_bytes(digest[:8]) / 2**64


def draw(chance: float, share: float, *, entered: int, held: int) -> Arm:
    """The arm of the next account of a band of which ``held`` of ``entered`` are held out, ``share`` being wanted."""
    surplus = held - entered * share
    if surplus > STICK:
        return Arm.TREATED
    if surplus < -STICK:
        return Arm.HELD_OUT
    return Arm.HELD_OUT if chance < share else Arm.TREATED


def _bands(account_ids: Collection[int]) -> Mapping[int, str]:
    scores = HealthScore.objects.overall().filter(account__in=account_ids)
    return {account: band or "" for account, band in scores.values_list("account_id", "band")}


def _counts(holdout: Holdout) -> tuple[Counter[str], Counter[str]]:
    """How many accounts of each band have entered, and how many of those are held out."""
    entered: Counter[str] = Counter()
    held: Counter[str] = Counter()
    for band, both, some in holdout.members.values_list("band").annotate(
        both=Count("pk"), some=Count("pk", filter=Q(arm=Arm.HELD_OUT))
    ):
        entered[band], held[band] = both, some
    return entered, held


def measure_holdouts(*, now: datetime) -> int:
    """Look at the outcome of every account for which it is due, and close holdouts whose day has come; returns how
    many were looked at. One statement per holdout and AT_ONCE accounts; safe to run twice.
    """
    measured = 0
    for holdout in Holdout.objects.filter(stopped_at=None):
        with only_one(f"playbooks.holdout.{holdout.pk}") as alone:
            if alone:
                measured += _measure(holdout, now)
                _close(holdout, now)
    return measured


def _measure(holdout: Holdout, now: datetime) -> int:
    due = holdout.members.filter(measured_at=None, due_at__lte=now)
    measured = 0
    while ids := list(due.order_by("account").values_list("account_id", flat=True)[:AT_ONCE]):
        try:
            with transaction.atomic():
                met = [row[0] for row in rows(matching_ids(holdout.outcome, now=now, scope=Scope.ids(ids)))]
        except (DomainError, DataError) as error:
            Holdout.objects.filter(pk=holdout.pk).update(problem=str(error))
            return measured
        chosen = holdout.members.filter(account__in=ids, measured_at=None)
        chosen.filter(account__in=met).update(is_met=True, measured_at=now)
        measured += len(ids)
        chosen.update(is_met=False, measured_at=now)
    return measured


def _close(holdout: Holdout, now: datetime) -> None:
    """End a holdout once its day has come and every outcome is known; whoever was held out is treated from then on."""
    if Workspace.current().day(now) < holdout.verdict_on or holdout.members.filter(measured_at=None).exists():
        return
    Holdout.objects.filter(pk=holdout.pk, stopped_at=None).update(stopped_at=now, problem="")
    holdout.playbook.runs.live().filter(is_held_out=True).update(is_held_out=False)


def _check(share: int, after_days: int, base_rate: float, verdict_on: date, today: date) -> None:
    wrong: dict[str, Any] = {}
    if not LEAST_SHARE <= share <= MOST_SHARE:
        wrong["share"] = _("Give a whole number from %(low)s to %(high)s.") % {"low": LEAST_SHARE, "high": MOST_SHARE}
    if not 1 <= after_days <= LONGEST:
        wrong["after_days"] = _("Give a whole number from %(low)s to %(high)s.") % {"low": 1, "high": LONGEST}
    if not 0 < base_rate < 100:
        wrong["base_rate"] = _("Give a number above 0 and below 100.")
    if not wrong and not timedelta(days=after_days) < verdict_on - today <= timedelta(days=2 * LONGEST):
        wrong["verdict_on"] = _(
            "Give a day more than %(days)s days from today, so that outcomes are known by then."
        ) % {"days": after_days}
    if wrong:
        raise DomainError(next(iter(wrong.values())), code="bad_holdout", fields=wrong)
