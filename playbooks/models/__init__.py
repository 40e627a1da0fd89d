from playbooks.models.assignment import Assignment, RoundRobin
from playbooks.models.playbook import EntryMatch, Playbook, PlaybookVersion
from playbooks.models.run import Run, RunQuerySet, RunStep
from playbooks.models.task import Task, TaskQuerySet, Yardstick

__all__ = [
    "Assignment",
    "EntryMatch",
    "Playbook",
    "PlaybookVersion",
    "RoundRobin",
    "Run",
    "RunQuerySet",
    "RunStep",
    "Task",
    "TaskQuerySet",
    "Yardstick",
]
