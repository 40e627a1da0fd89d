"""Health as attributes: the score, its band and how they moved, and the points of each measure."""

from collections.abc import Iterable

from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from accounts.attributes import Attribute, Column, Family, Source, Type, register, register_family
from health.models import Band, Measure

HEALTH = _("Health")

SCORE = Source(name="health", relation="health_healthscore")

COMPUTED = Column(SCORE, "computed_at")


def _days_ago(days: int) -> Source:
    return Source(
        name=f"health_{days}d",
        relation="health_healthscore h JOIN health_healthday d ON d.account_id = h.account_id",
        account="h.account_id",
        where=f"d.day = {{today}} - {days}",
    )


register(
    Attribute("health", HEALTH, Type.NUMBER, Column(SCORE, "score"), HEALTH, freshness=COMPUTED),
    Attribute(
        "health.band",
        _("Health band"),
        Type.CHOICE,
        Column(SCORE, "nullif(band, '')"),
        HEALTH,
        choices=lambda: Band.choices,
        freshness=COMPUTED,
    ),
    Attribute(
        "health.band_days",
        _("Days in health band"),
        Type.DAYS,
        Column(SCORE, "floor(extract(epoch FROM {now} - since) / 86400)::int"),
        HEALTH,
        unit=_("days"),
        freshness=COMPUTED,
    ),
    Attribute(
        "health.change_7d",
        _("Change in health, 7 days"),
        Type.NUMBER,
        Column(_days_ago(7), "h.score - d.score"),
        HEALTH,
        help=_("Points gained or lost since the end of the day a week ago."),
    ),
    Attribute(
        "health.change_28d",
        _("Change in health, 28 days"),
        Type.NUMBER,
        Column(_days_ago(28), "h.score - d.score"),
        HEALTH,
        help=_("Points gained or lost since the end of the day four weeks ago."),
    ),
)


def _measure_attributes() -> Iterable[Attribute]:
    for measure in Measure.objects.all():
        yield Attribute(
            f"health.{measure.key}",
            format_lazy(_("{measure}, points"), measure=measure.label),
            Type.NUMBER,
            Column(
                SCORE,
                "(SELECT (part ->> 2)::float8 FROM jsonb_array_elements(components) part"
                f" WHERE part ->> 0 = '{measure.key}')",
            ),
            HEALTH,
            freshness=COMPUTED,
        )


register_family(Family(prefix="health.", load=_measure_attributes))
