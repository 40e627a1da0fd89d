from outbox.services.deliver import deliver_due
from outbox.services.enqueue import enqueue_email, send_again

__all__ = ["deliver_due", "enqueue_email", "send_again"]
