from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from django.utils.translation import gettext as _

from usage.services import create_write_key


class Command(BaseCommand):
    help = "Make a write key for the tracking API; it is printed this once, and only its hash is kept."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("name", help="What the key is for, such as the product and where it runs.")

    def handle(self, *args: Any, **options: Any) -> None:
        _record, key = create_write_key(name=options["name"])
        self.stderr.write(_("Keep it now: it cannot be shown again."))
        self.stdout.write(key)
