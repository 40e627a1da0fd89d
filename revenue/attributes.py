"""What an account pays and owes, and when its contract comes up for renewal."""

from django.utils.translation import gettext_lazy as _

from accounts.attributes import Attribute, Column, Source, Type, register

REVENUE = _("Revenue")

SUBSCRIPTIONS = Source(name="subscriptions", relation="revenue_subscription", grouped=True, past="revenue_subscription")

LIVE = "NOT is_trial AND started_on <= {today} AND (ended_on IS NULL OR ended_on > {today})"
HEARD = Column(SUBSCRIPTIONS, "max(updated_at)")

INVOICES = Source(
    name="invoices",
    relation="revenue_invoice",
    grouped=True,
    past=(
        "(SELECT account_id, amount, due_on, updated_at,"
        " CASE WHEN paid_on <= {today} THEN paid_on END AS paid_on,"
        " CASE WHEN voided_on <= {today} THEN voided_on END AS voided_on"
        " FROM revenue_invoice WHERE issued_on <= {today}) past"
    ),
)
OVERDUE = "paid_on IS NULL AND voided_on IS NULL AND due_on < {today}"
INVOICE_HEARD = Column(INVOICES, "max(updated_at)")

OPPORTUNITIES = Source(
    name="opportunities",
    relation="revenue_opportunity",
    grouped=True,
    past=(
        "(SELECT account_id, amount, CASE WHEN closed_at <= {now} THEN closed_at END AS closed_at"
        " FROM revenue_opportunity WHERE opened_at <= {now}) past"
    ),
)
UNDECIDED = "closed_at IS NULL"

register(
    Attribute(
        "mrr",
        _("MRR"),
        Type.MONEY,
        Column(SUBSCRIPTIONS, "sum(mrr)", only=LIVE),
        REVENUE,
        freshness=HEARD,
        default=0,
        help=_("Live recurring lines, each normalised to a month; discounts and tax out."),
    ),
    Attribute(
        "annualised_mrr",
        _("Annualised MRR"),
        Type.MONEY,
        Column(SUBSCRIPTIONS, "sum(12 * mrr)", only=LIVE),
        REVENUE,
        freshness=HEARD,
        default=0,
        help=_("12 × MRR of all live lines."),
    ),
    Attribute(
        "renewal_on",
        _("Renewal date"),
        Type.DATE,
        Column(SUBSCRIPTIONS, "min(renews_on)", only=LIVE + " AND renews_on >= {today}"),
        REVENUE,
        freshness=HEARD,
    ),
    Attribute(
        "days_to_renewal",
        _("Days to renewal"),
        Type.DAYS,
        Column(SUBSCRIPTIONS, "min(renews_on - {today})", only=LIVE + " AND renews_on >= {today}"),
        REVENUE,
        unit=_("days"),
        freshness=HEARD,
    ),
    Attribute(
        "invoices.overdue",
        _("Overdue invoices"),
        Type.NUMBER,
        Column(INVOICES, "count(*)", only=OVERDUE),
        REVENUE,
        freshness=INVOICE_HEARD,
        default=0,
        help=_("Invoices past their due date that are neither paid nor voided. 0 where no invoice is known."),
    ),
    Attribute(
        "invoices.overdue_amount",
        _("Overdue amount"),
        Type.MONEY,
        Column(INVOICES, "sum(amount)", only=OVERDUE),
        REVENUE,
        freshness=INVOICE_HEARD,
        default=0,
        help=_("What the overdue invoices come to. 0 where no invoice is known."),
    ),
    Attribute(
        "invoices.days_overdue",
        _("Days overdue"),
        Type.DAYS,
        Column(INVOICES, "max({today} - due_on)", only=OVERDUE),
        REVENUE,
        unit=_("days"),
        freshness=INVOICE_HEARD,
        help=_("For how many days the oldest overdue invoice has been late. No value where none is overdue."),
    ),
    Attribute(
        "opportunities.open",
        _("Open opportunities"),
        Type.NUMBER,
        Column(OPPORTUNITIES, "count(*)", only=UNDECIDED),
        REVENUE,
        default=0,
        help=_("Opportunities that are neither won nor lost."),
    ),
    Attribute(
        "opportunities.open_amount",
        _("Amount of open opportunities"),
        Type.MONEY,
        Column(OPPORTUNITIES, "sum(amount)", only=UNDECIDED),
        REVENUE,
        default=0,
        help=_("What the open opportunities come to, those without an amount left out."),
    ),
)
