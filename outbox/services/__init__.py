from outbox.services.budget import drop, reserve, set_budget
from outbox.services.deliver import deliver_due
from outbox.services.enqueue import enqueue_email, send_again

__all__ = ["deliver_due", "drop", "enqueue_email", "reserve", "send_again", "set_budget"]
