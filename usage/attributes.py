"""How much an account uses the product: each feature in rolling windows, breadth, seats, and when it was last heard."""

from functools import lru_cache

from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from accounts.attributes import ACCOUNT, Attribute, Column, Family, Ratio, Source, Type, register, register_family
from common.sql import SQL, rows

USAGE = _("Usage")


def _used(first: int, last: int) -> str:
    """SQL over usage_past: what was used from ``first`` to ``last`` days before, the last one left out."""
    return f"used[{{today}} - begins + 1 - {first}] - used[{{today}} - begins + 1 - {last}]"


ROLLING = Source(
    name="rolling",
    relation="usage_rollingusage",
    grouped=True,
    # usage.services.roll_past makes the table for whoever looks back.
    past=(
        "(SELECT account_id, feature_id, first_day, last_used[{today} - begins + 1] AS last_day,"
        f" {_used(0, 7)} AS last_7, {_used(0, 28)} AS last_28, {_used(28, 56)} AS prior_28,"
        f" {_used(1, 29)} AS whole_28, {_used(29, 57)} AS whole_prior_28"
        " FROM usage_past WHERE first_day <= {today}) past"
    ),
)
ACTIVITY = Source(name="activity", relation="usage_accountactivity")
USERS = Source(
    name="active_users",
    relation="usage_useractivity",
    grouped=True,
    where="last_day > {today} - 28",
)

HEARD = Column(ACTIVITY, "last_event_at")
ACTIONS = Column(ROLLING, "sum(last_28)")
ACTIVE_USERS = Column(USERS, "count(*)")

BREADTH = Source(
    name="breadth",
    relation=(
        "accounts_account a2 CROSS JOIN (SELECT count(*) AS features FROM usage_feature) every"
        " LEFT JOIN (SELECT plan_id, count(*) AS features FROM usage_planfeature GROUP BY plan_id) included"
        " ON included.plan_id = a2.plan_id"
        " LEFT JOIN usage_rollingusage r ON r.account_id = a2.id AND {r.account_id} AND r.last_28 > 0"
        " LEFT JOIN usage_planfeature p ON p.plan_id = a2.plan_id AND p.feature_id = r.feature_id"
    ),
    account="a2.id",
    grouped=True,
)
INCLUDED_ESSENTIAL = (
    "(SELECT p.id AS plan_id, f.id AS feature_id, count(*) OVER (PARTITION BY p.id) AS features"
    " FROM (SELECT id FROM accounts_plan UNION ALL SELECT 0) p JOIN usage_feature f ON f.is_essential"
    " WHERE p.id NOT IN (SELECT plan_id FROM usage_planfeature)"
    " OR (p.id, f.id) IN (SELECT plan_id, feature_id FROM usage_planfeature))"
)
"""The essential features that each plan includes, and how many they are; plan 0 stands for having none."""

ESSENTIAL = Source(
    name="essential",
    relation=(
        "usage_rollingusage r JOIN accounts_account a2 ON a2.id = r.account_id AND {a2.id}"
        f" JOIN {INCLUDED_ESSENTIAL} included"
        " ON included.plan_id = coalesce(a2.plan_id, 0) AND included.feature_id = r.feature_id"
    ),
    account="r.account_id",
    grouped=True,
    # Said twice, so that the rows of other features are passed over before anything is joined to them.
    where="r.feature_id = ANY(ARRAY(SELECT id FROM usage_feature WHERE is_essential))",
)
INCLUDES_ESSENTIAL = f"coalesce(a.plan_id, 0) IN (SELECT plan_id FROM {INCLUDED_ESSENTIAL} included)"

SEATS = Column(ACCOUNT, "a.seats")

