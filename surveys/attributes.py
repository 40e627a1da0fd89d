"""What an account's people answered last, and how long ago."""

from django.utils.translation import gettext_lazy as _

from accounts.attributes import Attribute, Column, Source, Type, register
from surveys.models import Survey
from surveys.scales import SCALES, Category

SURVEYS = _("Surveys")


def _answers(kind: str) -> Source:
    return Source(
        name=f"{kind}_answers",
        relation="surveys_response r JOIN surveys_survey s ON s.id = r.survey_id",
        account="r.account_id",
        grouped=True,
        where=f"s.kind = '{kind}' AND r.answered_at <= {{now}}",
        past="surveys_response r JOIN surveys_survey s ON s.id = r.survey_id",
    )


SAID_AT = "coalesce(r.changed_at, r.answered_at)"
LAST = f"(array_agg(r.score ORDER BY {SAID_AT} DESC, r.id DESC))[1]"

NPS, CSAT, CES = (_answers(kind) for kind in (Survey.Kind.NPS, Survey.Kind.CSAT, Survey.Kind.CES))
HEARD = {source: Column(source, f"max({SAID_AT})") for source in (NPS, CSAT, CES)}
NPS_SCALE = SCALES[Survey.Kind.NPS]

register(
    Attribute(
        "nps.last",
        _("Last NPS answer"),
        Type.NUMBER,
        Column(NPS, LAST),
        SURVEYS,
        freshness=HEARD[NPS],
        help=_("The score from 0 to 10 that somebody at the account gave last."),
    ),
    Attribute(
        "nps.last_category",
        _("Last NPS answer, category"),
        Type.CHOICE,
        Column(
            NPS,
            f"CASE WHEN {LAST} >= {NPS_SCALE.promoter_from} THEN '{Category.PROMOTER.value}'"
            f" WHEN {LAST} >= {NPS_SCALE.passive_from} THEN '{Category.PASSIVE.value}'"
            f" ELSE '{Category.DETRACTOR.value}' END",
        ),
        SURVEYS,
        choices=lambda: Category.choices,
        freshness=HEARD[NPS],
    ),
    Attribute(
        "nps.days_since",
        _("Days since the last NPS answer"),
        Type.DAYS,
        Column(NPS, f"({{today}} - (max({SAID_AT}) AT TIME ZONE {{zone}})::date)"),
        SURVEYS,
        unit=_("days"),
        freshness=HEARD[NPS],
    ),
    Attribute(
        "csat.last",
        _("Last CSAT answer"),
        Type.NUMBER,
        Column(CSAT, LAST),
        SURVEYS,
        freshness=HEARD[CSAT],
        help=_("The score from 1 to 5 that somebody at the account gave last."),
    ),
    Attribute(
        "ces.last",
        _("Last CES answer"),
        Type.NUMBER,
        Column(CES, LAST),
        SURVEYS,
        freshness=HEARD[CES],
        help=_("The score from 1 to 7 that somebody at the account gave last."),
    ),
)
