"""What the account page shows at a glance: who they are, how they are, what is due, who is who."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Case, F, IntegerField, Q, Value, When
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from accounts.attributes import Catalogue, Context, Facts, read_facts
from accounts.models import Account, Contact, Event, Rating, Touchpoint, User
from accounts.queries import facts_of
from common.sql import SQL, rows, value
from console.queries.playbook_words import names_in, next_steps
from console.queries.tasks import TaskRow, task_rows
from console.timeline import GROUPS, Told, after, cursor_of, tell
from health.models import NamedScore, Profile
from playbooks.actions import Names
from playbooks.definition.steps import Act, Check, Step
from playbooks.models import Run, Task
from surveys.scales import Category

GLANCE = (
    "mrr",
    "annualised_mrr",
    "renewal_on",
    "days_to_renewal",
    "customer_days",
    "seats.active",
    "seats.active_share",
    "health",
    "health.band",
    "health.change_30d",
    "health.stale",
    "health.inputs",
    "stage.days",
    "tickets.open",
    "tickets.open_urgent",
    "nps.last",
    "nps.last_category",
    "usage.events_28d",
    "usage.change_28d",
    "usage.days_since",
)

CHILD_FACTS = ("health", "health.band", "health.stale", "health.inputs", "mrr")

TIMELINE_PAGE = 40
LATEST = 8
ROLES_IN_ORDER = (Contact.Role.DECISION_MAKER, Contact.Role.CHAMPION, Contact.Role.BILLING, Contact.Role.USER)


def glance(account: Account, *, now: datetime) -> dict[str, Any]:
    """The facts of the header, by attribute key with underscores for dots, in one query.

    Beside them: ``customer_for`` in words, and ``nps_words`` for the category of the last answer.
    """
    facts: Mapping[str, Facts] = facts_of(account, GLANCE, now=now)
    found: dict[str, Any] = {key.replace(".", "_"): facts[key].value for key in GLANCE}
    category = found["nps_last_category"]
    found["nps_words"] = Category(category).label if category else ""
    found["customer_for"] = _length(found["customer_days"])
    return found


def _length(days: int | None) -> str:
    """A stretch of days as people say it: years, else months, else days."""
    if days is None or days < 0:
        return ""
    if days >= 730:
        return ngettext("%(n)s year", "%(n)s years", days // 365) % {"n": days // 365}
    if days >= 60:
        return ngettext("%(n)s month", "%(n)s months", days // 30) % {"n": min(days // 30, 23)}
    return ngettext("%(n)s day", "%(n)s days", days) % {"n": days}


@dataclass(frozen=True, slots=True)
class ChildRow:
    """One account below another, with its facts of the moment."""

    account: Account
    score: float | None
    band: str
    stale: int | None
    inputs: int | None
    mrr: Any


def parent_of(account: Account, *, user: User) -> Account | None:
    """The account above, where there is one that ``user`` may see."""
    if account.parent_id is None:
        return None
    return Account.objects.visible_to(user).filter(pk=account.parent_id).first()


def children_of(account: Account, *, user: User, now: datetime) -> list[ChildRow]:
    """The accounts directly below that ``user`` may see: customers first, then by name."""
    found = list(
        Account.objects.visible_to(user)
        .filter(parent=account)
        .select_related("plan", "stage")
        .order_by(F("ended_at").asc(nulls_first=True), "name", "id")
    )
    if not found:
        return []
    catalogue = Catalogue()
    facts = read_facts([catalogue[key] for key in CHILD_FACTS], [child.pk for child in found], context=Context.at(now))
    return [ChildRow(child, *(facts[child.pk][key].value for key in CHILD_FACTS)) for child in found]


@dataclass(frozen=True, slots=True)
class Staleness:
    """How many of the ``inputs`` of one or several scores are older than they should be."""

    stale: int
    inputs: int


@dataclass(frozen=True, slots=True)
class GroupHealth:
    """The scores of an account and all below it together, in the bands of the account's own profile if it has one.

    ``age`` is of the inputs of all their scores, ``worst_age`` of those of the lowest.
    """

    mean: float
    mean_band: str
    age: Staleness
    worst: float
    worst_band: str
    worst_age: Staleness


def group_health(account: Account, profile: Profile | None, *, now: datetime) -> GroupHealth | None:
    """How an account and all below it are doing; None where none of them has a score. At most two queries."""
    facts = facts_of(account, ("health.rollup", "health.rollup_worst"), now=now)
    mean, worst = facts["health.rollup"].value, facts["health.rollup_worst"].value
    if mean is None:
        return None

    def band(score: float) -> str:
        return profile.band_of(score) if profile else ""

    ages = _ages_of_group(account)
    age = Staleness(sum(one.stale for one in ages), sum(one.inputs for one in ages))
    return GroupHealth(mean, band(mean), age, worst, band(worst), ages[0])


def _ages_of_group(account: Account) -> list[Staleness]:
    """The age of the inputs of each overall score in the group, the lowest score first."""
    found = rows(
        SQL(
            "WITH RECURSIVE below AS (SELECT {}::bigint AS id UNION"
            " SELECT c.id FROM below b JOIN accounts_account c ON c.parent_id = b.id)"
            " SELECT h.stale, cardinality(array_remove(h.points, NULL)) FROM below b"
            " JOIN health_healthscore h ON h.account_id = b.id"
            " AND h.named_id = (SELECT id FROM health_namedscore WHERE key = {})"
            " WHERE h.score IS NOT NULL ORDER BY h.score, h.account_id"
        ).format(value(account.pk), value(NamedScore.OVERALL))
    )
    return [Staleness(stale, inputs) for stale, inputs in found]


def last_touch(account: Account) -> Touchpoint | None:
    """The latest exchange with the account."""
    return account.touchpoints.select_related("user", "contact").order_by("-happened_at", "-id").first()


def last_rating(account: Account) -> Rating | None:
    """How the staff last felt that the account was doing."""
    return account.ratings.select_related("user").order_by("-rated_at", "-id").first()


def next_in_book(account: Account, *, user: User) -> Account | None:
    """The live account that follows by name in the book of the account's owner, the first one after the last."""
    book = Account.objects.visible_to(user).live().filter(owner=account.owner).order_by("name", "id")
    following = book.filter(Q(name__gt=account.name) | Q(name=account.name, pk__gt=account.pk)).first()
    return following or book.first()


