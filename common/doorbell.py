"""Doorbells: tell a worker that something is due, without depending on its being told.

What is owed is a committed row, and beat looks for such rows every few seconds; a ring only saves that wait.
So a ring that fails is dropped, and a broker that is down or frozen is left alone for a while: a request that
changes a thousand rows must not wait for it a thousand times.
"""

import logging
import time
from dataclasses import dataclass

from celery import Celery
from django.db import transaction
from kombu.exceptions import KombuError
from redis.exceptions import RedisError

QUIET_SECONDS = 15

logger = logging.getLogger(__name__)

# Every process can ring, also one that never loads the workers' own application.
_bell = Celery("doorbell", set_as_current=False)
_bell.config_from_object("django.conf:settings", namespace="CELERY")
_quiet_until = 0.0


@dataclass(frozen=True)
class _Ring:
    task: str

    def __call__(self) -> None:
        global _quiet_until  # noqa: PLW0603  # one broker, so one state for the process
        if time.monotonic() < _quiet_until:
            return
        try:
            _bell.send_task(self.task, queue=self.task.partition(".")[0], ignore_result=True)
        except (OSError, KombuError, RedisError):
            _quiet_until = time.monotonic() + QUIET_SECONDS
            logger.warning("the broker does not answer; %s waits for the next beat", self.task)


def ring(task: str) -> None:
    """After this transaction commits, ask a worker to run ``task`` (a name such as ``outbox.deliver``) soon.

    Several rings of one task in one transaction are one.
    """
    bell = _Ring(task)
    if not any(waiting[1] == bell for waiting in transaction.get_connection().run_on_commit):
        transaction.on_commit(bell)
