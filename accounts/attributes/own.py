"""What is known of an account from its own record."""

from collections.abc import Iterable

from django.utils.translation import gettext_lazy as _

from accounts.attributes.registry import (
    ACCOUNT,
    Attribute,
    Choices,
    Column,
    Family,
    Label,
    Source,
    Type,
    register,
    register_family,
)
from accounts.models import Account, CustomField, Plan, Segment, Stage, User

PROFILE = _("Profile")
JOURNEY = _("Journey")


CHILDREN = Source(name="children", relation="accounts_account", account="parent_id", grouped=True)


def _own(expression: str, *, past: str = "") -> Column:
    return Column(source=ACCOUNT, expression=expression, past=past)


def _kept(expression: str) -> Column:
    """What was the same long ago, or is told by ``{now}`` alone."""
    return _own(expression, past=expression)


STAY = (
    "(SELECT {} FROM accounts_stageentry e WHERE e.account_id = a.id AND e.entered_at <= {{now}}"
    " ORDER BY e.entered_at DESC LIMIT 1)"
)


def _rows_of(model: type[Plan] | type[Stage] | type[Segment]) -> Choices:
    return lambda: model._default_manager.values_list("key", "name")


def _staff() -> Iterable[tuple[str, Label]]:
    return User.objects.values_list("email", "name")


UPDATED = _own("a.updated_at")

register(
    Attribute("name", _("Name"), Type.TEXT, _kept("a.name"), PROFILE),
    Attribute("external_id", _("External id"), Type.TEXT, _kept("a.external_id"), PROFILE),
    Attribute(
        "plan",
        _("Plan"),
        Type.CHOICE,
        _own("(SELECT key FROM accounts_plan WHERE id = a.plan_id)"),
        PROFILE,
        choices=_rows_of(Plan),
    ),
    Attribute(
        "touch_model",
        _("Touch model"),
        Type.CHOICE,
        _own("a.touch_model"),
        PROFILE,
        choices=lambda: Account.TouchModel.choices,
    ),
    Attribute("industry", _("Industry"), Type.TEXT, _own("nullif(a.industry, '')"), PROFILE),
    Attribute("country", _("Country"), Type.TEXT, _own("nullif(a.country, '')"), PROFILE),
    Attribute("language", _("Language"), Type.TEXT, _own("nullif(a.language, '')"), PROFILE),
    Attribute("seats", _("Seats"), Type.NUMBER, _own("a.seats"), PROFILE, freshness=UPDATED),
    Attribute("tags", _("Tags"), Type.TAGS, _own("a.tags"), PROFILE),
    Attribute(
        "owner",
        _("CSM"),
        Type.CHOICE,
        _own("(SELECT email FROM accounts_user WHERE id = a.owner_id)"),
        PROFILE,
        choices=_staff,
    ),
    Attribute(
        "parent",
        _("Parent account"),
        Type.TEXT,
        _own("(SELECT p.name FROM accounts_account p WHERE p.id = a.parent_id)"),
        PROFILE,
        help=_("The name of the account that this one is a part of. No value where it stands alone."),
    ),
    Attribute(
        "children",
        _("Child accounts"),
        Type.NUMBER,
        Column(CHILDREN, "count(*)", only="ended_at IS NULL OR ended_at > {now}"),
        PROFILE,
        default=0,
        help=_("How many accounts are directly below this one and have not ended."),
    ),
    Attribute(
        "segment",
        _("Segment"),
        Type.SEGMENT,
        _kept("NULL::text"),
        PROFILE,
        help=_("Whether the account is in a segment: the segment's own condition, looked at now."),
        choices=_rows_of(Segment),
    ),
    Attribute(
        "is_live",
        _("Is a customer"),
        Type.BOOLEAN,
        _kept("(a.ended_at IS NULL OR a.ended_at > {now})"),
        JOURNEY,
    ),
    Attribute(
        "ended_on",
        _("Left on"),
        Type.DATE,
        _kept("(a.ended_at AT TIME ZONE {zone})::date"),
        JOURNEY,
        help=_("The day on which it stopped, or will stop, being a customer."),
    ),
    Attribute("customer_since", _("Customer since"), Type.DATE, _kept("a.customer_since"), JOURNEY),
    Attribute(
        "customer_days",
        _("Days as a customer"),
        Type.DAYS,
        _kept("({today} - a.customer_since)"),
        JOURNEY,
        unit=_("days"),
    ),
    Attribute(
        "stage",
        _("Stage"),
        Type.CHOICE,
        _own(
            "(SELECT key FROM accounts_stage WHERE id = a.stage_id)",
            past=STAY.format("(SELECT key FROM accounts_stage s WHERE s.id = e.stage_id)"),
        ),
        JOURNEY,
        choices=_rows_of(Stage),
    ),
    Attribute(
        "stage.days",
        _("Days in stage"),
        Type.DAYS,
        _own(
            "floor(extract(epoch FROM {now} - a.stage_entered_at) / 86400)::int",
            past=STAY.format("floor(extract(epoch FROM {now} - e.entered_at) / 86400)::int"),
        ),
        JOURNEY,
        unit=_("days"),
    ),
)

CASTS = {
    CustomField.Type.NUMBER: ("(a.custom ->> '{key}')::numeric", Type.NUMBER),
    CustomField.Type.TEXT: ("a.custom ->> '{key}'", Type.TEXT),
    CustomField.Type.CHOICE: ("a.custom ->> '{key}'", Type.CHOICE),
    CustomField.Type.BOOLEAN: ("(a.custom ->> '{key}')::boolean", Type.BOOLEAN),
    CustomField.Type.DATE: ("(a.custom ->> '{key}')::date", Type.DATE),
}


def _fixed(named: tuple[tuple[str, Label], ...]) -> Choices:
    return lambda: named


def _custom_attributes() -> Iterable[Attribute]:
    for custom in CustomField.objects.all():
        expression, type_ = CASTS[CustomField.Type(custom.type)]
        named = tuple((choice, choice) for choice in custom.choices)
        yield Attribute(
            f"custom.{custom.key}",
            custom.label,
            type_,
            _own(expression.replace("{key}", custom.key)),
            _("Custom"),
            unit=custom.unit,
            choices=_fixed(named) if named else None,
            freshness=UPDATED,
        )


register_family(Family(prefix="custom.", load=_custom_attributes))
