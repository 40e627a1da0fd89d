"""Importing a file: all its good rows in one transaction, and each refused row kept with its reason."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from itertools import islice
from pathlib import Path
from typing import Any

from django.db import DataError, IntegrityError, connection, reset_queries, transaction
from django.utils.translation import gettext as _

from accounts.models import Workspace
from common import clock
from common.cells import Refusal
from common.errors import Conflict, DomainError
from common.importers import Importer, Occasion, Outcome, Row
from common.locks import only_one
from common.text import UNSTORABLE
from integrations.models import DoubtfulRow, Import, RefusedRow
from integrations.services.files import Table, check_encoding, digest_of, missing_columns, open_table
from integrations.services.mappings import FileMapping, check_fields, check_mapping
from integrations.services.rows import Draft, Found, RowReader

ROWS_AT_ONCE = 5_000
LONGEST_MESSAGE = 500
LONGEST_KEPT_CELL = 500
CELLS_KEPT = 100

Tell = Callable[[Import], None]


def import_file(
    *,
    path: Path,
    mapping: Mapping[str, Any],
    now: datetime,
    tell: Tell,
    dry_run: bool = False,
    progress: Callable[[int], None] = lambda rows: None,
) -> Import:
    """Take the rows of the CSV file at ``path`` as ``mapping`` says, and return the record of it.

    One transaction holds the whole file: whatever stops it, nothing of it is taken. ``tell`` is called once with the
    finished record, when its refused rows can be read; a dry run is undone after that, record and all. ``progress``
    hears how many rows were read so far.

    Raises DomainError when nothing can be taken: an unusable mapping or file, or another import that runs.
    """
    checked, importer = check_mapping(mapping)
    digest = digest_of(path)
    check_encoding(path, checked.encoding)
    run = Import(
        importer=importer.name, file_name=path.name[:255], digest=digest, mapping=dict(mapping), started_at=now
    )
    if not dry_run:
        run.save()
    try:
        with only_one("integrations.import") as free:
            _insist(free)
            run.save()
            _close_dead_runs(before=run, now=now)
            _take(path=path, run=run, mapping=checked, importer=importer, now=now, progress=progress)
            if dry_run:
                tell(run)
                transaction.set_rollback(True)
    except BaseException as error:
        if not dry_run:
            _fail(run=run, reason=error.message if isinstance(error, DomainError) else _("It was stopped."))
        raise
    if not dry_run:
        tell(run)
    return run


def _insist(free: bool) -> None:
    if not free:
        raise Conflict(_("Another import is running; try again when it has finished."), code="import_running")


def _take(
    *,
    path: Path,
    run: Import,
    mapping: FileMapping,
    importer: Importer,
    now: datetime,
    progress: Callable[[int], None],
) -> None:
    occasion = Occasion(now=now, zone=Workspace.current().zone)
    importer.declare(mapping.declare)
    check_fields(mapping, importer)
    with open_table(path, encoding=mapping.encoding, delimiter=mapping.delimiter) as table:
        if missing := [column for column in mapping.columns if column not in table.columns]:
            raise missing_columns(path, table, missing, mapping.delimiter)
        reader = RowReader(mapping=mapping, importer=importer, columns=table.columns, occasion=occasion)
        _forget_seen()
        for lines in _chunks(table):
            _take_chunk(run, reader, table.columns, lines)
            reset_queries()  # where DEBUG keeps every statement, a large file must still fit into memory
            progress(run.rows_read)
    run.status = Import.Status.DONE
    run.finished_at = clock.now()
    run.save()


def _take_chunk(run: Import, reader: RowReader, columns: tuple[str, ...], lines: list[tuple[int, list[str]]]) -> None:
    chunk = reader.read(lines)
    refused = list(chunk.refused)
    drafts = []
    said_before = _said_before(chunk.drafts, reader.importer.identity)
    for draft in chunk.drafts:
        if (first := said_before.get(draft.line)) is None:
            drafts.append(draft)
            continue
        message = _("Line %d is about the same thing already; keep one of them.") % first
        refused.append(reader.found(draft.line, Refusal("repeated", message, field=reader.importer.identity[-1])))
    outcome = _apply(reader.importer, reader.complete(drafts), reader.occasion)
    refused += [reader.found(line, refusal) for line, refusal in outcome.refused.items()]
    lost = {found.line for found in refused}
    doubts = [found for found in chunk.doubts if found.line not in lost]
    cells = dict(lines)
    RefusedRow.objects.bulk_create(RefusedRow(run=run, **_kept(found, columns, cells[found.line])) for found in refused)
    DoubtfulRow.objects.bulk_create(
        DoubtfulRow(run=run, **_kept(found, columns, cells[found.line])) for found in doubts
    )
    run.rows_read += len(lines)
    run.rows_created += outcome.created
    run.rows_updated += outcome.updated
    run.rows_unchanged += outcome.unchanged
    run.rows_refused += len(refused)
    run.rows_warned += len({found.line for found in doubts})


def _apply(importer: Importer, rows: list[Row], occasion: Occasion) -> Outcome:
    """Write rows; where the database refuses them, find out which of them by halves, and write the others."""
    if not rows:
        return Outcome()
    try:
        with transaction.atomic():
            return importer.apply(rows, occasion)
    except (DataError, IntegrityError) as error:
        if len(rows) == 1:
            reason = str(error).partition("\n")[0]
            refusal = Refusal("refused_by_database", _("The database cannot keep this row: %s.") % reason)
            return Outcome(refused={rows[0].line: refusal})
    middle = len(rows) // 2
    outcome = _apply(importer, rows[:middle], occasion)
    outcome.add(_apply(importer, rows[middle:], occasion))
    return outcome


def _chunks(table: Table) -> Iterator[list[tuple[int, list[str]]]]:
    while lines := list(islice(table.rows, ROWS_AT_ONCE)):
        yield lines


def _forget_seen() -> None:
    """Start a table of what the file is about, in the database so that memory stays bounded."""
    with connection.cursor() as cursor:
        cursor.execute("DROP TABLE IF EXISTS pg_temp.integrations_seen")
        cursor.execute(
            "CREATE TEMPORARY TABLE integrations_seen (identity text PRIMARY KEY, line integer NOT NULL) ON COMMIT DROP"
        )


def _said_before(drafts: list[Draft], identity: tuple[str, ...]) -> dict[int, int]:
    """The lines about something that an earlier line is about, each with that earlier line."""
    named = {
        draft.line: json.dumps([str(draft.values.get(name, "")) for name in identity], ensure_ascii=False)
        for draft in drafts
    }
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO integrations_seen SELECT * FROM unnest(%s::text[], %s::integer[])"
            " ON CONFLICT DO NOTHING RETURNING line",
            [list(named.values()), list(named)],
        )
        first = {line for (line,) in cursor.fetchall()}
        again = {line: name for line, name in named.items() if line not in first}
        if not again:
            return {}
        cursor.execute(
            "SELECT identity, line FROM integrations_seen WHERE identity = ANY(%s)", [list(set(again.values()))]
        )
        lines = dict(cursor.fetchall())
    return {line: lines[name] for line, name in again.items()}


def _kept(found: Found, columns: tuple[str, ...], cells: list[str]) -> dict[str, Any]:
    """A finding with its row, in a form and size that the database takes."""
    names = [*columns, *(f"+{extra}" for extra in range(1, len(cells) - len(columns) + 1))]
    return {
        "line": found.line,
        "column": _storable(found.column)[:200],
        "code": found.code[:40],
        "message": _storable(found.message)[:LONGEST_MESSAGE],
        "row": {
            _storable(name): _storable(cell)[:LONGEST_KEPT_CELL]
            for name, cell in islice(zip(names, cells, strict=False), CELLS_KEPT)
        },
    }


def _storable(text: str) -> str:
    return UNSTORABLE.sub("␀", text)


def _close_dead_runs(*, before: Import, now: datetime) -> None:
    """Whoever holds the lock is the only import alive: others that seem to run were killed, and left nothing."""
    Import.objects.filter(status=Import.Status.RUNNING, pk__lt=before.pk).update(
        status=Import.Status.FAILED,
        error=_("Its process ended before the file did; nothing of the file was taken."),
        finished_at=now,
    )


def _fail(*, run: Import, reason: str) -> None:
    Import.objects.filter(pk=run.pk).update(
        status=Import.Status.FAILED,
        error=_("Nothing of the file was taken. %s") % reason,
        finished_at=clock.now(),
        rows_read=0,
    )
