from playbooks.queries.hurdles import why_not
from playbooks.queries.queue import explain_priority, queue_counts, queue_for
from playbooks.queries.verdict import why
from playbooks.queries.why import tell_task, why_run, why_task

__all__ = ["explain_priority", "queue_counts", "queue_for", "tell_task", "why", "why_not", "why_run", "why_task"]
