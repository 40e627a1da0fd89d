import threading
from collections.abc import Iterator
from datetime import date

import pytest
from django.db import connection, transaction

from common.partitions import ensure_months
from common.sql import SQL, execute

TABLE = "usage_dailyusage"
JANUARY, FEBRUARY = date(2041, 1, 1), date(2041, 2, 28)


@pytest.fixture
def _no_months_left() -> Iterator[None]:
    yield
    for month in ("01", "02"):
        execute(SQL(f"DROP TABLE IF EXISTS {TABLE}_2041_{month}"))


@pytest.mark.django_db
def test_months_are_made_once() -> None:
    assert ensure_months(TABLE, JANUARY, FEBRUARY) == [f"{TABLE}_2041_01", f"{TABLE}_2041_02"]
    assert ensure_months(TABLE, JANUARY, FEBRUARY) == []


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("_no_months_left")
def test_month_is_made_once_when_several_have_seen_that_it_is_missing() -> None:
    """As ingest does, each session has looked for the month by its name, and remembers that there was none.

    A session forgets that only as it begins to use a table that it does not hold yet, were it one of the catalogue
    to find a function in. So the functions are called before, as in every process that has served a request.
    """
    makers = 4
    together = threading.Barrier(makers)
    created: list[str] = []
    failed: list[Exception] = []

    def make() -> None:
        try:
            with transaction.atomic():
                with connection.cursor() as cursor:
                    for _ in range(2):
                        cursor.execute("SELECT pg_advisory_xact_lock(hashtext(%s))", [f"warm {threading.get_ident()}"])
                        cursor.execute("SELECT to_regclass(%s) IS NULL", [f"{TABLE}_2041_01"])
                together.wait(10)
                created.extend(ensure_months(TABLE, JANUARY, JANUARY))
        except Exception as error:  # noqa: BLE001  # told below
            failed.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=make) for _ in range(makers)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)

    assert failed == []
    assert created == [f"{TABLE}_2041_01"]
