"""The rows of the queue, written straight: they are most of its page, and a template of them is most of its cost."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from functools import cache, lru_cache
from html import escape

from django import template
from django.urls import get_script_prefix, reverse
from django.utils import timezone
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from common.templatetags.amounts import NOTHING, money_short, number
from common.templatetags.ui import ago, day_distance, exact, icon, score
from console.queries.queue_filter import TaskGroup
from console.queries.tasks import TaskRow

register = template.Library()

PLACE = 987_654_321
BUTTON = "btn btn-ghost btn-sm btn-square"


@register.simple_tag
def task_list(rows: Iterable[TaskRow], currency: str, *, with_owner: bool = False) -> SafeString:
    """Return the rows of the queue's table; ``with_owner`` adds whose task each is."""
    writer = Writer(currency, with_owner)
    return SafeString("".join(map(writer.row, rows)))  # every value is escaped where it is put in


@register.simple_tag
def task_groups(groups: Iterable[TaskGroup], currency: str, *, with_owner: bool = False) -> SafeString:
    """Return the rows of the queue's table under a heading for each account."""
    writer = Writer(currency, with_owner, is_grouped=True)
    return SafeString("".join(map(writer.group, groups)))


@lru_cache(maxsize=64)
def _address(name: str, prefix: str) -> tuple[str, str]:
    before, _place, after = reverse(name, args=[PLACE]).partition(str(PLACE))
    return before, after


def _addresses(name: str) -> Callable[[int], str]:
    before, after = _address(name, get_script_prefix())
    return lambda pk: f"{before}{pk}{after}"


def _controls() -> str:
    """The controls of a row, with ``{task}`` and ``{account}`` where its numbers go."""
    return (
        '<td><div class="row-actions">'
        f'<button class="{BUTTON}" type="submit" form="bulk" name="task" value="{{task}}" data-action="task.done"'
        f' data-optimistic hx-target="this" hx-post="{_put("console:queue_done", "{task}")}" hx-swap="none"'
        f' title="{escape(_("Done"))}">{icon("check")}</button>'
        + "".join(
            f'<a class="{BUTTON}" href="{_put(name, place)}{more}" data-action="{action}"'
            f' hx-get="{_put(name, place)}{more}" title="{escape(words)}">{icon(sign)}</a>'
            for action, name, place, more, sign, words in (
                ("task.snooze", "console:queue_snooze", "{task}", "", "snooze", _("Snooze")),
                ("task.assign", "console:queue_assign", "{task}", "", "people", _("Reassign")),
                (
                    "task.touchpoint",
                    "console:account_touchpoint",
                    "{account}",
                    "?task={task}",
                    "touchpoint",
                    _("Log a touchpoint"),
                ),
            )
        )
        + "</div></td>"
    )


def _factor(factor: float) -> str:
    return number(factor, 0 if factor == int(factor) else 2)


def _put(name: str, place: str) -> str:
    before, after = _address(name, get_script_prefix())
    return f"{before}{place}{after}"


