"""Somebody's tasks as a calendar reads them (RFC 5545)."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta

from django.utils.translation import gettext as _

from accounts.models import User
from playbooks.models import Task

PAST, AHEAD = timedelta(days=60), timedelta(days=366)
MOST = 1000
LINE = 75


def calendar_of(user: User, *, now: datetime, url_of: Callable[[int], str], host: str) -> str:
    """The open tasks of ``user`` on accounts that they may see, one event each that ends when the task is due.

    Events and not to-dos, which few calendars show; they do not make anybody busy. The text is the same as long as
    the tasks are, so that it can be told apart by its hash.
    """
    tasks = (
        Task.objects.visible_to(user)
        .open()
        .filter(owner=user, due_at__gt=now - PAST, due_at__lt=now + AHEAD)
        .select_related("account")
        .order_by("due_at", "id")[:MOST]
    )
    lines = ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//CS Platform//Tasks//EN", "METHOD:PUBLISH"]
    lines.append(f"X-WR-CALNAME:{_text(_('Tasks of %(name)s') % {'name': user.name})}")
    for task in tasks:
        lines += _event(task, url_of(task.pk), host)
    lines.append("END:VCALENDAR")
    return "".join(f"{folded}\r\n" for line in lines for folded in _fold(line))


def _event(task: Task, url: str, host: str) -> Iterable[str]:
    about = "\n\n".join(part for part in (task.guidance, url) if part)
    return [
        "BEGIN:VEVENT",
        f"UID:task-{task.pk}@{host}",
        f"DTSTAMP:{_instant(task.created_at)}",
        f"DTSTART:{_instant(task.due_at - timedelta(minutes=task.minutes))}",
        f"DTEND:{_instant(task.due_at)}",
        f"SUMMARY:{_text(f'{task.title} · {task.account.name}')}",
        f"DESCRIPTION:{_text(about)}",
        f"URL:{url}",
        "TRANSP:TRANSPARENT",
        "END:VEVENT",
    ]


def _instant(when: datetime) -> str:
    return when.astimezone(UTC).strftime("%Y%m%dT%H%M%SZ")


def _text(text: str) -> str:
    """A value of type TEXT: backslash, comma, semicolon and line ends escaped, other control characters left out."""
    escaped = text.replace("\\", "\\\\").replace(";", "\\;").replace(",", "\\,")
    escaped = escaped.replace("\r\n", "\n").replace("\r", "\n").replace("\n", "\\n")
    return "".join(sign for sign in escaped if sign >= " " or sign == "\t")


def _fold(line: str) -> Iterable[str]:
    """The line in pieces of at most 75 octets, the later ones begun by a space; no character is cut in two."""
    piece, length = "", 0
    for sign in line:
        octets = len(sign.encode())
        if length + octets > LINE:
            yield piece
            piece, length = " ", 1
        piece += sign
        length += octets
    yield piece
