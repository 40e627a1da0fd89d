from playbooks.models.assignment import Assignment, RoundRobin
from playbooks.models.email import EmailTemplate, EmailText, WrittenEmail
from playbooks.models.holdout import Holdout, HoldoutMember
from playbooks.models.playbook import EntryMatch, Playbook, PlaybookVersion
from playbooks.models.recurring import CalendarFeed, TaskSeries, TaskTemplate
from playbooks.models.rehearsal import Rehearsal, RehearsedAct, RehearsedRun
from playbooks.models.run import Lease, Run, RunQuerySet, RunStep
from playbooks.models.task import Task, TaskQuerySet, Yardstick

__all__ = [
    "Assignment",
    "CalendarFeed",
    "EmailTemplate",
    "EmailText",
    "EntryMatch",
    "Holdout",
    "HoldoutMember",
    "Lease",
    "Playbook",
    "PlaybookVersion",
    "Rehearsal",
    "RehearsedAct",
    "RehearsedRun",
    "RoundRobin",
    "Run",
    "RunQuerySet",
    "RunStep",
    "Task",
    "TaskQuerySet",
    "TaskSeries",
    "TaskTemplate",
    "WrittenEmail",
    "Yardstick",
]
