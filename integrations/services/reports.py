"""What an import says of itself: on the terminal, as JSON with every finding, and as a page in Markdown."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TextIO

from django.db.models import Count, Min
from django.utils.translation import gettext as _

from common.errors import DomainError
from common.text import one_line
from integrations.models import DoubtfulRow, Finding, Import, RefusedRow

EXAMPLES = 3


@dataclass(frozen=True, slots=True)
class Reason:
    """One reason for findings: how many rows it concerns, and the first of them."""

    code: str
    column: str
    rows: int
    examples: tuple[Finding, ...]


def reasons(run: Import, model: type[RefusedRow | DoubtfulRow]) -> list[Reason]:
    """Why rows of ``run`` were refused, or doubted, the most frequent reason first."""
    grouped = (
        model._default_manager.filter(run=run)
        .order_by()
        .values("code", "column")
        .annotate(rows=Count("line", distinct=True), first=Min("line"))
        .order_by("-rows", "first", "code")
    )
    return [
        Reason(
            code=group["code"],
            column=group["column"],
            rows=group["rows"],
            examples=tuple(
                model._default_manager.filter(run=run, code=group["code"], column=group["column"])[:EXAMPLES]
            ),
        )
        for group in grouped
    ]


def summary(run: Import, *, dry_run: bool) -> dict[str, Any]:
    """The counts and reasons of ``run`` as plain data."""
    return {
        "importer": run.importer,
        "file": run.file_name,
        "sha256": run.digest,
        "dry_run": dry_run,
        "status": run.status,
        "rows": {
            "read": run.rows_read,
            "created": run.rows_created,
            "updated": run.rows_updated,
            "unchanged": run.rows_unchanged,
            "refused": run.rows_refused,
            "doubtful": run.rows_warned,
        },
        "refused_because": [_counted(reason) for reason in reasons(run, RefusedRow)],
        "doubtful_because": [_counted(reason) for reason in reasons(run, DoubtfulRow)],
    }


def lines_of(run: Import, *, dry_run: bool) -> Iterator[str]:
    """The report as lines of text for a terminal."""
    yield (_("%s, looked at only: nothing is kept.") if dry_run else _("%s, taken.")) % run.file_name
    yield _("%(read)d rows: %(created)d new, %(updated)d changed, %(unchanged)d the same, %(refused)d refused.") % {
        "read": run.rows_read,
        "created": run.rows_created,
        "updated": run.rows_updated,
        "unchanged": run.rows_unchanged,
        "refused": run.rows_refused,
    }
    for title, model in ((_("Refused"), RefusedRow), (_("Taken, but doubtful"), DoubtfulRow)):
        for reason in reasons(run, model):
            yield f"{title}: {reason.rows} × {reason.code}" + (f" ({reason.column})" if reason.column else "")
            for example in reason.examples:
                yield "  " + _("line %(line)d: %(message)s") % {"line": example.line, "message": example.message}


def check_target(path: Path) -> None:
    """Refuse a file that no report can be written to, before anything is taken."""
    if path.suffix not in (".json", ".md"):
        raise DomainError(_("A report is a .json or a .md file, not %s.") % path, code="bad_report")
    if not path.parent.is_dir():
        raise DomainError(_("There is no folder %s for the report.") % path.parent, code="bad_report")


def write(path: Path, run: Import, *, dry_run: bool) -> None:
    """Write the report to ``path``: JSON with every finding, or Markdown with examples of each reason."""
    unfinished = path.with_name(path.name + ".part")
    with unfinished.open("w", encoding="utf-8") as file:
        if path.suffix == ".json":
            _write_json(file, run, dry_run=dry_run)
        else:
            file.writelines(f"{line}\n" for line in _markdown(run, dry_run=dry_run))
    unfinished.replace(path)


def _counted(reason: Reason) -> dict[str, Any]:
    return {
        "code": reason.code,
        "column": reason.column,
        "rows": reason.rows,
        "examples": [{"line": example.line, "message": example.message} for example in reason.examples],
    }


def _write_json(file: TextIO, run: Import, *, dry_run: bool) -> None:
    """One row after the other, so that a million refused rows need no memory."""
    text = json.dumps(summary(run, dry_run=dry_run), ensure_ascii=False, indent=2)
    file.write(text.removesuffix("\n}"))
    findings: tuple[tuple[str, type[RefusedRow | DoubtfulRow]], ...] = (
        ("refused", RefusedRow),
        ("doubtful", DoubtfulRow),
    )
    for name, model in findings:
        file.write(f',\n  "{name}": [')
        separator = "\n    "
        rows = model._default_manager.filter(run=run).values("line", "column", "code", "message", "row")
        for found in rows.iterator(chunk_size=1000):
            file.write(separator + json.dumps(found, ensure_ascii=False))
            separator = ",\n    "
        file.write("]")
    file.write("\n}\n")


def _markdown(run: Import, *, dry_run: bool) -> Iterator[str]:
    yield f"# {_markdown_cell(run.file_name)}"
    yield ""
    if dry_run:
        yield _("Looked at only: nothing is kept.")
        yield ""
    titles = (_("importer"), _("read"), _("new"), _("changed"), _("the same"), _("refused"), _("doubtful"))
    yield f"| {' | '.join(titles)} |"
    yield "|---|---:|---:|---:|---:|---:|---:|"
    yield (
        f"| `{run.importer}` | {run.rows_read} | {run.rows_created} | {run.rows_updated} | {run.rows_unchanged}"
        f" | {run.rows_refused} | {run.rows_warned} |"
    )
    for title, model in ((_("Refused"), RefusedRow), (_("Taken, but doubtful"), DoubtfulRow)):
        found = reasons(run, model)
        if not found:
            continue
        yield ""
        yield f"## {title}"
        yield ""
        yield f"| {_('rows')} | {_('reason')} | {_('column')} | {_('line')} | {_('for example')} |"
        yield "|---:|---|---|---:|---|"
        for reason in found:
            for at, example in enumerate(reason.examples):
                head = f"{reason.rows} | `{reason.code}` | {_markdown_cell(reason.column)}" if at == 0 else " | | "
                yield f"| {head} | {example.line} | {_markdown_cell(example.message)} |"


def _markdown_cell(text: str) -> str:
    """Text out of a file, so that it can be neither markup nor a link."""
    return re.sub(r"([\\`*_{}\[\]<>|#!&])", r"\\\1", one_line(text))
