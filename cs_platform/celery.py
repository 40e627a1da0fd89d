"""The Celery application: where periodic work is declared and queues are named by kind of work.

A message on the broker is a doorbell, never the only record of something owed; losing every message delays
work until the next beat and loses nothing. Each periodic task takes a database lock, so two beats do no harm.
"""

import os
from datetime import timedelta
from typing import Any

from celery import Celery
from celery.signals import beat_init, setup_logging, worker_process_init
from django.conf import settings
from kombu import Queue

from common.collector import settle

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "cs_platform.settings.production")

app: Celery = Celery("cs_platform")
app.config_from_object("django.conf:settings", namespace="CELERY")

QUEUES = ("default", "health", "hooks", "integrations", "outbox", "playbooks", "surveys", "sweeps", "usage")
"""A burst of one kind of work waits in its own queue and delays no other."""

app.conf.task_queues = [Queue(name) for name in QUEUES]
app.conf.task_default_queue = "default"
app.conf.task_routes = {
    **{f"{name}.*": {"queue": name} for name in QUEUES if name != "default"},
    # A sweep is hundreds of long tasks: in a queue of its own it lets a touched account's turn come between them.
    "health.recompute_chunk": {"queue": "sweeps"},
    "health.simulate_next": {"queue": "sweeps"},
    "playbooks.rehearse": {"queue": "sweeps"},
}

app.conf.beat_schedule = {
    "heartbeat": {"task": "accounts.heartbeat", "schedule": timedelta(seconds=10)},
    # It expires, so that an outage of the workers leaves no pile of ticks behind.
    "outbox": {"task": "outbox.deliver", "schedule": timedelta(seconds=5), "options": {"expires": 5}},
    "hooks": {"task": "hooks.deliver", "schedule": timedelta(seconds=5), "options": {"expires": 5}},
    "health of touched accounts": {
        "task": "health.recompute_touched",
        "schedule": timedelta(seconds=5),
        "options": {"expires": 5},
    },
    # It looks each minute whether the hour is over, or a sweep stands still.
    "health of all": {"task": "health.recompute_all", "schedule": timedelta(minutes=1), "options": {"expires": 60}},
    "health set by hand": {
        "task": "health.expire_overrides",
        "schedule": timedelta(minutes=1),
        "options": {"expires": 60},
    },
    # It looks for a simulation that stands still; one that runs rings for itself.
    "simulations of health": {
        "task": "health.simulate",
        "schedule": timedelta(seconds=15),
        "options": {"expires": 15},
    },
    "health drops": {"task": "health.tell_drops", "schedule": timedelta(minutes=1), "options": {"expires": 60}},
    "health drops of all": {
        "task": "health.tell_every_drop",
        "schedule": timedelta(hours=1),
        "options": {"expires": 3600},
    },
    "playbooks": {"task": "playbooks.tick", "schedule": timedelta(seconds=2), "options": {"expires": 4}},
    "playbook entries": {
        "task": "playbooks.evaluate_entries",
        "schedule": timedelta(minutes=1),
        "options": {"expires": 60},
    },
    "task priorities": {
        "task": "playbooks.refresh_priorities",
        "schedule": timedelta(minutes=5),
        "options": {"expires": 300},
    },
    "notifications": {
        "task": "notifications.consume",
        "schedule": timedelta(seconds=5),
        "options": {"expires": 5},
    },
    "daily mails": {
        "task": "notifications.send_digests",
        "schedule": timedelta(minutes=5),
        "options": {"expires": 300},
    },
    "old notifications": {"task": "notifications.prune", "schedule": timedelta(days=1), "options": {"expires": 3600}},
    # It looks for a rehearsal that stands still; one that is asked for rings.
    "rehearsals": {"task": "playbooks.rehearse", "schedule": timedelta(seconds=15), "options": {"expires": 15}},
    "outcomes of holdouts": {
        "task": "playbooks.measure_holdouts",
        "schedule": timedelta(hours=1),
        "options": {"expires": 3600},
    },
    "usage's day": {"task": "usage.turn_windows", "schedule": timedelta(minutes=1), "options": {"expires": 60}},
    "waiting usage": {"task": "usage.assign_waiting", "schedule": timedelta(minutes=1), "options": {"expires": 60}},
    "old usage": {"task": "usage.purge", "schedule": timedelta(hours=6), "options": {"expires": 3600}},
    "surveys held back": {
        "task": "surveys.send_held_back",
        "schedule": timedelta(minutes=1),
        "options": {"expires": 60},
    },
    "survey reminders": {"task": "surveys.remind", "schedule": timedelta(minutes=5), "options": {"expires": 300}},
    "playbook mail held back": {
        "task": "playbooks.send_held_back",
        "schedule": timedelta(minutes=1),
        "options": {"expires": 60},
    },
    "playbook bounces": {
        "task": "playbooks.mark_bounces",
        "schedule": timedelta(minutes=1),
        "options": {"expires": 60},
    },
    "playbook messages given up": {
        "task": "playbooks.tell_given_up",
        "schedule": timedelta(minutes=1),
        "options": {"expires": 60},
    },
    "survey bounces": {"task": "surveys.mark_bounces", "schedule": timedelta(minutes=1), "options": {"expires": 60}},
}

app.autodiscover_tasks()


@beat_init.connect
def ring_at_once(**_: Any) -> None:
    """Tick as beat starts, so that a deployment is ready without waiting for the first interval to pass."""
    app.send_task("accounts.heartbeat")


@worker_process_init.connect
def settle_process(**_: Any) -> None:
    """Set the garbage collector of a process that will do many tasks."""
    settle()


@setup_logging.connect  # Celery asks here instead of replacing the root logger
def configure_logging(**_: Any) -> None:
    """Keep the logging that the settings describe."""
    import logging.config  # noqa: PLC0415  # only a worker's start needs it

    logging.config.dictConfig(settings.LOGGING)
