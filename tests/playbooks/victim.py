"""A process that makes workers to be killed: each line of input is an instant, and forks a worker for it.

A fork is a whole process of its own and starts at once, while a fresh one loads everything for seconds.
A worker takes the turns that are due then, few at a time, and ends; its id is printed first.
"""

import os
import sys
from datetime import datetime

import django

django.setup()

from playbooks.services import advance_due  # noqa: E402  # Django is set up before models are imported


def work(now: datetime) -> None:
    while advance_due(now=now, limit=3):
        pass


for line in sys.stdin:
    child = os.fork()
    if child == 0:
        work(datetime.fromisoformat(line.strip()))
        os._exit(0)
    print(child, flush=True)
    os.waitpid(child, 0)
    print("gone", flush=True)
