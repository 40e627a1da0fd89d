"""Small files for the importer, and what to do with them."""

import csv
import io
import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from integrations.models import Import
from integrations.services.imports import import_file
from integrations.services.mappings import read_mapping
from launcher.places import ROOT
from tests.factories import NOW

EXAMPLES = ROOT / "docs" / "examples" / "ravenstack"

ACCOUNTS: dict[str, Any] = {
    "importer": "accounts",
    "fields": {"external_id": "id", "name": "name", "seats": "seats"},
}


def write(path: Path, text: str, encoding: str = "utf-8") -> Path:
    """Write ``text`` as it is, and return the path."""
    path.write_bytes(text.encode(encoding))
    return path


def table(path: Path, header: Sequence[str], rows: Iterable[Sequence[object]]) -> Path:
    """Write a table as CSV, and return the path."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(header)
    writer.writerows(rows)
    return write(path, text.getvalue())


def take(path: Path, mapping: Mapping[str, Any], *, now: datetime = NOW, **options: Any) -> Import:
    """Import ``path`` and return the record of it."""
    return import_file(path=path, mapping=mapping, now=now, **{"tell": lambda run: None, **options})


def example(name: str) -> dict[str, Any]:
    """A mapping that is shipped as an example."""
    return read_mapping(EXAMPLES / f"{name}.json")


def saved(path: Path, mapping: Mapping[str, Any]) -> Path:
    """Write a mapping file, and return its path."""
    return write(path, json.dumps(mapping))


def refusals(run: Import) -> list[tuple[int, str, str]]:
    """Line, column and code of each refused row."""
    return list(run.refused.values_list("line", "column", "code"))


def doubts(run: Import) -> list[tuple[int, str, str]]:
    """Line, column and code of each doubt."""
    return list(run.doubtful.values_list("line", "column", "code"))


def counts(run: Import) -> tuple[int, int, int, int]:
    """New, changed, the same, refused."""
    return run.rows_created, run.rows_updated, run.rows_unchanged, run.rows_refused
