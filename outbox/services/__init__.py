from outbox.services.budget import drop, reserve, set_budget
from outbox.services.deliver import deliver_due, deliver_hooks_due
from outbox.services.destinations import (
    Tested,
    add_destination,
    change_destination,
    reseal_destinations,
    rotate_secret,
    switch_destination,
    try_destination,
)
from outbox.services.enqueue import (
    enqueue_email,
    enqueue_slack,
    enqueue_webhook,
    send_again,
    send_every_again,
    slack_text,
)
from outbox.services.withdrawing import withdraw

__all__ = [
    "Tested",
    "add_destination",
    "change_destination",
    "deliver_due",
    "deliver_hooks_due",
    "drop",
    "enqueue_email",
    "enqueue_slack",
    "enqueue_webhook",
    "reseal_destinations",
    "reserve",
    "rotate_secret",
    "send_again",
    "send_every_again",
    "set_budget",
    "slack_text",
    "switch_destination",
    "try_destination",
    "withdraw",
]
