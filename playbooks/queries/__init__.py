from playbooks.queries.queue import explain_priority, queue_counts, queue_for
from playbooks.queries.why import why_not, why_run, why_task

__all__ = ["explain_priority", "queue_counts", "queue_for", "why_not", "why_run", "why_task"]
