"""What a holdout has found, as its page shows it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from django.utils.translation import gettext as _

from common.templatetags.amounts import number, share
from playbooks.queries.effect import ArmCount, Effect, Results


@dataclass(frozen=True, slots=True)
class EffectRow:
    """One line of the verdict: an arm, or the difference of both; shares from -1 to 1, ``value`` None when unknown."""

    name: str
    accounts: int | None
    met: int | None
    value: float | None
    low: float
    high: float
    is_difference: bool = False

    @property
    def shown(self) -> str:
        if self.value is None:
            return "–"
        return signed(self.value) if self.is_difference else share(self.value, 1)

    @property
    def shown_interval(self) -> str:
        if self.value is None:
            return "–"
        if self.is_difference:
            return _("%(low)s to %(high)s") % {"low": signed(self.low), "high": signed(self.high)}
        return _("%(low)s to %(high)s") % {"low": share(self.low, 1), "high": share(self.high, 1)}


def effect_rows(results: Results) -> list[EffectRow]:
    """The arms, and what is between them once it is told."""
    rows = list(map(_arm_row, (results.treated, results.held_out)))
    if (found := results.effect) is not None:
        rows.append(EffectRow(_("Difference"), None, None, found.difference, found.low, found.high, True))
    return rows


def _arm_row(arm: ArmCount) -> EffectRow:
    low, high = arm.interval
    return EffectRow(str(arm.arm.label), arm.measured, arm.met, arm.share, low, high)


def scale_of(rows: Iterable[EffectRow]) -> tuple[float, float]:
    """From where to where the plot of these rows goes, in steps of a tenth; zero is always on it."""
    low = min(0.0, *(row.low for row in rows))
    high = max(0.1, *(row.high for row in rows))
    return -_tenths_up(-low), _tenths_up(high)


def _tenths_up(part: float) -> float:
    return -(-part * 100 // 10) / 10 if part > 0 else 0.0


def signed(part: float) -> str:
    """A difference of shares in points of a hundred, with its sign."""
    points = number(abs(part) * 100, 1)
    return f"+{points}" if part > 0 else f"−{points}" if part < 0 else points


def verdict(found: Effect) -> str:
    """What was found, in a sentence."""
    given = {"points": number(abs(found.difference) * 100, 1), "low": signed(found.low), "high": signed(found.high)}
    if not found.is_shown:
        return (
            _("No effect is shown: with 95 %% certainty it lies between %(low)s and %(high)s accounts of 100.") % given
        )
    if found.difference > 0:
        return _("Of 100 accounts %(points)s more reached the outcome with the playbook.") % given
    return _("Of 100 accounts %(points)s fewer reached the outcome with the playbook.") % given
