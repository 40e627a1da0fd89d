"""The one SQL statement that scores a scope by two formulas at once and keeps both results side by side."""

from __future__ import annotations

from accounts.attributes import Catalogue, Context, Scope, facts_relation
from common.sql import SQL, value
from health.models import Simulation
from health.queries.definitions import ScoreDefinition
from health.queries.scored import BAND, scored


def keep_simulated(
    simulation: Simulation, *, before: ScoreDefinition, after: ScoreDefinition, scope: Scope, context: Context
) -> SQL:
    """Score the live accounts in ``scope`` by both definitions of one named score and keep a row for each account.

    Both read the same snapshot at the same instant, so that only the formulas differ. Accounts that neither of them
    decides have no row.
    """
    mrr = Catalogue()["mrr"]
    worth = facts_relation([mrr], scope=scope, context=context, with_heard=False)
    return SQL(f"""
        INSERT INTO health_simulatedscore (simulation_id, named_id, account_id, mrr,
            profile_before, score_before, band_before, stale_before, values_before, points_before,
            profile_after, score_after, band_after, stale_after, values_after, points_after)
        SELECT {{simulation}}, {{named}}, account_id, coalesce(w.{worth.value(mrr)}, 0),
            b.profile_id, b.computed, {_band("b")}, coalesce(b.stale, 0),
            coalesce(b.values, '{{{{}}}}'), coalesce(b.points, '{{{{}}}}'),
            a.profile_id, a.computed, {_band("a")}, coalesce(a.stale, 0),
            coalesce(a.values, '{{{{}}}}'), coalesce(a.points, '{{{{}}}}')
        FROM ({{before}}) b FULL JOIN ({{after}}) a USING (account_id) LEFT JOIN ({{worth}}) w USING (account_id)
    """).format(
        simulation=value(simulation.pk),
        named=value(after.named.pk),
        before=scored(before, scope=scope, context=context),
        after=scored(after, scope=scope, context=context),
        worth=worth.sql,
    )


def _band(name: str) -> str:
    return BAND.format(score=f"{name}.computed", good=f"{name}.good_from", watch=f"{name}.watch_from")
