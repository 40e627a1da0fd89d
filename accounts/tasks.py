from celery import shared_task

from accounts.models import Heartbeat
from common import clock


@shared_task(name="accounts.heartbeat")
def heartbeat() -> None:
    """Note that beat rings and a worker answers; ``/readyz`` looks at it."""
    Heartbeat.objects.update_or_create(name="beat", defaults={"beat_at": clock.now()})
