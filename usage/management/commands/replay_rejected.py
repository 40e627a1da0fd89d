from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from django.utils.translation import gettext as _

from common import clock
from usage.services import replay_rejected


class Command(BaseCommand):
    help = "Offer refused tracking calls again, after what they were refused for has changed."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--code", default="", help="Only those refused for this reason, such as in_the_future.")
        parser.add_argument("--limit", type=int, default=1_000, help="At most this many, oldest first.")

    def handle(self, *args: Any, **options: Any) -> None:
        replayed = replay_rejected(code=options["code"], limit=options["limit"], now=clock.now())
        self.stdout.write(
            _("%(accepted)d taken, %(refused)d still refused.")
            % {"accepted": replayed.accepted, "refused": replayed.refused}
        )
