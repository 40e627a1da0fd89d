from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from accounts.models import User
from accounts.services.keys import SCOPES, create_api_key
from common.errors import DomainError
from common.text import normal_email


class Command(BaseCommand):
    help = "Make a key to the REST API that acts as one user, and print it; it is shown this once."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("name", help="what the key is for")
        parser.add_argument("--user", required=True, help="e-mail address of the user that the key acts as")
        parser.add_argument("--scopes", default="read,write", help=f"comma-separated, of: {', '.join(SCOPES)}")

    def handle(self, *args: Any, **options: Any) -> None:
        user = User.objects.filter(email=normal_email(options["user"])).first()
        if user is None:
            raise CommandError(f"No user signs in as {options['user']}; give the address of one who does.")
        try:
            _record, key = create_api_key(name=options["name"], user=user, scopes=options["scopes"].split(","))
        except DomainError as error:
            raise CommandError(error.message) from error
        self.stdout.write(key)
