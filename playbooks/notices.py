"""What people are told of tasks and playbooks."""

from __future__ import annotations

from collections.abc import Iterable

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.models import Event
from notifications.kinds import Channel, Kind, Staff, Told, register
from notifications.notices import account_page
from outbox.models import Message
from playbooks.models import Task


def _task_page(told: Told) -> str:
    return reverse("console:queue_task", args=[told.data["task"]])


def _new_owner(event: Event, staff: Staff) -> Iterable[int | None]:
    return [event.data.get("owner")]


def _next_owner(event: Event, staff: Staff) -> Iterable[int | None]:
    return [event.data.get("to")]


def _owner_of_woken(event: Event, staff: Staff) -> Iterable[int | None]:
    if "because" not in event.data:
        return ()
    return Task.objects.filter(pk=event.data["task"]).values_list("owner", flat=True)


def _admins(event: Event, staff: Staff) -> Iterable[int | None]:
    return staff.admins


def _who_can_mend(event: Event, staff: Staff) -> Iterable[int | None]:
    """Of a mail to the customer its CSM, if there is one; of Slack and webhooks the admins, who keep them."""
    if event.data["channel"] == Message.Channel.EMAIL and event.account.owner_id is not None:
        return [event.account.owner_id]
    return staff.admins


def _task_words(told: Told) -> dict[str, str]:
    return {"account": told.account, "task": told.data["title"]}


def _new(told: Told) -> str:
    return _("New task for %(account)s: %(task)s") % _task_words(told)


def _handed(told: Told) -> str:
    return _("A task for %(account)s was handed to you: %(task)s") % _task_words(told)


def _woken(told: Told) -> str:
    return _("It got worse at %(account)s, so this task is back: %(task)s") % _task_words(told)


def _parked(told: Told) -> str:
    return _("“%(playbook)s” cannot go on at %(account)s: %(error)s") % {
        "playbook": told.data["name"],
        "account": told.account,
        "error": told.data["error"],
    }


def _given_up(told: Told) -> str:
    if told.data["channel"] == Message.Channel.EMAIL:
        words = _("“%(playbook)s” could not write to %(recipient)s at %(account)s: %(error)s")
    else:
        words = _("“%(playbook)s” could not tell %(recipient)s of %(account)s: %(error)s")
    return words % {
        "playbook": told.data["name"],
        "recipient": told.data["recipient"],
        "account": told.account,
        "error": told.data["error"],
    }


def _run_page(told: Told) -> str:
    return reverse("console:playbook_run", args=[told.data["run"]])


register(
    Kind(
        key="task.new",
        label=gettext_lazy("There is a new task for me"),
        icon="task",
        channel=Channel.DIGEST,
        words=_new,
        page=_task_page,
        event="task.created",
        concerns=_new_owner,
    )
)
register(
    Kind(
        key="task.handed",
        label=gettext_lazy("A colleague hands me a task"),
        icon="hand",
        channel=Channel.AT_ONCE,
        words=_handed,
        page=_task_page,
        event="task.reassigned",
        concerns=_next_owner,
    )
)
register(
    Kind(
        key="task.worse",
        label=gettext_lazy("A task that I put off is back because it got worse"),
        icon="snooze",
        channel=Channel.AT_ONCE,
        words=_woken,
        page=_task_page,
        event="task.woken",
        concerns=_owner_of_woken,
    )
)
register(
    Kind(
        key="playbook.parked",
        label=gettext_lazy("A playbook cannot go on (admins)"),
        icon="playbook",
        channel=Channel.DIGEST,
        words=_parked,
        page=_run_page,
        event="playbook.parked",
        concerns=_admins,
    )
)
register(
    Kind(
        key="playbook.given_up",
        label=gettext_lazy("What a playbook had to send could not be delivered"),
        icon="send",
        channel=Channel.DIGEST,
        words=_given_up,
        page=_run_page,
        event="playbook.given_up",
        concerns=_who_can_mend,
    )
)
BY_PLAYBOOK = register(
    Kind(
        key="playbook.notify",
        label=gettext_lazy("A playbook has something to tell me"),
        icon="bell",
        channel=Channel.DIGEST,
        words=lambda told: str(told.data["text"]),
        page=account_page,
    )
)
