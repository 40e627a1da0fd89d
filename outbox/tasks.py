from celery import shared_task

from common import clock
from outbox.services import deliver_due

BATCH = 200


@shared_task(name="outbox.deliver", time_limit=300)
def deliver() -> None:
    """Send what is due. Several may run at once; the time limit ends well before a lease does."""
    deliver_due(now=clock.now(), limit=BATCH)
