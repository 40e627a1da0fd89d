"""What is known of an account's people, of how often somebody speaks with them, and of what the CSM feels."""

from django.utils.translation import gettext_lazy as _

from accounts.attributes.registry import Attribute, Column, Source, Type, register
from accounts.models import Contact

PEOPLE = _("People")
RELATIONSHIP = _("Relationship")

CONTACTS = Source(name="contacts", relation="accounts_contact", grouped=True, past="accounts_contact")
TOUCHPOINTS = Source(
    name="touchpoints",
    relation="accounts_touchpoint",
    grouped=True,
    past="(SELECT * FROM accounts_touchpoint WHERE happened_at <= {now}) past",
)

RATINGS = Source(
    name="ratings", relation="accounts_rating", grouped=True, where="rated_at <= {now}", past="accounts_rating"
)

CONTACT_HEARD = Column(CONTACTS, "max(updated_at)")
LAST_TOUCH = Column(TOUCHPOINTS, "max(happened_at)", only="happened_at <= {now}")
LAST_RATED = Column(RATINGS, "max(rated_at)")


def _lost_at(role: str) -> str:
    """SQL over contacts: when the last of a role left, if that was within 90 days and nobody of the role is there."""
    return (
        f"CASE WHEN count(*) FILTER (WHERE role = '{role}' AND (left_at IS NULL OR left_at > {{now}})) = 0"
        f" THEN max(left_at) FILTER (WHERE role = '{role}' AND left_at > {{now}} - interval '90 days') END"
    )


SPONSOR_LOST_AT = f"greatest({_lost_at(Contact.Role.CHAMPION)}, {_lost_at(Contact.Role.DECISION_MAKER)})"

register(
    Attribute(
        "contacts.champions",
        _("Champions"),
        Type.NUMBER,
        Column(CONTACTS, "count(*)", only="role = 'champion' AND left_at IS NULL"),
        PEOPLE,
        default=0,
        help=_("Contacts who speak for the product inside the customer and still work there."),
    ),
    Attribute(
        "contacts.count",
        _("Contacts"),
        Type.NUMBER,
        Column(CONTACTS, "count(*)", only="left_at IS NULL"),
        PEOPLE,
        default=0,
    ),
    Attribute(
        "contacts.sponsor_lost",
        _("Sponsor lost, 90 days"),
        Type.BOOLEAN,
        Column(CONTACTS, f"({SPONSOR_LOST_AT} IS NOT NULL)"),
        PEOPLE,
        freshness=CONTACT_HEARD,
        help=_(
            "Yes when a champion or a decision maker left in the last 90 days and nobody of that role is left."
            " No value where no contact is known."
        ),
    ),
    Attribute(
        "contacts.sponsor_lost_days",
        _("Days since the sponsor was lost"),
        Type.DAYS,
        Column(CONTACTS, f"({{today}} - ({SPONSOR_LOST_AT} AT TIME ZONE {{zone}})::date)"),
        PEOPLE,
        unit=_("days"),
        freshness=CONTACT_HEARD,
        help=_(
            "Days since the last champion or the last decision maker left, the later of the two."
            " No value where no sponsor was lost in the last 90 days."
        ),
    ),
    Attribute(
        "touch.days_since",
        _("Days since last touch"),
        Type.DAYS,
        Column(TOUCHPOINTS, "({today} - (max(happened_at) AT TIME ZONE {zone})::date)"),
        RELATIONSHIP,
        unit=_("days"),
        freshness=LAST_TOUCH,
    ),
    Attribute(
        "touch.count_90d",
        _("Touchpoints, 90 days"),
        Type.NUMBER,
        Column(TOUCHPOINTS, "count(*)", only="happened_at > {now} - interval '90 days' AND happened_at <= {now}"),
        RELATIONSHIP,
        default=0,
        freshness=LAST_TOUCH,
    ),
    Attribute(
        "rating.csm",
        _("CSM's rating"),
        Type.NUMBER,
        Column(RATINGS, "(array_agg(value ORDER BY rated_at DESC, id DESC))[1]"),
        RELATIONSHIP,
        freshness=LAST_RATED,
        help=_("How the staff felt the account was doing when they last said so: from 1, in trouble, to 5, thriving."),
    ),
    Attribute(
        "rating.days_since",
        _("Days since the CSM's rating"),
        Type.DAYS,
        Column(RATINGS, "({today} - (max(rated_at) AT TIME ZONE {zone})::date)"),
        RELATIONSHIP,
        unit=_("days"),
        freshness=LAST_RATED,
        help=_("No value where the account was never rated."),
    ),
)
