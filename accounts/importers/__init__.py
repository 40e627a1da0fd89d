"""What files may tell of accounts: who they are, their people, tickets, touchpoints, ratings, and how they ended."""

from accounts.importers import references as references
from accounts.importers.accounts import AccountImporter
from accounts.importers.contacts import ContactImporter
from accounts.importers.offboardings import OffboardingImporter
from accounts.importers.ratings import RatingImporter
from accounts.importers.tickets import TicketImporter
from accounts.importers.touchpoints import TouchpointImporter
from common.importers import register

register(
    AccountImporter(),
    ContactImporter(),
    OffboardingImporter(),
    RatingImporter(),
    TicketImporter(),
    TouchpointImporter(),
)
