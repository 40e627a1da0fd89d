from playbooks.models.playbook import EntryMatch, Playbook, PlaybookVersion
from playbooks.models.run import Run, RunQuerySet, RunStep
from playbooks.models.task import Task, TaskQuerySet, Yardstick

__all__ = [
    "EntryMatch",
    "Playbook",
    "PlaybookVersion",
    "Run",
    "RunQuerySet",
    "RunStep",
    "Task",
    "TaskQuerySet",
    "Yardstick",
]
