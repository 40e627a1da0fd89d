"""What the page of a simulation shows: the matrix, the spread as a plot, the accounts that were lost, and words."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any
from urllib.parse import urlencode

from django.db.models import F
from django.utils.functional import Promise
from django.utils.translation import gettext as _

from common.templatetags.ui import BAND_LABELS
from console.plots import line_chart
from health.models import NamedScore, SimulatedLoss, Simulation
from health.queries.simulation import BANDS, Findings, Move, Spread

LOST_PAGE = 10


@dataclass(frozen=True, slots=True)
class Cell:
    """The accounts of one move: how many, their MRR, where they are listed, and whether they stay in their band.

    A sum is not listed.
    """

    count: int
    mrr: Decimal
    url: str
    stays: bool = False


@dataclass(frozen=True, slots=True)
class MatrixRow:
    """One band in force over the bands of the draft, and its sum."""

    band: str
    cells: list[Cell]
    total: Cell


@dataclass(frozen=True, slots=True)
class Matrix:
    """Accounts by band in force and band in the draft."""

    bands: list[tuple[str, str | Promise]]
    rows: list[MatrixRow]
    totals: list[Cell]
    total: Cell


def matrix_of(moves: Iterable[Move], *, named: NamedScore) -> Matrix:
    """The moves as a table whose cells lead to the list of accounts."""
    known = {(move.before, move.after): move for move in moves}
    score = {} if named.is_overall else {"score": named.key}

    def cell(befores: tuple[str, ...], afters: tuple[str, ...]) -> Cell:
        parts = [move for (before, after), move in known.items() if before in befores and after in afters]
        is_one = len(befores) == len(afters) == 1
        query = urlencode({**score, "before": befores[0], "after": afters[0]})
        return Cell(
            sum(move.accounts for move in parts),
            sum((move.mrr for move in parts), Decimal(0)),
            f"?{query}#simulation-moves" if is_one else "",
            stays=befores == afters,
        )

    return Matrix(
        bands=[(band, BAND_LABELS[band]) for band in BANDS],
        rows=[MatrixRow(band, [cell((band,), (after,)) for after in BANDS], cell((band,), BANDS)) for band in BANDS],
        totals=[cell(BANDS, (band,)) for band in BANDS],
        total=cell(BANDS, BANDS),
    )


def spread_chart(spread: Spread) -> dict[str, Any]:
    """How the scores are spread, as the data of a plot."""
    width = spread.bounds[1] - spread.bounds[0]
    return line_chart(
        [f"{bound}–{bound + width}" for bound in spread.bounds],
        [(_("In force"), spread.before), (_("Draft"), spread.after)],
        axis=_("Score"),
        kind="bar",
    )


@dataclass(frozen=True, slots=True)
class History:
    """What of the draft's measures the backtest could know: ``measures`` in all, those ``without`` any record, and
    those with a record of some losses only: label and for how many it is ``known``."""

    measures: int
    without: list[str]
    partly: list[tuple[str, int]]


def history_of(simulation: Simulation, found: Findings) -> History:
    """Which measures of the draft have recorded values before the losses."""
    labels = {
        key: label
        for profile in simulation.profiles.values()
        if profile["is_draft"] and profile["named"] == found.named.key
        for key, label, _weight in profile["parts"]
    }
    recorded = found.backtest.recorded
    unknown = [(labels.get(one.key, one.key), one.losses) for one in found.backtest.unknown]
    return History(
        measures=len(labels),
        without=[label for label, losses in unknown if losses >= recorded],
        partly=[(label, recorded - losses) for label, losses in unknown if losses < recorded],
    )


@dataclass(frozen=True, slots=True)
class Losses:
    """One page of the accounts that were lost and had a record, the latest first."""

    rows: list[SimulatedLoss]
    total: int
    offset: int


def lost_accounts(simulation: Simulation, named: NamedScore, *, offset: int) -> Losses:
    """The page of lost accounts from ``offset`` on; two queries."""
    found = SimulatedLoss.objects.filter(simulation=simulation, named=named, day__isnull=False)
    total = found.count()
    offset = offset if offset < total else 0
    page = found.select_related("account").order_by(F("ended_on").desc(), "account_id")
    return Losses(list(page[offset : offset + LOST_PAGE]), total, offset)
