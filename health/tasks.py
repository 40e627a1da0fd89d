from celery import shared_task

from common import clock
from health.services import compute_chunk, compute_touched, sweep_if_due
from health.services import expire_overrides as expire

AT_ONCE = 16
TOUCHED_LIMIT = 1_000
TOUCHED_ROUNDS = 20


@shared_task(name="health.recompute_all")
def recompute_all() -> None:
    """Start a sweep of every account when one is due, and ring for what waits of the current one."""
    for _ in range(min(sweep_if_due(now=clock.now()), AT_ONCE)):
        recompute_chunk.delay()


@shared_task(name="health.recompute_chunk")
def recompute_chunk() -> None:
    """Compute one chunk of the current sweep and ring for the next; other work of the queue gets its turn between."""
    if compute_chunk(now=clock.now()):
        recompute_chunk.delay()


@shared_task(name="health.recompute_touched")
def recompute_touched() -> None:
    """Compute the accounts about which something became known, until none is left or others want the worker."""
    for _ in range(TOUCHED_ROUNDS):
        if not compute_touched(now=clock.now(), limit=TOUCHED_LIMIT):
            return


@shared_task(name="health.expire_overrides")
def expire_overrides() -> None:
    """End the scores set by hand whose time is over."""
    while expire(now=clock.now()):
        pass
