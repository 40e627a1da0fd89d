"""Files that cannot be taken: one sentence that names the file, the place and the remedy, and nothing half done."""

from pathlib import Path
from typing import Any

import pytest

from accounts.models import Account
from common.errors import DomainError
from integrations.models import Import
from tests.integrations.files import ACCOUNTS, counts, refusals, take, write

pytestmark = pytest.mark.django_db

GOOD = "id,name,seats\nA-1,Boyana,3\n"

FILES: dict[str, tuple[bytes, str, tuple[str, ...]]] = {
    "empty": (b"", "empty_file", ("is empty", "first line")),
    "no header": (b"A-1,Boyana,3\nA-2,Rila,4\n", "missing_column", ("Line 1", "id", "A-1, Boyana, 3")),
    "wrong header": (b"id,title,seats\nA-1,Boyana,3\n", "missing_column", ("Line 1", "column name", "the mapping")),
    "another separator": (b"id;name;seats\nA-1;Boyana;3\n", "wrong_delimiter", ('"delimiter": ";"',)),
    "duplicate headers": (b"id,name,seats,name\nA-1,Boyana,3,x\n", "duplicate_column", ("Line 1", "name", "more than")),
    "cp1251": ((GOOD + "A-2,Рила,4\n").encode("cp1251"), "wrong_encoding", ("line 3", "cp1251")),
    "utf-16": (GOOD.encode("utf-16"), "wrong_encoding", ('"encoding": "utf-16"',)),
    "utf-16 unmarked": (GOOD.encode("utf-16-le"), "wrong_encoding", ("NUL", "UTF-8")),
    "an open quote": (GOOD.encode() + b'A-2,"Rila,4\nA-3,Pirin,5\n', "malformed", ("line 3", "quotation mark")),
    "a stray quote": (GOOD.encode() + b'A-2,"Ri"la,4\n', "malformed", ("line 3", "quotation mark")),
    "a huge cell": (GOOD.encode() + b"A-2," + b"x" * 200_000 + b",4\n", "malformed", ("line 3", "131072")),
    "many columns": (b"a," * 5_000 + b"b\n1\n", "too_many_columns", ("Line 1", "5001")),
    "a million columns": (b"ab," * 1_000_000 + b"c\n1\n", "line_too_long", ("Line 1",)),
    "a million cells": (GOOD.encode() + b"1," * 1_000_000 + b"\n", "line_too_long", ("Line 3",)),
}


@pytest.mark.parametrize(("content", "code", "words"), FILES.values(), ids=FILES.keys())
def test_nothing_is_taken_when_the_file_cannot_be_read(
    tmp_path: Path, content: bytes, code: str, words: tuple[str, ...]
) -> None:
    path = tmp_path / "customers.csv"
    path.write_bytes(content)

    with pytest.raises(DomainError) as caught:
        take(path, ACCOUNTS)

    assert caught.value.code == code
    assert "customers.csv" in caught.value.message
    for word in words:
        assert word in caught.value.message
    assert len(caught.value.message) < 700
    assert not Account.objects.exists()
    assert set(Import.objects.values_list("status", flat=True)) <= {Import.Status.FAILED}


def test_one_sentence_says_so_when_there_is_no_such_file(tmp_path: Path) -> None:
    with pytest.raises(DomainError, match="cannot be opened") as caught:
        take(tmp_path / "missing.csv", ACCOUNTS)
    assert caught.value.code == "no_file"


@pytest.mark.parametrize("encoding", ["cp1251", "utf-16", "utf-32", "utf-8-sig", "utf8"])
def test_rows_come_in_when_the_mapping_names_the_encoding(tmp_path: Path, encoding: str) -> None:
    path = write(tmp_path / "customers.csv", "id,name,seats\r\nA-1,Рила,3\r\n", encoding)

    take(path, ACCOUNTS | {"encoding": encoding})

    assert Account.objects.get().name == "Рила"


@pytest.mark.parametrize("name", ["utf-8", "UTF8"])
def test_a_byte_order_mark_is_no_part_of_the_header(tmp_path: Path, name: str) -> None:
    take(write(tmp_path / "customers.csv", GOOD, "utf-8-sig"), ACCOUNTS | {"encoding": name})

    assert Account.objects.get().external_id == "A-1"


ROWS: dict[str, tuple[str, str, str]] = {
    "too few cells": ("A-2,Rila", "", "wrong_width"),
    "too many cells": ("A-2,Rila,4,5", "", "wrong_width"),
    "NUL": ("A-2,Ri\x00la,4", "name", "unstorable"),
    "no name": ("A-2,,4", "name", "missing"),
    "no id": (" ,Rila,4", "id", "missing"),
    "not a number": ("A-2,Rila,four", "seats", "not_a_number"),
    "infinite": ("A-2,Rila,1e999999999", "seats", "not_a_number"),
    "too large": ("A-2,Rila,2147483648", "seats", "out_of_range"),
    "negative": ("A-2,Rila,-1", "seats", "out_of_range"),
    "half a seat": ("A-2,Rila,1.5", "seats", "not_whole"),
    "long name": ("A-2," + "x" * 201 + ",4", "name", "too_long"),
    "no date": ("A-2,Rila,4", "since", "not_a_date"),
    "repeated": ("A-1,Rila,4", "id", "repeated"),
}


@pytest.mark.parametrize(("row", "column", "code"), ROWS.values(), ids=ROWS.keys())
def test_one_row_is_refused_when_it_cannot_be_read(tmp_path: Path, row: str, column: str, code: str) -> None:
    mapping: dict[str, Any] = ACCOUNTS
    header, good, last = "id,name,seats\n", "A-1,Boyana,3\n", "\nA-3,Pirin,5\n"
    if column == "since":
        mapping = ACCOUNTS | {"fields": ACCOUNTS["fields"] | {"customer_since": "since"}}
        header, good, last = "id,name,seats,since\n", "A-1,Boyana,3,2024-02-29\n", "\nA-3,Pirin,5,\n"
        row += ",2023-02-29"
    run = take(write(tmp_path / "customers.csv", header + good + row + last), mapping)

    assert refusals(run) == [(3, column, code)]
    assert counts(run) == (2, 0, 0, 1)
    assert run.refused.get().message.endswith(".")
    assert set(Account.objects.values_list("external_id", flat=True)) == {"A-1", "A-3"}


@pytest.mark.parametrize("cell", ["=1+1", "+cmd|' /C calc'!A0", "@SUM(A1)", "-2+3"])
def test_text_is_kept_as_it_is_when_it_looks_like_a_formula(tmp_path: Path, cell: str) -> None:
    take(write(tmp_path / "customers.csv", f'id,name,seats\nA-1,"{cell}",3\n'), ACCOUNTS)

    assert Account.objects.get().name == cell


def test_lines_are_counted_as_an_editor_does_when_cells_have_line_breaks(tmp_path: Path) -> None:
    text = 'id,name,seats\n\nA-1,"Boyana\nSoftware",3\nA-2,Rila,x\n'

    run = take(write(tmp_path / "customers.csv", text), ACCOUNTS)

    assert refusals(run) == [(5, "seats", "not_a_number")]
    assert Account.objects.get().name == "Boyana Software"
