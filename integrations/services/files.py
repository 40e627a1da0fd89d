"""Reading a CSV file a row at a time, whatever its size, and saying in one sentence why one cannot be read."""

from __future__ import annotations

import codecs
import csv
import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TextIO

from django.utils.translation import gettext as _

from common.errors import DomainError

LONGEST_LINE = 1_000_000
MOST_COLUMNS = 1_000
CHARACTERS_AT_ONCE = 1 << 20
DELIMITERS = ";\t|,"


class FileRefused(DomainError):
    """A file of which nothing can be taken."""

    code = "file_refused"


@dataclass(frozen=True, slots=True)
class Table:
    """An open file: its columns, and an iterator of (number of the line, cells), blank lines left out."""

    columns: tuple[str, ...]
    rows: Iterator[tuple[int, list[str]]]


def digest_of(path: Path) -> str:
    """The SHA-256 of the file; raises FileRefused when there is none to read."""
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise FileRefused(
            _("%(file)s cannot be opened (%(reason)s); name a file that can be read.")
            % {"file": path, "reason": error.strerror},
            code="no_file",
        ) from error


def check_encoding(path: Path, encoding: str) -> None:
    """Read the whole file once, so that a wrong encoding is found before anything is taken; raises FileRefused."""
    with path.open("rb") as raw:
        start = raw.read(2)
    if start in (b"\xff\xfe", b"\xfe\xff") and not any(width in encoding for width in ("16", "32")):
        raise FileRefused(
            _('%(file)s is written in UTF-16, not %(encoding)s; set "encoding": "utf-16" in the mapping.')
            % {"file": path, "encoding": encoding},
            code="wrong_encoding",
        )
    line = 1
    try:
        with path.open(encoding=encoding, newline="") as file:
            while text := file.read(CHARACTERS_AT_ONCE):
                line += text.count("\n")
    except LookupError as error:
        raise FileRefused(
            _("“%s” is not an encoding; name one such as utf-8, utf-16 or cp1251 in the mapping.") % encoding,
            code="unknown_encoding",
        ) from error
    except UnicodeError as error:
        if isinstance(error, UnicodeDecodeError):
            line += error.object[: error.start].count(b"\n")
        raise FileRefused(
            _(
                "%(file)s is not written in %(encoding)s (line %(line)d); save it as UTF-8, or name its encoding, "
                "such as cp1251 or cp1252, in the mapping."
            )
            % {"file": path, "encoding": encoding, "line": line},
            code="wrong_encoding",
        ) from error


@contextmanager
def open_table(path: Path, *, encoding: str, delimiter: str) -> Iterator[Table]:
    """Open a file whose encoding was checked; raises FileRefused for an unusable header, and while reading."""
    with path.open(encoding="utf-8-sig" if codecs.lookup(encoding).name == "utf-8" else encoding, newline="") as file:
        reader = csv.reader(_lines(file, path), delimiter=delimiter, strict=True)
        rows = _rows(reader, path)
        first = next(rows, None)
        if first is None:
            raise FileRefused(
                _("%s is empty; its first line must name the columns.") % path,
                code="empty_file",
            )
        yield Table(columns=_columns(first[1], path), rows=rows)


def missing_columns(path: Path, table: Table, missing: list[str], delimiter: str) -> FileRefused:
    """What to say of a file that lacks columns which the mapping reads."""
    names = {"file": path, "columns": ", ".join(missing)}
    if len(table.columns) == 1 and (other := next((d for d in DELIMITERS if d in table.columns[0]), "")):
        names |= {"delimiter": delimiter, "other": "\\t" if other == "\t" else other}
        return FileRefused(
            _(
                "Line 1 of %(file)s has one column; its cells seem to be separated by “%(other)s”, not "
                '“%(delimiter)s”: set "delimiter": "%(other)s" in the mapping.'
            )
            % names,
            code="wrong_delimiter",
        )
    found = ", ".join(table.columns[:20])
    return FileRefused(
        _(
            "Line 1 of %(file)s does not name the column %(columns)s; it names %(found)s. The first line must be the "
            "header: correct it, or the mapping."
        )
        % {**names, "found": found if len(found) <= 300 else found[:299] + "…"},
        code="missing_column",
    )


def _lines(file: TextIO, path: Path) -> Iterator[str]:
    number = 0
    while line := file.readline(LONGEST_LINE + 1):
        number += 1
        if len(line) > LONGEST_LINE:
            raise FileRefused(
                _("Line %(line)d of %(file)s has more than %(longest)d characters; is this a CSV file?")
                % {"line": number, "file": path, "longest": LONGEST_LINE},
                code="line_too_long",
            )
        yield line


def _rows(reader: Any, path: Path) -> Iterator[tuple[int, list[str]]]:
    while True:
        line = reader.line_num + 1
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            raise FileRefused(
                _(
                    "The row that starts on line %(line)d of %(file)s cannot be read (%(reason)s); look for a "
                    "quotation mark that is not closed or not doubled, or a cell of more than %(longest)d characters."
                )
                % {"line": line, "file": path, "reason": error, "longest": csv.field_size_limit()},
                code="malformed",
            ) from error
        if cells:
            yield line, cells


def _columns(header: list[str], path: Path) -> tuple[str, ...]:
    if len(header) > MOST_COLUMNS:
        raise FileRefused(
            _("Line 1 of %(file)s names %(count)d columns; at most %(most)d are read. Leave out those not needed.")
            % {"file": path, "count": len(header), "most": MOST_COLUMNS},
            code="too_many_columns",
        )
    columns = tuple(name.strip() for name in header)
    if any("\x00" in name for name in columns):
        raise FileRefused(
            _("Line 1 of %s has NUL bytes; save the file as UTF-8, or name its encoding in the mapping.") % path,
            code="wrong_encoding",
        )
    twice = sorted({name for name in columns if name and columns.count(name) > 1})
    if twice:
        raise FileRefused(
            _("Line 1 of %(file)s names the column %(columns)s more than once; give each column a name of its own.")
            % {"file": path, "columns": ", ".join(twice)},
            code="duplicate_column",
        )
    return columns
