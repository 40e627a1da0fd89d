"""What is known of an account's requests for support."""

from django.utils.translation import gettext_lazy as _

from accounts.attributes.registry import Attribute, Column, Source, Type, register

SUPPORT = _("Support")

TICKETS = Source(
    name="tickets",
    relation="accounts_ticket",
    grouped=True,
    past=(
        "(SELECT account_id, priority, opened_at, heard_at, reopened_count,"
        " CASE WHEN solved_at <= {now} THEN solved_at END AS solved_at"
        " FROM accounts_ticket WHERE opened_at <= {now}) past"
    ),
)
TICKET_HEARD = Column(TICKETS, "max(heard_at)")

SOLVED_LATELY = "solved_at > {now} - interval '90 days' AND solved_at <= {now}"

register(
    Attribute(
        "tickets.open",
        _("Open tickets"),
        Type.NUMBER,
        Column(TICKETS, "count(*)", only="solved_at IS NULL"),
        SUPPORT,
        default=0,
        freshness=TICKET_HEARD,
    ),
    Attribute(
        "tickets.open_urgent",
        _("Open urgent tickets"),
        Type.NUMBER,
        Column(TICKETS, "count(*)", only="solved_at IS NULL AND priority = 'urgent'"),
        SUPPORT,
        default=0,
        freshness=TICKET_HEARD,
    ),
    Attribute(
        "tickets.opened_28d",
        _("Tickets opened, 28 days"),
        Type.NUMBER,
        Column(TICKETS, "count(*)", only="opened_at > {now} - interval '28 days' AND opened_at <= {now}"),
        SUPPORT,
        default=0,
        freshness=TICKET_HEARD,
    ),
    Attribute(
        "tickets.slow_open",
        _("Open tickets older than 5 days"),
        Type.NUMBER,
        Column(TICKETS, "count(*)", only="solved_at IS NULL AND opened_at < {now} - interval '5 days'"),
        SUPPORT,
        default=0,
        freshness=TICKET_HEARD,
        help=_("Tickets that are not solved and were opened more than five days ago, whoever has to answer next."),
    ),
    Attribute(
        "tickets.reopened_90d",
        _("Tickets opened again, 90 days"),
        Type.NUMBER,
        Column(TICKETS, "sum(reopened_count)", only=f"solved_at IS NULL OR ({SOLVED_LATELY})"),
        SUPPORT,
        default=0,
        freshness=TICKET_HEARD,
        help=_(
            "How often tickets were opened again after they were solved, counted over those that are open now or were"
            " solved in the last 90 days. A ticket that was opened again twice counts twice."
        ),
    ),
    Attribute(
        "tickets.resolution_days_90d",
        _("Days to solve a ticket, 90 days"),
        Type.DAYS,
        Column(
            TICKETS,
            "percentile_cont(0.5) WITHIN GROUP (ORDER BY extract(epoch FROM solved_at - opened_at) / 86400)",
            only=SOLVED_LATELY,
        ),
        SUPPORT,
        unit=_("days"),
        freshness=TICKET_HEARD,
        help=_(
            "The median, in days around the clock, from opening to the last solution of the tickets solved in the last"
            " 90 days. No value where none was solved."
        ),
    ),
)
