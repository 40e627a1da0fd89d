from typing import Any

from django.core.management.base import BaseCommand

from outbox.services import reseal_destinations


class Command(BaseCommand):
    help = "Encrypt every kept secret with SECRETS_KEY, so that SECRETS_KEY_FALLBACKS can be emptied."

    def handle(self, *args: Any, **options: Any) -> None:
        self.stdout.write(f"{reseal_destinations()} destinations encrypted with the present key.")
