from typing import Any

from django.core.management.base import BaseCommand

from common import clock
from demo.load import is_loaded, load


class Command(BaseCommand):
    help = "Fill an empty database with a demo company and a year of its history."

    def handle(self, *args: Any, **options: Any) -> None:
        if is_loaded():
            self.stdout.write("There are accounts already: nothing was loaded.")
            return
        load(now=clock.now(), say=self._say)

    def _say(self, text: str) -> None:
        self.stdout.write(text)
        self.stdout.flush()
