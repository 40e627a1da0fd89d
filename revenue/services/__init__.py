from revenue.services.invoices import save_invoice, tell
from revenue.services.opportunities import close_opportunity, open_opportunity, save_opportunity

__all__ = ["close_opportunity", "open_opportunity", "save_invoice", "save_opportunity", "tell"]
