"""Health as attributes: each score, its band and how it moved, and the points of each measure."""

from collections.abc import Iterable

from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from accounts.attributes import Attribute, Column, Family, Source, Type, register, register_family
from accounts.attributes.registry import Label
from health.models import Band, NamedScore, ProfileMeasure, Version
from revenue.attributes import LIVE

HEALTH = _("Health")
COMPUTED = "CASE WHEN h.override_id IS NULL THEN h.score ELSE h.computed_score END"
VERSIONS_IN_USE = 3
"""Scores follow a new version within minutes: those of older ones than these are being computed anew."""
BRIDGED = 6
"""Where a day is missing from the history, so many days before it may stand for it."""
CHANGES = (
    (7, _("Change, 7 days"), _("Points gained or lost since the end of the day a week ago.")),
    (30, _("Change, 30 days"), _("Points gained or lost since the end of the day 30 days ago.")),
    (90, _("Change, 90 days"), _("Points gained or lost since the end of the day 90 days ago.")),
)
BY_ITSELF = _("Only what the customer did counts: neither a new formula nor an override does.")


def _is(key: str) -> str:
    """SQL: the named score of this key, whose id a declaration cannot know."""
    return f"(SELECT id FROM health_namedscore WHERE key = '{key}')"


def _scores(key: str) -> Source:
    return Source(
        name=f"health_{_name(key)}",
        relation="health_healthscore h",
        account="h.account_id",
        where=f"h.named_id = {_is(key)}",
        past="(SELECT *, NULL::timestamptz AS computed_at FROM health_healthday WHERE day = {today}) h",
    )


def _name(key: str) -> str:
    """A key as part of the name of a source."""
    return key.replace("-", "__")


def _change(key: str, days: int) -> Column:
    """What was computed now and then, less what new versions moved it by in between.

    Then is the end of that day, or of the last one before it that is known, at most ``BRIDGED`` days earlier.
    """
    source = Source(
        name=f"health_{_name(key)}_{days}d",
        relation=(
            "health_healthscore h CROSS JOIN LATERAL ("
            "SELECT d.day, CASE WHEN d.override_id IS NULL THEN d.score ELSE d.computed_score END AS computed"
            " FROM health_healthday d WHERE d.account_id = h.account_id AND d.named_id = h.named_id"
            f" AND d.day <= {{today}} - {days} AND d.day > {{today}} - {days + BRIDGED + 1} ORDER BY d.day DESC LIMIT 1"
            ") d"
        ),
        account="h.account_id",
        where=f"h.named_id = {_is(key)}",
    )
    shifts = (
        "(SELECT sum(f.formula_shift) FROM health_healthday f WHERE f.account_id = h.account_id"
        " AND f.named_id = h.named_id AND f.day > d.day AND f.formula_shift IS NOT NULL"
        f" AND f.day > {{today}} - {days + BRIDGED} AND f.day <= {{today}})"
    )
    return Column(source, f"{COMPUTED} - d.computed - coalesce({shifts}, 0)")


def _velocity(key: str) -> Column:
    """The slope of the least squares line through the last 28 days, in points a week.

    Every day is told as the formulas since would have it: what they moved the score by later on is added.
    """
    source = Source(
        name=f"health_{_name(key)}_velocity",
        relation=(
            "(SELECT account_id, day, CASE WHEN override_id IS NULL THEN score ELSE computed_score END"
            " + coalesce(sum(formula_shift) OVER later, 0) AS computed FROM health_healthday"
            f" WHERE named_id = {_is(key)} AND day > {{today}} - 28 AND day <= {{today}}"
            " WINDOW later AS (PARTITION BY account_id ORDER BY day DESC"
            " ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING)) d"
        ),
        account="d.account_id",
        grouped=True,
    )
    return Column(source, "7 * regr_slope(d.computed, d.day - {today})")


def _group(key: str) -> Source:
    """Each account that has others below it, with the scores of all of them and its own."""
    return group_of(f"health_{_name(key)}_group", "health_healthscore h", f"h.named_id = {_is(key)}")


def group_of(name: str, scores: str, where: str) -> Source:
    """Each account that has others below it, with ``g.mean`` and ``g.worst`` of the scores of all of them and its own.

    ``scores`` is a relation ``h`` with an account_id and a score, narrowed by ``where``. Where nobody pays, everybody
    counts the same. Walking down ends in a circle too, since nobody is met twice.
    """
    return Source(
        name=name,
        relation=(
            "accounts_account p CROSS JOIN LATERAL (WITH RECURSIVE below AS (SELECT p.id UNION"
            " SELECT c.id FROM below b JOIN accounts_account c ON c.parent_id = b.id)"
            " SELECT coalesce(sum(h.score * m.mrr) / nullif(sum(m.mrr), 0), avg(h.score)) AS mean,"
            " min(h.score) AS worst"
            f" FROM below b JOIN {scores} ON h.account_id = b.id"
            f" AND {where} AND h.score IS NOT NULL"
            " CROSS JOIN LATERAL (SELECT coalesce(sum(mrr), 0)::float8 AS mrr FROM revenue_subscription s"
            f" WHERE s.account_id = b.id AND {LIVE}) m) g"
        ),
        account="p.id",
        where="EXISTS (SELECT FROM accounts_account c WHERE c.parent_id = p.id)",
    )