register(
    Attribute(
        "usage.features_28d",
        _("Features used, 28 days"),
        Type.NUMBER,
        Column(ROLLING, "count(*)", only="last_28 > 0"),
        USAGE,
        freshness=HEARD,
        default=0,
        default_when_heard=True,
    ),
    Attribute(
        "usage.events_28d",
        _("Actions, 28 days"),
        Type.NUMBER,
        ACTIONS,
        USAGE,
        freshness=HEARD,
        default=0,
        default_when_heard=True,
    ),
    Attribute(
        "usage.depth",
        _("Actions per active user, 28 days"),
        Type.NUMBER,
        Ratio(ACTIONS, ACTIVE_USERS),
        USAGE,
        freshness=HEARD,
        help=_(
            "How much those who use the product do in it: all actions of the last 28 days over the people active in"
            " them. No value where nobody was active."
        ),
    ),
    Attribute(
        "usage.change_28d",
        _("Change in actions, 28 days against the 28 before"),
        Type.PERCENT,
        Column(ROLLING, "round(100.0 * sum(whole_28) / nullif(sum(whole_prior_28), 0) - 100, 1)"),
        USAGE,
        unit="%",
        freshness=HEARD,
        help=_("Whole days, the last of which is yesterday: a day that has only begun would look like a fall."),
    ),
    Attribute(
        "usage.days_since",
        _("Days since last use"),
        Type.DAYS,
        Column(ACTIVITY, "({today} - (last_event_at AT TIME ZONE {zone})::date)"),
        USAGE,
        unit=_("days"),
        freshness=HEARD,
    ),
    Attribute(
        "usage.first_on",
        _("First used on"),
        Type.DATE,
        Column(ACTIVITY, "(first_event_at AT TIME ZONE {zone})::date"),
        USAGE,
        freshness=HEARD,
    ),
    Attribute(
        "seats.active",
        _("Active users, 28 days"),
        Type.NUMBER,
        ACTIVE_USERS,
        USAGE,
        freshness=HEARD,
        default=0,
        default_when_heard=True,
    ),
    Attribute(
        "seats.active_share",
        _("Share of seats in use, 28 days"),
        Type.PERCENT,
        Ratio(ACTIVE_USERS, SEATS, times=100, nothing=0),
        USAGE,
        unit="%",
        freshness=HEARD,
        help=_("Users active in the last 28 days out of the seats bought; over 100 when more people use it than pay."),
    ),
    Attribute(
        "usage.breadth",
        _("Adoption breadth, 28 days"),
        Type.PERCENT,
        Column(
            BREADTH,
            "round(100.0 * count(r.feature_id) FILTER (WHERE p.id IS NOT NULL OR included.plan_id IS NULL)"
            " / nullif(max(coalesce(included.features, every.features)), 0), 1)",
        ),
        USAGE,
        unit="%",
        freshness=HEARD,
        help=_("Features used out of the features that the plan includes."),
    ),
    Attribute(
        "usage.essential_share",
        _("Essential features in use, 28 days"),
        Type.PERCENT,
        Column(ESSENTIAL, "round(100.0 * count(*) FILTER (WHERE r.last_28 > 0) / max(included.features), 1)"),
        USAGE,
        unit="%",
        freshness=HEARD,
        default=0,
        applies=INCLUDES_ESSENTIAL,
        help=_(
            "Essential features used in the last 28 days, out of the essential features that the plan includes."
            " No value where it includes none."
        ),
    ),
    Attribute(
        "onboarding.progress",
        _("Onboarding progress"),
        Type.PERCENT,
        Column(ESSENTIAL, "round(100.0 * count(r.first_day) / max(included.features), 1)"),
        USAGE,
        unit="%",
        freshness=HEARD,
        default=0,
        applies=INCLUDES_ESSENTIAL,
        help=_(
            "Essential features that the account has used at least once, out of the essential features that the plan"
            " includes. It never falls while the plan stays the same. No value where the plan includes none."
        ),
    ),
)

WINDOWS = (
    ("7d", "last_7", _("7 days")),
    ("28d", "last_28", _("28 days")),
    ("28d_before", "prior_28", _("the 28 days before")),
)


def feature_applies(feature_id: int) -> str:
    """SQL over ``a``: whether the account's plan includes the feature."""
    return (
        "(a.plan_id IS NULL"
        f" OR a.plan_id IN (SELECT plan_id FROM usage_planfeature WHERE feature_id = {feature_id})"
        " OR a.plan_id NOT IN (SELECT plan_id FROM usage_planfeature))"
    )


FEATURES = SQL("SELECT id, key, name FROM usage_feature ORDER BY name")


def _feature_attributes() -> tuple[Attribute, ...]:
    return _of_features(tuple(rows(FEATURES)))


# Most pages ask for the family, and features change rarely.
@lru_cache(maxsize=8)
def _of_features(features: tuple[tuple[int, str, str], ...]) -> tuple[Attribute, ...]:
    return tuple(attribute for feature in features for attribute in _attributes_of(*feature))


def _attributes_of(pk: int, key: str, name: str) -> tuple[Attribute, ...]:
    applies = feature_applies(pk)
    windows = (
        Attribute(
            f"usage.{key}.{suffix}",
            format_lazy("{feature}, {window}", feature=name, window=words),
            Type.NUMBER,
            Column(ROLLING, f"sum({column})", only=f"feature_id = {pk}"),
            USAGE,
            freshness=HEARD,
            default=0,
            default_when_heard=True,
            applies=applies,
        )
        for suffix, column, words in WINDOWS
    )
    change = Attribute(
        f"usage.{key}.change_28d",
        format_lazy(_("{feature}, change in 28 days against the 28 before"), feature=name),
        Type.PERCENT,
        Column(
            ROLLING,
            "max(round(100.0 * whole_28 / nullif(whole_prior_28, 0) - 100, 1))",
            only=f"feature_id = {pk}",
        ),
        USAGE,
        unit="%",
        freshness=HEARD,
        applies=applies,
        help=_("Whole days, the last of which is yesterday. No value where nothing was used in the 28 days before."),
    )
    last = Attribute(
        f"usage.{key}.last_on",
        format_lazy(_("{feature}, last used on"), feature=name),
        Type.DATE,
        Column(ROLLING, "max(last_day)", only=f"feature_id = {pk}"),
        USAGE,
        freshness=HEARD,
        applies=applies,
    )
    return (*windows, change, last)


register_family(Family(prefix="usage.", load=_feature_attributes))
