"""Mails to colleagues: one notification at once, or what is unread of a day."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

from django.conf import settings
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext, override

from accounts.models import User, Workspace
from notifications.models import Notification
from outbox.mail import inlined, sender
from outbox.services import enqueue_email


def owe_one(notification: Notification, *, now: datetime) -> None:
    """Owe the mail that tells of one notification, in its reader's language."""
    user = notification.user
    with override(user.language):
        words = notification.words
        _owe(
            f"notification:{user.pk}:{notification.key}",
            user,
            subject=words,
            template="email/notifications/one",
            context={
                "words": words,
                "url": settings.BASE_URL + notification.page,
                "account": notification.told.account,
            },
            now=now,
        )


def owe_digest(user: User, notifications: Sequence[Notification], *, day: date, now: datetime) -> None:
    """Owe the daily mail with these notifications, grouped by account, in its reader's language."""
    with override(user.language):
        groups: dict[str, list[dict[str, str]]] = {}
        for one in notifications:
            line = {"words": one.words, "url": settings.BASE_URL + one.page}
            groups.setdefault(one.told.account, []).append(line)
        count = len(notifications)
        _owe(
            f"digest:{user.pk}:{day.isoformat()}",
            user,
            subject=ngettext("%(count)s thing that you have not seen", "%(count)s things that you have not seen", count)
            % {"count": count},
            template="email/notifications/digest",
            context={"groups": sorted(groups.items()), "url": settings.BASE_URL + reverse("console:notifications")},
            now=now,
        )


def _owe(key: str, user: User, *, subject: str, template: str, context: dict[str, Any], now: datetime) -> None:
    company = Workspace.current().name
    preferences = settings.BASE_URL + reverse("console:notification_preferences")
    more = {**context, "company": company, "subject": subject, "preferences": preferences, "language": user.language}
    enqueue_email(
        dedupe_key=key,
        recipient=user.email,
        subject=subject,
        text=render_to_string(f"{template}.txt", more),
        html=inlined(render_to_string(f"{template}.html", more)),
        headers={
            "From": sender(_("%(company)s, notifications") % {"company": company}),
            "List-Unsubscribe": f"<{preferences}>",
            "Auto-Submitted": "auto-generated",
        },
        due_at=now,
    )
