"""The ledger told in the words of the people who work with customers: what happened, with what looks and details."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Q
from django.urls import reverse
from django.utils.dateparse import parse_datetime
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from accounts.models import Event, Offboarding, Rating, Stage, Touchpoint
from accounts.models.event import EventQuerySet
from common.templatetags.amounts import money
from console.timeline.health import health_words
from health.models import NamedScore
from outbox.models import Kind, Withdrawal
from playbooks import handing
from playbooks.mail.lost import lost_words
from surveys.models import Response, Survey
from surveys.scales import Category


@dataclass(frozen=True, slots=True)
class Group:
    """What a person may narrow a timeline to: the beginnings of the kinds of events that belong to it."""

    label: str | Promise
    prefixes: tuple[str, ...]

    @property
    def condition(self) -> Q:
        """The events of the group."""
        wanted = Q()
        for prefix in self.prefixes:
            wanted |= Q(kind__startswith=prefix)
        return wanted


GROUPS: dict[str, Group] = {
    "touchpoints": Group(gettext_lazy("Touchpoints"), ("touchpoint.",)),
    "health": Group(gettext_lazy("Health"), ("health.", "account.rated")),
    "surveys": Group(gettext_lazy("Surveys"), ("survey.", "contact.")),
    "tickets": Group(gettext_lazy("Tickets"), ("ticket.",)),
    "work": Group(gettext_lazy("Playbooks and tasks"), ("playbook.", "task.")),
    "contract": Group(
        gettext_lazy("Contract and stage"),
        ("subscription.", "invoice.", "opportunity.", "stage.", "account.created", "account.assigned", "account.ended"),
    ),
}


@dataclass(frozen=True, slots=True)
class Told:
    """One thing that happened, ready to be shown."""

    when: datetime
    title: str
    icon: str = "clock"
    tone: str = ""
    detail: str = ""
    by: str = ""
    href: str = ""


def tell(events: Iterable[Event], *, currency: str) -> list[Told]:
    """The events in words, in their order; what they name is read in a fixed number of queries."""
    listed = list(events)
    return [_Words(event, known).told() for known in [_Known(listed, currency)] for event in listed]


def after(events: EventQuerySet, cursor: str) -> EventQuerySet:
    """The events that come after ``cursor`` (see ``cursor_of``) in a timeline; all of them when it cannot be read."""
    moment, _dot, pk = cursor.rpartition("_")
    try:
        when = parse_datetime(moment)
    except ValueError:
        when = None
    if when is None or when.tzinfo is None or not (pk.isascii() and pk.isdigit() and len(pk) < 19):
        return events
    return events.filter(Q(happened_at__lt=when) | Q(happened_at=when, pk__lt=int(pk)))


def cursor_of(event: Event) -> str:
    """The place of the event in a timeline, for ``after``."""
    return f"{event.happened_at.isoformat()}_{event.pk}"


class _Known:
    """What the events of one page name, by id or key."""

    def __init__(self, events: list[Event], currency: str) -> None:
        self.currency = currency
        self.touchpoints = Touchpoint.objects.select_related("contact", "user").in_bulk(_ids(events, "touchpoint"))
        self.ratings = Rating.objects.in_bulk(_ids(events, "rating"))
        self.responses = Response.objects.in_bulk(_ids(events, "response"))
        self.lost = lost_words(_ids(events, "email"))
        has = {event.kind.partition(".")[0] for event in events}
        self.stages: dict[str, str] = dict(Stage.objects.values_list("key", "name")) if "stage" in has else {}
        self.scores: dict[str, str] = (
            dict(NamedScore.objects.values_list("key", "label"))
            if any("named" in event.data for event in events)
            else {}
        )
        self.surveys: dict[str, str] = (
            dict(Survey.objects.values_list("key", "name")) if has & {"survey", "contact"} else {}
        )


def _ids(events: list[Event], name: str) -> set[int]:
    return {event.data[name] for event in events if isinstance(event.data.get(name), int)}


class _Words:
    """Tells one event."""

    def __init__(self, event: Event, known: _Known) -> None:
        self.event = event
        self.known = known
        self.data: Mapping[str, Any] = event.data

    def told(self) -> Told:
        area, _dot, what = self.event.kind.partition(".")
        teller: Callable[[str], Told] = getattr(self, f"_{area}", self._other)
        return teller(what)

    def _say(self, title: str, icon: str, *, tone: str = "", detail: str = "", href: str = "", by: str = "") -> Told:
        return Told(
            when=self.event.happened_at,
            title=title,
            icon=icon,
            tone=tone,
            detail=detail,
            by=by or (self.event.user.name if self.event.user else ""),
            href=href,
        )

    def _other(self, what: str) -> Told:
        return self._say(self.event.kind.replace(".", " ").replace("_", " ").capitalize(), "clock")

    def _touchpoint(self, what: str) -> Told:
        touchpoint = self.known.touchpoints.get(self.data.get("touchpoint", 0))
        kind = str(self.data.get("kind", ""))
        label = str(Touchpoint.Kind(kind).label) if kind in Touchpoint.Kind.values else _("Touchpoint")
        icon = {"business_review": "reports", "webinar": "meeting", "in_app": "chat"}.get(kind, kind or "touchpoint")
        tone = {"positive": "good", "negative": "poor"}.get(str(self.data.get("sentiment", "")), "")
        summary = str(self.data.get("summary", ""))
        title = f"{label}: {summary}"
        if touchpoint is None:
            return self._say(title, icon, tone=tone)
        if touchpoint.contact:
            title = _("%(kind)s with %(name)s: %(summary)s") % {
                "kind": label,
                "name": touchpoint.contact.name,
                "summary": summary,
            }
        parts = [touchpoint.body]
        if touchpoint.minutes:
            parts.append(_("%(minutes)s minutes") % {"minutes": touchpoint.minutes})
        if touchpoint.next_step:
            parts.append(_("Next step: %(step)s") % {"step": touchpoint.next_step})
        return self._say(title, icon, tone=tone, detail=_joined(parts))

    def _health(self, what: str) -> Told:
        label = self.known.scores.get(str(self.data.get("named", "")), _("Health"))
        words = health_words(what, self.data, score=label)
        if words is None:
            return self._other(what)
        return self._say(words.title, "hand" if "overrid" in what else "health", tone=words.tone, detail=words.detail)

    def _survey(self, what: str) -> Told:
        words = {
            "survey": self.known.surveys.get(self.data.get("survey", ""), self.data.get("survey", "")),
            "name": self.event.contact.name if self.event.contact else _("Somebody"),
            "score": self.data.get("score"),
        }
        if what == "invited":
            return self._say(_("%(name)s was invited to answer “%(survey)s”") % words, "send")
        if what == "reminded":
            return self._say(_("%(name)s was reminded of “%(survey)s”") % words, "send")
        category = str(self.data.get("category", ""))
        tone = {"promoter": "good", "passive": "watch", "detractor": "poor"}.get(category, "")
        if category in Category.values:
            words["category"] = str(Category(category).label).lower()
            title = _("%(name)s answered “%(survey)s” with %(score)s, %(category)s") % words
        else:
            title = _("%(name)s answered “%(survey)s” with %(score)s") % words
        if what == "changed":
            title = _("%(name)s changed the answer to “%(survey)s” to %(score)s") % words
        response = self.known.responses.get(self.data.get("response", 0))
        return self._say(
            title, "survey", tone=tone, detail=f"“{response.comment}”" if response and response.comment else ""
        )

    def _contact(self, what: str) -> Told:
        name = self.event.contact.name if self.event.contact else _("Somebody")
        if what == "unsubscribed":
            return self._say(_("%(name)s does not want mail any more") % {"name": name}, "email", tone="watch")
        if what == "bounced":
            return self._say(_("Mail to %(name)s came back") % {"name": name}, "email", tone="watch")
        return self._other(what)

    def _ticket(self, what: str) -> Told:
        titles = {"opened": _("Ticket opened"), "solved": _("Ticket solved"), "reopened": _("Ticket opened again")}
        tone = {"solved": "good", "reopened": "poor"}.get(what, "")
        if what == "opened" and self.data.get("priority") == "urgent":
            titles["opened"], tone = _("Urgent ticket opened"), "poor"
        if what not in titles:
            return self._other(what)
        subject = self.data.get("subject") or ""
        return self._say(f"{titles[what]}: {subject}" if subject else titles[what], "ticket", tone=tone)

    def _message(self, what: str) -> Told:
        kind, because = self.data.get("kind", ""), self.data.get("because", "")
        if what != "withdrawn" or kind not in Kind.values or because not in Withdrawal.values:
            return self._other(what)
        words = {
            "kind": str(Kind(kind).label),
            "label": self.data.get("label", ""),
            "name": self.event.contact.name if self.event.contact else _("somebody"),
        }
        title = _("%(kind)s “%(label)s” did not go out to %(name)s") % words
        return self._say(title, "email", tone="watch", detail=str(Withdrawal(because).label))

    def _playbook(self, what: str) -> Told:
        titles = {
            "entered": _("Playbook “%(name)s” started"),
            "recovered": _("Playbook “%(name)s”: it got better by itself"),
            "finished": _("Playbook “%(name)s” finished"),
            "exited": _("Playbook “%(name)s” was left"),
            "emailed": _("Playbook “%(name)s” wrote to %(contact)s"),
            "given_up": _("Playbook “%(name)s” could not reach %(recipient)s"),
        }
        if what not in titles:
            return self._other(what)
        name = self.data.get("name") or self.data.get("playbook", "")
        run = self.data.get("run")
        href = reverse("console:playbook_run", args=[run]) if isinstance(run, int) else ""
        contact = self.event.contact.name if self.event.contact else _("somebody")
        lost = self.known.lost.get(self.data.get("email", 0), "")
        if lost:
            titles[what] = _("Playbook “%(name)s” wrote to %(contact)s, and it did not arrive")
        return self._say(
            titles[what] % {"name": name, "contact": contact, "recipient": self.data.get("recipient", "")},
            "email" if what == "emailed" else "playbook",
            tone="watch" if lost else {"recovered": "good", "given_up": "watch"}.get(what, ""),
            detail=lost or str(self.data.get("subject") or self.data.get("error") or ""),
            href=href,
        )

    def _task(self, what: str) -> Told:
        titles = {
            "created": _("Task: %(title)s"),
            "done": _("Task done: %(title)s"),
            "reopened": _("Task opened again: %(title)s"),
            "cancelled": _("Task cancelled: %(title)s"),
            "snoozed": _("Task snoozed: %(title)s"),
            "woken": _("Task back in the queue: %(title)s"),
            "reassigned": _("Task given to %(name)s: %(title)s"),
        }
        if what not in titles:
            return self._other(what)
        task = self.data.get("task")
        return self._say(
            titles[what] % {"title": self.data.get("title", ""), "name": self.data.get("name", "")},
            "check" if what == "done" else "task",
            tone="good" if what == "done" else "",
            detail=str(self.data.get("note") or ""),
            href=reverse("console:queue_task", args=[task]) if isinstance(task, int) else "",
        )

    def _subscription(self, what: str) -> Told:
        amount = money(self.data.get("mrr"), self.known.currency)
        if what == "started":
            title = _("Trial started") if self.data.get("is_trial") else _("Subscription started")
            return self._say(title, "renewal", detail=_("%(amount)s a month") % {"amount": amount})
        if what == "ended":
            title = _("Trial ended") if self.data.get("is_trial") else _("Subscription ended")
            return self._say(title, "renewal", detail=_("%(amount)s a month") % {"amount": amount})
        return self._other(what)

    def _invoice(self, what: str) -> Told:
        titles = {"paid": _("Invoice %(number)s paid"), "voided": _("Invoice %(number)s voided")}
        if what not in titles:
            return self._other(what)
        detail = [money(self.data.get("amount"), str(self.data.get("currency", self.known.currency)))]
        late = self.data.get("days_late", 0) if what == "paid" else 0
        if late:
            detail.append(ngettext("%(n)s day late", "%(n)s days late", late) % {"n": late})
        title = titles[what] % {"number": self.data.get("number", "")}
        return self._say(title, "money", tone="watch" if late else "", detail=_joined(detail))

    def _opportunity(self, what: str) -> Told:
        titles = {
            "opened": _("Opportunity: %(name)s"),
            "won": _("Opportunity won: %(name)s"),
            "lost": _("Opportunity lost: %(name)s"),
            "reopened": _("Opportunity opened again: %(name)s"),
        }
        if what not in titles:
            return self._other(what)
        amount = self.data.get("amount")
        detail = [
            "" if amount is None else money(amount, str(self.data.get("currency", self.known.currency))),
            str(self.data.get("outcome") or ""),
        ]
        tone = {"won": "good", "lost": "watch"}.get(what, "")
        title = titles[what] % {"name": self.data.get("name", "")}
        pk = self.data.get("opportunity")
        href = reverse("console:opportunity", args=[pk]) if isinstance(pk, int) else ""
        return self._say(title, "opportunity", tone=tone, detail=_joined(detail), href=href)

    def _stage(self, what: str) -> Told:
        if what != "entered":
            return self._other(what)
        key = self.data.get("stage", "")
        title = _("Entered the stage “%(stage)s”") % {"stage": self.known.stages.get(key, key)}
        return self._say(title, "stage", detail=str(self.data.get("reason") or ""))

    def _account(self, what: str) -> Told:
        if what == "created":
            return self._say(_("Account created"), "plus")
        if what == "rated":
            return self._rated()
        if what == "tagged":
            tags = [f"+{tag}" for tag in self.data.get("added", ())] + [
                f"−{tag}" for tag in self.data.get("removed", ())
            ]
            return self._say(
                _("Tags: %(tags)s") % {"tags": ", ".join(tags)}, "pin", detail=str(self.data.get("reason") or "")
            )
        if what == "assigned":
            return self._assigned()
        if what != "ended":
            return self._other(what)
        kind = self.data.get("kind", "")
        why = [str(Offboarding.Kind(kind).label) if kind in Offboarding.Kind.values else ""]
        why += [str(self.data.get(name) or "").replace("_", " ") for name in ("category", "competitor")]
        return self._say(_("The account ended"), "close", tone="poor", detail=_joined(why))

    def _assigned(self) -> Told:
        names = {"name": self.data.get("name"), "before": self.data.get("from_name")}
        if not names["name"]:
            title = _("Nobody owns the account now")
        elif self.data.get("undone"):
            title = _("Given back to %(name)s") % names
        elif names["before"]:
            title = _("%(name)s took over from %(before)s") % names
        else:
            title = _("%(name)s owns the account now") % names
        detail = [
            handing.told([cover])[0] if (cover := self.data.get("cover")) else "",
            str(self.data.get("reason") or ""),
        ]
        if tasks := self.data.get("tasks", 0):
            words = ngettext("%(count)s open task went along", "%(count)s open tasks went along", tasks)
            detail.append(words % {"count": tasks})
        return self._say(title, "people", detail=_joined(detail))

    def _rated(self) -> Told:
        value = self.data.get("value")
        if value not in Rating.Value.values:
            return self._other("rated")
        words = {"value": value, "words": str(Rating.Value(value).label).lower()}
        rating = self.known.ratings.get(self.data.get("rating", 0))
        tone = "poor" if value <= Rating.Value.WORRYING else "good" if value >= Rating.Value.GOOD else "watch"
        return self._say(
            _("Rated %(value)s of 5, %(words)s") % words, "star", tone=tone, detail=rating.comment if rating else ""
        )


def _joined(parts: Iterable[str]) -> str:
    return " · ".join(part for part in parts if part)
