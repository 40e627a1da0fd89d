"""The list of accounts: what its address asks for, and the rows that answer it."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.http import QueryDict
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext_lazy

from accounts.attributes import Attribute, Catalogue
from accounts.attributes.registry import choices_of
from accounts.conditions import ConditionError, matching
from accounts.models import Account, User, Workspace
from accounts.models.account import AccountQuerySet
from accounts.queries import AccountPage, AccountRow, page_of_accounts
from common.text import storable
from console.templatetags.values import shown_value

PAGE = 50
DEFAULT_COLUMNS = ("health", "stage", "plan", "owner", "mrr", "renewal_on", "touch.days_since")
OFFERED_COLUMNS = (
    *DEFAULT_COLUMNS,
    "health.band",
    "health.change_30d",
    "annualised_mrr",
    "days_to_renewal",
    "invoices.overdue",
    "invoices.overdue_amount",
    "invoices.days_overdue",
    "touch_model",
    "industry",
    "country",
    "tags",
    "customer_since",
    "stage.days",
    "seats",
    "seats.active",
    "seats.active_share",
    "usage.events_28d",
    "usage.change_28d",
    "usage.breadth",
    "usage.depth",
    "usage.essential_share",
    "usage.days_since",
    "onboarding.progress",
    "tickets.open",
    "tickets.slow_open",
    "tickets.reopened_90d",
    "tickets.resolution_days_90d",
    "nps.last",
    "nps.last_category",
    "csat.last",
    "contacts.champions",
    "contacts.sponsor_lost",
    "rating.csm",
    "rating.days_since",
    "tasks.open",
    "parent",
    "children",
    "external_id",
)
MOST_COLUMNS = 12
MOST_PAGES = 10**6
# Beside a preview, and on a tablet, these are the columns that stay.
KEPT_WHEN_NARROW = frozenset({"health", "mrr", "renewal_on"})

RENEWALS: dict[str, tuple[str | Promise, Any]] = {
    "30": (gettext_lazy("within 30 days"), {"attribute": "days_to_renewal", "operator": "between", "value": [0, 30]}),
    "90": (
        gettext_lazy("in 31 to 90 days"),
        {"attribute": "days_to_renewal", "operator": "between", "value": [31, 90]},
    ),
    "180": (
        gettext_lazy("in 91 to 180 days"),
        {"attribute": "days_to_renewal", "operator": "between", "value": [91, 180]},
    ),
    "later": (gettext_lazy("later than 180 days"), {"attribute": "days_to_renewal", "operator": "gt", "value": 180}),
    "none": (gettext_lazy("no date known"), {"attribute": "days_to_renewal", "operator": "is_missing"}),
}
STATES: dict[str, tuple[str | Promise, Any]] = {
    "": (gettext_lazy("Customers"), {"attribute": "is_live", "operator": "is", "value": True}),
    "ended": (pgettext_lazy("accounts", "Ended"), {"attribute": "is_live", "operator": "is", "value": False}),
    "all": (gettext_lazy("Customers and ended ones"), {"all": []}),
}
# A choice among rows of the database, by the name it has in the address: the attribute that it narrows.
CHOSEN = {"segment": "segment", "band": "health.band", "stage": "stage", "csm": "owner", "plan": "plan"}


@dataclass(frozen=True, slots=True)
class Select:
    """One quick filter: its name in the address, what it may be, and what it is."""

    name: str
    label: str
    options: list[tuple[str, str]]
    value: str


@dataclass(slots=True)
class Wanted:
    """What an address asks of the list. Whatever cannot be read falls back, save the condition, which is refused."""

    columns: list[Attribute]
    order_by: Attribute
    descending: bool
    offset: int
    text: str
    selects: list[Select]
    condition_text: str
    conditions: list[Any] = field(default_factory=list)
    problem: str = ""

    @property
    def condition(self) -> dict[str, Any]:
        """Everything that narrows the list, as one condition."""
        return {"all": self.conditions}

    @property
    def is_narrowed(self) -> bool:
        return bool(self.text or self.condition_text or any(select.value for select in self.selects))


def read_wanted(query: QueryDict, *, catalogue: Catalogue, user: User) -> Wanted:
    """What ``query`` asks for."""
    keys = [key for key in query.get("columns", "").split(",") if key] or query.getlist("column")
    columns = [catalogue[key] for key in dict.fromkeys(keys) if _may_be_column(key, catalogue)][:MOST_COLUMNS]
    sort = query.get("sort", "name")
    bare = sort.removeprefix("-")
    raw = query.get("from", "")
    wanted = Wanted(
        columns=columns or [catalogue[key] for key in DEFAULT_COLUMNS],
        order_by=catalogue[bare] if _may_be_column(bare, catalogue) or bare == "name" else catalogue["name"],
        descending=sort.startswith("-"),
        offset=min(int(raw), MOST_PAGES) if raw.isascii() and raw.isdigit() and len(raw) < 10 else 0,
        text=query.get("q", "").strip()[:100],
        selects=_selects(query, catalogue, user),
        condition_text=query.get("condition", "").strip()[:20_000],
    )
    wanted.conditions = list(_quick_conditions(wanted))
    if wanted.condition_text:
        try:
            wanted.conditions.append(json.loads(wanted.condition_text))
        except (ValueError, RecursionError):
            wanted.problem = _("This is not JSON; check its quotes, commas and brackets.")
    return wanted


def _may_be_column(key: str, catalogue: Catalogue) -> bool:
    return key not in ("name", "segment") and storable(key) and key in catalogue


def _selects(query: QueryDict, catalogue: Catalogue, user: User) -> list[Select]:
    labels = {
        "segment": _("Segment"),
        "band": _("Health"),
        "stage": _("Stage"),
        "csm": _("CSM"),
        "plan": _("Plan"),
    }
    selects = []
    for name, key in CHOSEN.items():
        options = [(str(value), str(label)) for value, label in choices_of(catalogue[key]).items()]
        if name == "csm":
            staff = User.objects.filter(book__isnull=False).distinct().order_by("name").values_list("email", "name")
            options = [("me", _("Me")), *((email, label) for email, label in staff if email != user.email)]
        if name == "band":
            options.append(("none", _("No score")))
        selects.append(_select(name, labels[name], options, query))
    renewal = [(key, str(label)) for key, (label, _condition) in RENEWALS.items()]
    selects.append(_select("renewal", _("Renewal"), renewal, query))
    states = [(key, str(label)) for key, (label, _condition) in STATES.items() if key]
    selects.append(_select("state", _("Customers"), states, query))
    for select in selects:
        if select.name == "csm" and select.value == "me":
            selects[selects.index(select)] = Select("csm", select.label, select.options, user.email)
    return selects


def _select(name: str, label: str, options: list[tuple[str, str]], query: QueryDict) -> Select:
    value = query.get(name, "")
    return Select(name, label, options, value if value in dict(options) else "")


def _quick_conditions(wanted: Wanted) -> Iterable[Any]:
    chosen = {select.name: select.value for select in wanted.selects}
    yield STATES[chosen.pop("state")][1]
    if renewal := chosen.pop("renewal"):
        yield RENEWALS[renewal][1]
    for name, value in chosen.items():
        if name == "band" and value == "none":
            yield {"attribute": "health.band", "operator": "is_missing"}
        elif value:
            yield {"attribute": CHOSEN[name], "operator": "in", "value": [value]}


@dataclass(frozen=True, slots=True)
class Cell:
    """One cell of the list."""

    attribute: Attribute
    shown: str
    is_number: bool
    stays: bool


@dataclass(frozen=True, slots=True)
class ListedAccount:
    """One row of the list."""

    account: Account
    cells: list[Cell]
    score: float | None
    band: str
    change: float | None
    stale: int | None
    inputs: int | None


@dataclass(frozen=True, slots=True)
class Listing:
    """One page of the list."""

    rows: list[ListedAccount]
    total: int


HEALTH = ("health", "health.band", "health.change_30d", "health.stale", "health.inputs")


def list_accounts(
    accounts: AccountQuerySet, wanted: Wanted, *, catalogue: Catalogue, now: datetime, limit: int = PAGE
) -> Listing:
    """The page of ``accounts`` that is wanted; raises ConditionError for a condition that is not valid."""
    if not storable(wanted.text):
        return Listing([], 0)
    if wanted.text:
        accounts = accounts.filter(name__icontains=wanted.text)
    page: AccountPage = page_of_accounts(
        accounts,
        condition=wanted.condition,
        columns=list(dict.fromkeys([*wanted.columns, *(catalogue[key] for key in HEALTH)])),
        order_by=wanted.order_by,
        descending=wanted.descending,
        now=now,
        offset=wanted.offset,
        limit=limit,
    )
    if page.total and not page.rows:
        # Beyond the end, as an address that was kept may lead when accounts have gone since.
        wanted.offset = 0
        return list_accounts(accounts, wanted, catalogue=catalogue, now=now, limit=limit)
    currency = Workspace.current().currency
    names = {attribute.key: choices_of(attribute) for attribute in wanted.columns if attribute.choices}
    return Listing([_listed(row, wanted.columns, names, currency) for row in page.rows], page.total)


def wanted_ids(accounts: AccountQuerySet, wanted: Wanted, *, now: datetime, limit: int) -> list[int]:
    """The ids of up to ``limit`` of ``accounts`` that are wanted, on all pages; raises ConditionError."""
    if not storable(wanted.text):
        return []
    named = accounts.filter(name__icontains=wanted.text) if wanted.text else accounts
    return list(matching(named, wanted.condition, now=now).order_by("pk").values_list("pk", flat=True)[:limit])


def _listed(
    row: AccountRow, columns: Iterable[Attribute], names: Mapping[str, dict[str, Any]], currency: str
) -> ListedAccount:
    cells = [
        Cell(
            attribute=attribute,
            shown=shown_value(
                row.facts[attribute.key].value, attribute, currency=currency, names=names.get(attribute.key, {})
            ),
            is_number=attribute.type.is_numeric and attribute.key != "health",
            stays=attribute.key in KEPT_WHEN_NARROW,
        )
        for attribute in columns
    ]
    score, band, change, stale, inputs = (row.facts[key].value for key in HEALTH)
    return ListedAccount(row.account, cells, score, band or "", change, stale, inputs)


def sentence(error: ConditionError) -> str:
    """What is wrong with a condition, and where in what was typed."""
    place = next(iter(error.fields), "")
    # The condition that was typed stands last among those of the quick filters.
    inner = place.partition("]")[2].lstrip(".") if place.startswith("all[") else place
    return _("At %(place)s: %(problem)s") % {"problem": error.message, "place": inner} if inner else error.message
