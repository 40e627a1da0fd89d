"""A worker of an older release: it does not know the step ``branch``, and does all else that is due."""

import sys
from datetime import datetime

import django

django.setup()

from playbooks.definition.parse import STEPS  # noqa: E402  # Django is set up before models are imported
from playbooks.services import advance_due, consume_events, evaluate_entries, wake_waiting  # noqa: E402

del STEPS["branch"]

now = datetime.fromisoformat(sys.argv[1])
evaluate_entries(now=now)
wake_waiting(now=now)
while consume_events(now=now, limit=100):
    pass
while advance_due(now=now, limit=100):
    pass
