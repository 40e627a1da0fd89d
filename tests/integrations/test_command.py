import json
import os
import signal
import subprocess
import sys
import time
from io import StringIO
from pathlib import Path
from zlib import crc32

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from accounts.models import Account
from common.errors import Conflict
from common.locks import NAMESPACE
from integrations.models import Import, RefusedRow
from launcher.places import ROOT
from tests.integrations.files import ACCOUNTS, counts, saved, table, take, write

TEXT = "id,name,seats\nA-1,Boyana,3\nA-2,| <b>Rila</b> |,many\nA-3,Pirin,5\n"


@pytest.fixture
def mapping(tmp_path: Path) -> Path:
    return saved(tmp_path / "mapping.json", ACCOUNTS)


@pytest.mark.django_db
def test_report_is_printed_and_the_code_is_3_when_rows_are_refused(tmp_path: Path, mapping: Path) -> None:
    out = StringIO()

    with pytest.raises(SystemExit) as caught:
        call_command("import_csv", write(tmp_path / "customers.csv", TEXT), mapping, stdout=out)

    assert caught.value.code == 3
    assert "3 rows: 2 new, 0 changed, 0 the same, 1 refused." in out.getvalue()
    assert "line 3: “many” is not a number" in out.getvalue()


@pytest.mark.django_db
def test_command_ends_well_when_every_row_is_taken(tmp_path: Path, mapping: Path) -> None:
    call_command(
        "import_csv", write(tmp_path / "customers.csv", "id,name,seats\nA-1,B,3\n"), mapping, stdout=StringIO()
    )

    assert Account.objects.get().seats == 3
    assert Import.objects.get().status == Import.Status.DONE


@pytest.mark.django_db
def test_command_fails_with_one_sentence_when_nothing_can_be_taken(tmp_path: Path, mapping: Path) -> None:
    with pytest.raises(CommandError, match=r"Nothing was taken\. .*customers\.csv is empty") as caught:
        call_command("import_csv", write(tmp_path / "customers.csv", ""), mapping)

    assert caught.value.returncode == 1
    assert "is empty" in Import.objects.get(status=Import.Status.FAILED).error


@pytest.mark.django_db
def test_json_report_has_every_refused_row_when_asked_for(tmp_path: Path, mapping: Path) -> None:
    report = tmp_path / "report.json"

    with pytest.raises(SystemExit):
        call_command("import_csv", write(tmp_path / "customers.csv", TEXT), mapping, report=report, stdout=StringIO())

    said = json.loads(report.read_text())
    assert said["rows"] == {"read": 3, "created": 2, "updated": 0, "unchanged": 0, "refused": 1, "doubtful": 0}
    assert said["refused"][0]["row"] == {"id": "A-2", "name": "| <b>Rila</b> |", "seats": "many"}
    assert said["refused_because"][0]["code"] == "not_a_number"
    assert said["doubtful"] == []


@pytest.mark.django_db
def test_markdown_report_has_no_markup_of_the_file_when_asked_for(tmp_path: Path, mapping: Path) -> None:
    report = tmp_path / "report.md"
    text = TEXT.replace("many", '"<img src=x> | [a](b)"')

    with pytest.raises(SystemExit):
        call_command("import_csv", write(tmp_path / "customers.csv", text), mapping, report=report, stdout=StringIO())

    assert "| 1 | `not_a_number` | seats | 3 |" in report.read_text()
    assert r"\<img src=x\> \| \[a\](b)" in report.read_text()


@pytest.mark.django_db
@pytest.mark.parametrize("report", ["report.txt", "nowhere/report.md"])
def test_nothing_is_taken_when_the_report_cannot_be_written(tmp_path: Path, mapping: Path, report: str) -> None:
    with pytest.raises(CommandError, match="report"):
        call_command("import_csv", write(tmp_path / "customers.csv", TEXT), mapping, report=tmp_path / report)

    assert not Account.objects.exists()


@pytest.mark.django_db
def test_only_the_report_remains_when_the_run_is_dry(tmp_path: Path, mapping: Path) -> None:
    report = tmp_path / "report.json"
    out = StringIO()

    with pytest.raises(SystemExit):
        call_command(
            "import_csv",
            write(tmp_path / "customers.csv", TEXT),
            mapping,
            dry_run=True,
            report=report,
            stdout=out,
        )

    assert "looked at only" in out.getvalue()
    assert json.loads(report.read_text())["refused"][0]["line"] == 3
    assert not Account.objects.exists()
    assert not Import.objects.exists()
    assert not RefusedRow.objects.exists()


@pytest.mark.django_db
def test_nothing_is_taken_when_the_file_breaks_off_late(tmp_path: Path) -> None:
    path = table(tmp_path / "customers.csv", ["id", "name", "seats"], [[f"A-{n}", "x", n] for n in range(6_000)])
    heard: list[int] = []

    def stop(rows: int) -> None:
        heard.append(rows)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        take(path, ACCOUNTS, progress=stop)

    assert heard == [5_000]
    assert not Account.objects.exists()
    run = Import.objects.get()
    assert (run.status, run.rows_created, run.error) == (
        Import.Status.FAILED,
        0,
        "Nothing of the file was taken. It was stopped.",
    )


@pytest.mark.django_db(transaction=True)
def test_nothing_is_taken_and_the_next_run_completes_when_the_process_is_killed(
    tmp_path: Path, mapping: Path, process_env: dict[str, str]
) -> None:
    path = table(tmp_path / "customers.csv", ["id", "name", "seats"], [[f"A-{n}", "x", n] for n in range(10_000)])
    process = subprocess.Popen(
        [sys.executable, ROOT / "manage.py", "import_csv", path, mapping], env=process_env, stdout=subprocess.DEVNULL
    )
    while not Import.objects.exists():
        assert process.poll() is None
        time.sleep(0.01)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()

    assert not Account.objects.exists()
    assert Import.objects.get().status == Import.Status.RUNNING

    again = take(path, ACCOUNTS)

    assert counts(again) == (10_000, 0, 0, 0)
    killed = Import.objects.exclude(pk=again.pk).get()
    assert (killed.status, "nothing of the file" in killed.error) == (Import.Status.FAILED, True)


@pytest.mark.django_db(transaction=True)
def test_an_import_waits_for_no_other_when_one_runs(tmp_path: Path) -> None:
    path = write(tmp_path / "customers.csv", TEXT)
    other = connection.copy()
    try:
        with other.cursor() as cursor:
            cursor.execute("BEGIN")
            key = crc32(b"integrations.import") - 2**31
            cursor.execute("SELECT pg_advisory_xact_lock(%s, %s)", [NAMESPACE, key])
            with pytest.raises(Conflict, match="Another import is running"):
                take(path, ACCOUNTS)
            cursor.execute("ROLLBACK")
    finally:
        other.close()

    assert not Account.objects.exists()
    assert counts(take(path, ACCOUNTS)) == (2, 0, 0, 1)
