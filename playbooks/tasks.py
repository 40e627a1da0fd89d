"""Periodic work. Messages carry nothing: what there is to do stands in the database, and losing them only delays it."""

from celery import shared_task

from common import clock
from common.doorbell import ring
from common.locks import only_one
from playbooks import services

BATCH = 2000
MOST_BATCHES = 5  # a task stays short; what is left is the next tick's, which is rung for


@shared_task(name="playbooks.tick", time_limit=300)
def tick() -> None:
    """Let accounts enter by what happened to them, and take the turns that are due. Cheap when there is nothing."""
    for _ in range(MOST_BATCHES):
        if services.consume_events(now=clock.now(), limit=BATCH) < BATCH:
            break
    for _ in range(MOST_BATCHES):
        if services.advance_due(now=clock.now(), limit=BATCH) == 0:
            return
    ring("playbooks.tick")


@shared_task(name="playbooks.evaluate_entries")
def evaluate_entries() -> None:
    """Let accounts enter for which a playbook's entry became true, and runs go on that wait for what has come."""
    services.evaluate_entries(now=clock.now())
    services.wake_waiting(now=clock.now())


@shared_task(name="playbooks.send_held_back")
def send_held_back() -> None:
    """Write the mails that a contact's budget held back and now has a place for."""
    services.send_held_back(now=clock.now())


@shared_task(name="playbooks.mark_bounces")
def mark_bounces() -> None:
    """Mark contacts whose mail from a playbook found no mailbox."""
    services.mark_bounces(now=clock.now())


@shared_task(name="playbooks.tell_given_up")
def tell_given_up() -> None:
    """Tell of what runs had to send and was given up."""
    services.tell_given_up(now=clock.now())


@shared_task(name="playbooks.refresh_priorities")
def refresh_priorities() -> None:
    """Make tasks that come again, wake those for which it got worse, and number the open ones anew."""
    with only_one("playbooks.priorities") as alone:
        if alone:
            services.make_due_tasks(now=clock.now())
            services.wake_worsened(now=clock.now())
            services.refresh_priorities(now=clock.now())


@shared_task(name="playbooks.rehearse")
def rehearse() -> None:
    """Work off the rehearsals that wait."""
    while services.rehearse_next(now=clock.now()):
        pass


@shared_task(name="playbooks.measure_holdouts")
def measure_holdouts() -> None:
    """Write down the outcomes of holdouts that are due."""
    services.measure_holdouts(now=clock.now())
