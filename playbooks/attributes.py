"""What the company has in hand for an account: its open tasks and the playbooks at work on it."""

from django.utils.translation import gettext_lazy as _

from accounts.attributes import Attribute, Column, Source, Type, register

WORK = _("Work in hand")

TASKS = Source(name="tasks", relation="playbooks_task", grouped=True, where="status = 'open'")
RUNS = Source(name="runs", relation="playbooks_run", grouped=True, where="state IN ('waiting', 'parked')")

register(
    Attribute("tasks.open", _("Open tasks"), Type.NUMBER, Column(TASKS, "count(*)"), WORK, default=0),
    Attribute(
        "tasks.overdue",
        _("Overdue tasks"),
        Type.NUMBER,
        Column(TASKS, "count(*)", only="due_at < {now}"),
        WORK,
        default=0,
    ),
    Attribute("playbooks.live", _("Playbooks at work"), Type.NUMBER, Column(RUNS, "count(*)"), WORK, default=0),
)
