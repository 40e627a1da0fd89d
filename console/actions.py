"""The one registry of what a person can do: it feeds the navigation, the palette, the keys and the `?` sheet."""

from __future__ import annotations

from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from playbooks.models import Task

GO = "go"
LIST = "list"
TASK = "task"
ACCOUNT = "account"
STEP = "step"
HELP = "help"

SCOPES: dict[str, Promise] = {
    GO: _("Go to"),
    LIST: _("Lists"),
    TASK: _("Tasks"),
    ACCOUNT: _("Account"),
    STEP: _("Steps of a playbook"),
    HELP: _("Help"),
}


@dataclass(frozen=True, slots=True)
class Action:
    """One thing that can be done: its words, its key, its icon, where it makes sense, and its address if it has one."""

    key: str
    label: str | Promise
    hotkey: str
    icon: str
    scope: str
    url_name: str = ""

    @property
    def scope_label(self) -> Promise:
        return SCOPES[self.scope]


ACTIONS: tuple[Action, ...] = (
    Action("go.home", _("Home"), "g h", "home", GO, "console:home"),
    Action("go.queue", _("Queue"), "g q", "queue", GO, "console:queue"),
    Action("go.accounts", _("Accounts"), "g a", "accounts", GO, "console:accounts"),
    Action("go.opportunities", _("Opportunities"), "g o", "opportunity", GO, "console:opportunities"),
    Action("go.health", _("Health"), "g e", "health", GO, "console:health"),
    Action("go.playbooks", _("Playbooks"), "g p", "playbook", GO, "console:playbooks"),
    Action("go.surveys", _("Surveys"), "g s", "survey", GO, "console:surveys"),
    Action("go.messages", _("Messages"), "g i", "send", GO, "console:messages"),
    Action("go.notifications", _("Notifications"), "g n", "bell", GO, "console:notifications"),
    Action("go.segments", _("Segments"), "g m", "segment", GO, "console:segments"),
    Action("go.team", _("Team"), "g t", "people", GO, "console:team"),
    Action("list.next", _("Next row"), "j", "arrow-down", LIST),
    Action("list.previous", _("Previous row"), "k", "arrow-up", LIST),
    Action("list.later", _("Next page"), ".", "chevron-right", LIST),
    Action("list.earlier", _("Previous page"), ",", "chevron-left", LIST),
    Action("list.open", pgettext_lazy("command", "Open"), "Enter", "arrow-right", LIST),
    Action("list.peek", _("Look without leaving the list"), "Space", "eye", LIST),
    Action("list.select", _("Select"), "x", "check", LIST),
    Action("list.filter", _("Filter"), "/", "filter", LIST),
    Action("list.views", _("Choose a view"), "v", "eye", LIST),
    Action("list.save", _("Save the view"), "Shift+V", "copy", LIST),
    Action("list.group", _("Group by account"), "b", "accounts", LIST),
    Action("list.snoozed", _("Snoozed tasks"), "", "snooze", LIST),
    Action("list.whose", _("My tasks, or everybody's"), "", "people", LIST),
    Action("task.done", _("Done"), "e", "check", TASK),
    Action("task.snooze", _("Snooze"), "h", "snooze", TASK),
    Action("task.assign", _("Reassign"), "a", "people", TASK),
    Action("task.touchpoint", _("Log a touchpoint"), "l", "touchpoint", TASK),
    Action("task.order", _("Why it stands here"), "w", "sort", TASK),
    Action("task.tick", _("Tick the next item"), "c", "task", TASK),
    *(
        Action(f"task.outcome.{place}", format_lazy(_("Done: {outcome}"), outcome=label), str(place), "check", TASK)
        for place, (_value, label) in enumerate(Task.Outcome.choices, start=1)
    ),
    Action("undo", _("Undo"), "z", "undo", TASK),
    Action("account.note", _("Write a note"), "n", "note", ACCOUNT),
    Action("account.task", _("New task"), "t", "task", ACCOUNT),
    Action("account.assign", _("Assign the account"), "o", "people", ACCOUNT),
    Action("account.playbook", _("Start a playbook"), "p", "playbook", ACCOUNT),
    Action("account.rate", _("Rate the account"), "r", "star", ACCOUNT),
    Action("account.override", _("Set the score by hand"), "s", "hand", ACCOUNT),
    Action("account.next", _("Next account"), "]", "chevron-right", ACCOUNT),
    Action("step.up", _("Move the step up"), "Alt+ArrowUp", "arrow-up", STEP),
    Action("step.down", _("Move the step down"), "Alt+ArrowDown", "arrow-down", STEP),
    Action("step.add", _("Add a step below"), "i", "plus", STEP),
    Action("search", _("Search and commands"), "Mod+k", "search", HELP),
    Action("theme", _("Light or dark"), "g l", "moon", HELP),
    Action("help", _("Keyboard shortcuts"), "?", "keyboard", HELP),
)
