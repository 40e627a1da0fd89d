import sys
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils.translation import gettext as _

from common import clock
from common.errors import DomainError
from integrations.models import Import
from integrations.services import reports
from integrations.services.imports import import_file
from integrations.services.mappings import read_mapping

SOME_REFUSED = 3
ROWS_BETWEEN_NEWS = 50_000


class Command(BaseCommand):
    """Take a CSV file; ends with 0 when every row was taken, 3 when some were refused, 1 when nothing was."""

    help = _("Import a CSV file as its mapping says, in one transaction, and report what was refused and why.")

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path)
        parser.add_argument("mapping", type=Path)
        parser.add_argument("--dry-run", action="store_true", help=_("Say what would happen, and keep nothing."))
        parser.add_argument(
            "--report", type=Path, metavar="FILE", help=_("Also write the report here: .json (every row) or .md.")
        )

    def handle(self, *args: Any, file: Path, mapping: Path, dry_run: bool, report: Path | None, **options: Any) -> None:
        def tell(run: Import) -> None:
            for line in reports.lines_of(run, dry_run=dry_run):
                self.stdout.write(line)
            if report:
                reports.write(report, run, dry_run=dry_run)

        def progress(rows: int) -> None:
            if options["verbosity"] > 0 and rows % ROWS_BETWEEN_NEWS == 0:
                self.stderr.write(_("%d rows read …") % rows)

        try:
            if report:
                reports.check_target(report)
            run = import_file(
                path=file,
                mapping=read_mapping(mapping),
                now=clock.now(),
                tell=tell,
                dry_run=dry_run,
                progress=progress,
            )
        except DomainError as error:
            raise CommandError(_("Nothing was taken. %s") % error.message) from error
        if run.rows_refused:
            sys.exit(SOME_REFUSED)