def _of_score(key: str, prefix: str, label: Label) -> Iterable[Attribute]:
    """The attributes of one named score."""
    source = _scores(key)
    heard = Column(source, "h.computed_at")

    def titled(words: Label) -> Label:
        return format_lazy("{score}: {words}", score=label, words=words)

    yield Attribute(prefix, label, Type.NUMBER, Column(source, "h.score"), HEALTH, freshness=heard)
    yield Attribute(
        f"{prefix}.band",
        titled(_("Band")),
        Type.CHOICE,
        Column(source, "nullif(h.band, '')"),
        HEALTH,
        choices=lambda: Band.choices,
        freshness=heard,
    )
    yield Attribute(
        f"{prefix}.band_days",
        titled(_("Days in band")),
        Type.DAYS,
        Column(source, "floor(extract(epoch FROM {now} - h.since) / 86400)::int", is_kept=False),
        HEALTH,
        unit=_("days"),
        freshness=heard,
    )
    yield Attribute(
        f"{prefix}.is_overridden",
        titled(_("Set by hand")),
        Type.BOOLEAN,
        Column(source, "h.override_id IS NOT NULL"),
        HEALTH,
        freshness=heard,
    )
    yield Attribute(
        f"{prefix}.stale",
        titled(_("Stale inputs")),
        Type.NUMBER,
        Column(source, "h.stale", is_kept=False),
        HEALTH,
        help=_("How many of the measures that count are older than they should be."),
        freshness=heard,
    )
    yield Attribute(
        f"{prefix}.inputs",
        titled(_("Inputs")),
        Type.NUMBER,
        Column(source, "cardinality(array_remove(h.points, NULL))"),
        HEALTH,
        help=_("How many measures make the score; the others are left out."),
        freshness=heard,
    )
    yield Attribute(
        f"{prefix}.dropped_days",
        titled(_("Days since it dropped")),
        Type.DAYS,
        Column(source, "floor(extract(epoch FROM {now} - h.dropped_at) / 86400)::int", is_kept=False),
        HEALTH,
        unit=_("days"),
        help=format_lazy("{0} {1}", _("Since it was last told to have fallen far within a week."), BY_ITSELF),
    )
    group = _group(key)
    yield Attribute(
        f"{prefix}.rollup",
        titled(_("Group")),
        Type.NUMBER,
        Column(group, "g.mean"),
        HEALTH,
        help=_(
            "The mean of the scores of this account and of all below it, weighted by MRR; the plain mean where nobody"
            " pays. No value for an account with none below it."
        ),
    )
    yield Attribute(
        f"{prefix}.rollup_worst",
        titled(_("Worst of the group")),
        Type.NUMBER,
        Column(group, "g.worst"),
        HEALTH,
        help=_("The lowest score among this account and all below it. No value for an account with none below it."),
    )
    for days, words, help_ in CHANGES:
        yield Attribute(
            f"{prefix}.change_{days}d",
            titled(words),
            Type.NUMBER,
            _change(key, days),
            HEALTH,
            help=format_lazy("{0} {1}", help_, BY_ITSELF),
        )
    yield Attribute(
        f"{prefix}.velocity",
        titled(_("Points a week")),
        Type.NUMBER,
        _velocity(key),
        HEALTH,
        help=_("How fast it rises or falls: the slope of the line through the last 28 days."),
    )


register(*_of_score(NamedScore.OVERALL, "health", HEALTH))


def _other_scores(others: Iterable[NamedScore]) -> Iterable[Attribute]:
    for named in others:
        yield from _of_score(named.key, f"health.score.{named.key}", named.label)


def _measures(order: dict[int, NamedScore]) -> Iterable[Attribute]:
    """The points of each measure, from the first score that uses it."""
    versions = Version.objects.published()[:VERSIONS_IN_USE].values("pk")
    places: dict[str, dict[int, list[str]]] = {}
    labels: dict[str, str] = {}
    counts: dict[int, int] = {}
    parts = ProfileMeasure.objects.filter(profile__version__in=versions).select_related("measure", "profile")
    for part in parts.order_by("profile__version__effective_at", "profile__version", "id"):
        place = counts[part.profile_id] = counts.get(part.profile_id, 0) + 1
        labels[part.measure.key] = part.measure.label
        places.setdefault(part.measure.key, {}).setdefault(part.profile.named_id, []).append(
            f"WHEN {part.profile_id} THEN h.points[{place}]"
        )
    for key, by_score in places.items():
        first = min(by_score, key=list(order).index)
        source = _scores(order[first].key)
        yield Attribute(
            f"health.{key}",
            format_lazy(_("{measure}, points"), measure=labels[key]),
            Type.NUMBER,
            Column(source, f"CASE h.profile_id {' '.join(by_score[first])} END"),
            HEALTH,
            freshness=Column(source, "h.computed_at"),
        )


def _load() -> Iterable[Attribute]:
    scores = sorted(NamedScore.objects.all(), key=lambda named: not named.is_overall)
    yield from _other_scores(named for named in scores if not named.is_overall)
    yield from _measures({named.pk: named for named in scores})


register_family(Family(prefix="health.", load=_load))