@dataclass(slots=True)
class Writer:
    """Writes rows, with what all of them share made once: addresses, controls, words, days."""

    currency: str
    with_owner: bool
    is_grouped: bool = False  # what is true of the account stands in its heading then, once
    task: Callable[[int], str] = field(default_factory=lambda: _addresses("console:queue_task"))
    account: Callable[[int], str] = field(default_factory=lambda: _addresses("console:account"))
    controls: str = field(default_factory=_controls)
    select: str = field(default_factory=lambda: escape(_("Select %(title)s, %(account)s")))
    # What many rows share is made once.
    money: Callable[[Decimal | None], str] = field(init=False)
    score: Callable[..., str] = field(default_factory=lambda: cache(score))
    day: Callable[[date], str] = field(default_factory=lambda: cache(day_distance))
    moment: Callable[[datetime], str] = field(default_factory=lambda: cache(exact))
    ago: Callable[[date | None], str] = field(default_factory=lambda: cache(ago))

    factor: Callable[[float], str] = field(default_factory=lambda: cache(_factor))
    order: str = field(
        default_factory=lambda: escape(_("value at risk %(value)s × urgency %(urgency)s × severity %(severity)s"))
    )

    renewal: str = field(default_factory=lambda: escape(_("renewal %(day)s")))

    def __post_init__(self) -> None:
        self.money = cache(lambda amount: escape(money_short(amount, self.currency)))

    def group(self, group: TaskGroup) -> str:
        """The heading of an account and its rows."""
        at, first = self.account(group.account_id), group.first
        size = ngettext("%(count)s task", "%(count)s tasks", group.size) % {"count": number(group.size)}
        more = ""
        if group.hidden:
            words = ngettext("%(count)s more", "%(count)s more", group.hidden) % {"count": number(group.hidden)}
            more = (
                f' · <a class="link" href="{_put("console:account_tasks", str(group.account_id))}">{escape(words)}</a>'
            )
        renewal = f" · {self.renewal % {'day': self.ago(first.renewal_on)}}" if first.renewal_on else ""
        return (
            f'<tr class="group-row"><th scope="rowgroup" colspan="{5 + self.with_owner}">'
            f'<a class="hover:underline" href="{at}">{escape(first.account)}</a>'
            f"{self.score(first.score, first.band, None, '', first.stale, first.inputs)}"
            f'<span class="muted">{self.money(first.mrr)}{renewal} · {escape(size)}{more}</span></th></tr>\n'
            f"{''.join(map(self.row, group.rows))}"
        )

    def row(self, row: TaskRow) -> str:
        """One row of the table."""
        title, account = escape(row.title), escape(row.account)
        at = self.task(row.id)
        select = self.select % {"title": title, "account": account}
        controls = self.controls.replace("{task}", str(row.id)).replace("{account}", str(row.account_id))
        renewal = "" if self.is_grouped else f'<td class="cell-wide-only">{self.ago(row.renewal_on)}</td>'
        owner = f'<td class="cell-wide-only">{escape(row.owner or NOTHING)}</td>' if self.with_owner else ""
        return (
            f'<tr id="task-{row.id}" data-row data-peek="{at}">'
            f'<td><input type="checkbox" class="checkbox" data-row-select name="task" value="{row.id}" form="bulk"'
            f' aria-label="{select}"></td>'
            f'<td class="cell-main"><a class="row-title" href="{at}" data-row-link>{title}</a>'
            f'<span class="row-detail">{self._progress(row)}{escape(row.reason)}</span></td>'
            f"{self._account(row, account)}"
            f"{self._due(row)}"
            f"{renewal}"
            f'<td class="number cell-wide-only">{self._order(row)}</td>'
            f"{owner}{controls}</tr>\n"
        )

    def _account(self, row: TaskRow, name: str) -> str:
        if self.is_grouped:
            return ""
        return (
            f'<td class="whitespace-nowrap"><a class="hover:underline" href="{self.account(row.account_id)}">'
            f"{name}</a></td>"
            f"<td>{self.score(row.score, row.band, None, '', row.stale, row.inputs)}</td>"
            f'<td class="number">{self.money(row.mrr)}</td>'
        )

    def _progress(self, row: TaskRow) -> str:
        if not row.items:
            return ""
        words = escape(_("Checklist: %(done)s of %(all)s") % {"done": row.ticked, "all": row.items})
        return f'<span class="row-progress" title="{words}">{row.ticked}/{row.items}</span> '

    def _due(self, row: TaskRow) -> str:
        when = timezone.localtime(row.due_at)
        tone = ' class="text-poor"' if row.is_overdue else ""
        shown, exactly = escape(self.day(when.date())), escape(self.moment(when.replace(second=0, microsecond=0)))
        return f'<td{tone}><time datetime="{when.isoformat()}" title="{exactly}">{shown}</time></td>'

    def _order(self, row: TaskRow) -> str:
        """The number that the order follows, and beside it on hover or focus the factors that it is made of."""
        reasons = row.priority_reasons
        if not reasons:
            return ""
        told = self.order % {name: self.factor(reasons[name]) for name in ("value", "urgency", "severity")}
        return (
            f'<span class="order-cell"><button class="order" type="button" data-action="task.order"'
            f' aria-describedby="order-{row.id}">{self.factor(row.priority)}</button>'
            f'<span class="order-tip" role="tooltip" id="order-{row.id}">'
            f"{told} = {self.factor(row.priority)}</span></span>"
        )
