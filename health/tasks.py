from celery import shared_task

from common import clock
from health.services import compute_chunk, compute_touched, simulate_chunk, sweep_if_due
from health.services import expire_overrides as expire
from health.services import tell_drops as tell
from health.services.simulations import chunks_to_do

AT_ONCE = 16
SIMULATED_AT_ONCE = 4
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


@shared_task(name="health.simulate")
def simulate() -> None:
    """Ring for the chunks of a simulation that has just begun, or stands still because workers died."""
    for _ in range(min(chunks_to_do(now=clock.now()), SIMULATED_AT_ONCE)):
        simulate_next.delay()


@shared_task(name="health.simulate_next")
def simulate_next() -> None:
    """Do one chunk of the simulation and ring for the next; other work of the queue gets its turn between."""
    if simulate_chunk(now=clock.now()):
        simulate_next.delay()


@shared_task(name="health.tell_drops")
def tell_drops() -> None:
    """Tell of the scores that fell far, among those that changed lately."""
    while tell(now=clock.now()):
        pass


@shared_task(name="health.tell_every_drop")
def tell_every_drop() -> None:
    """Tell of the scores that fell far while no worker looked, or again after a week."""
    while tell(now=clock.now(), everywhere=True):
        pass