@dataclass(frozen=True, slots=True)
class TimelinePage:
    """One page of a timeline, and the cursor of the next one; empty at the end."""

    items: list[Told]
    more: str


def timeline(account: Account, *, group: str, before: str, limit: int, currency: str) -> TimelinePage:
    """What happened to the account, latest first, narrowed to one of ``timeline.GROUPS``."""
    events = Event.objects.filter(account=account)
    if group in GROUPS:
        events = events.filter(GROUPS[group].condition)
    found = list(after(events.standing(), before).timeline().select_related("user", "contact")[: limit + 1])
    shown = found[:limit]
    return TimelinePage(items=tell(shown, currency=currency), more=cursor_of(shown[-1]) if len(found) > limit else "")


def open_tasks(account: Account, *, now: datetime) -> list[TaskRow]:
    """The account's open tasks, the one to do first coming first, snoozed ones included."""
    return task_rows(Task.objects.open().filter(account=account).order_by("-priority", "id"), now=now)


def closed_tasks(account: Account) -> list[Task]:
    """The tasks that were closed last."""
    closed = Task.objects.filter(account=account).exclude(status=Task.Status.OPEN)
    return list(closed.select_related("done_by", "owner").order_by(F("done_at").desc(nulls_last=True), "-id")[:30])


def people(account: Account) -> list[Contact]:
    """Everybody at the account: who is still there first, who decides before who uses."""
    rank = Case(
        *(When(role=role, then=Value(place)) for place, role in enumerate(ROLES_IN_ORDER)),
        default=Value(len(ROLES_IN_ORDER)),
        output_field=IntegerField(),
    )
    return list(account.contacts.order_by(F("left_at").asc(nulls_first=True), rank, "name", "id"))


def team(account: Account) -> list[tuple[str, User]]:
    """Who of the company works with the account, each with what they are to it."""
    owner = [(_("CSM"), account.owner)] if account.owner else []
    members = account.team.select_related("user").order_by("role")
    return [*owner, *((str(member.get_role_display()), member.user) for member in members)]


@dataclass(frozen=True, slots=True)
class RunRow:
    """One run of a playbook on the account, and in words what it does next."""

    run: Run
    next_step: str


def runs(account: Account) -> list[RunRow]:
    """The latest runs, live ones first."""
    live_first = Case(When(state__in=Run.LIVE, then=Value(0)), default=Value(1), output_field=IntegerField())
    found = Run.objects.filter(account=account).select_related("playbook", "version")
    latest = list(found.order_by(live_first, "-entered_at", "-id")[:6])
    steps = next_steps(latest)
    names = names_in(steps)
    return [RunRow(run, _next_words(step, names)) for run, step in zip(latest, steps, strict=True)]


def _next_words(step: Step | None, names: Names) -> str:
    match step:
        case Check():
            return _("looks again")
        case Act(action=action):
            return action.words(names)
    return _("goes on")
