"""Invoices: what is overdue, what files and the API tell, and what becomes of it on the timeline."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from django.db import IntegrityError, transaction
from django.test import Client

from accounts.conditions import matching
from accounts.models import Account, Event, EventInbox, Touched, User, Workspace
from common import clock
from revenue.models import Invoice
from tests.api.clients import api, send
from tests.console.pages import client_of, only_own_book, words_of
from tests.factories import NOW, AccountFactory, InvoiceFactory, UserFactory
from tests.facts import read_at_once, values_of
from tests.integrations.files import counts, refusals, table, take

pytestmark = pytest.mark.django_db

TODAY = NOW.date()
KEYS = ("invoices.overdue", "invoices.overdue_amount", "invoices.days_overdue")


def invoice(account: Account, due: int, amount: str = "100.00", today: date = TODAY, **fields: Any) -> Invoice:
    """An invoice that was due so many days ago."""
    due_on = today - timedelta(days=due)
    made: Invoice = InvoiceFactory(
        account=account, issued_on=due_on - timedelta(days=30), due_on=due_on, amount=Decimal(amount), **fields
    )
    return made


# Attributes


def test_only_unpaid_invoices_past_their_due_date_are_overdue() -> None:
    account = AccountFactory()
    invoice(account, due=1, amount="19.90")
    invoice(account, due=40, amount="200")
    invoice(account, due=0, amount="1000")
    invoice(account, due=-20, amount="1000")
    invoice(account, due=70, amount="1000", paid_on=TODAY)
    invoice(account, due=70, amount="1000", voided_on=TODAY)

    assert values_of(account, *KEYS) == (2, Decimal("219.90"), 40)


def test_nothing_is_overdue_when_no_invoice_is_known_or_all_are_paid() -> None:
    paid = AccountFactory()
    invoice(paid, due=70, paid_on=TODAY)

    assert values_of(paid, *KEYS) == (0, 0, None)
    assert values_of(AccountFactory(), *KEYS) == (0, 0, None)


def test_day_turns_in_the_workspaces_zone() -> None:
    account = AccountFactory()
    invoice(account, due=0)
    late_evening = datetime(2026, 3, 16, 23, 0, tzinfo=UTC)
    assert values_of(account, *KEYS, now=late_evening) == (0, 0, None)

    Workspace.objects.filter(pk=Workspace.current().pk).update(time_zone="Europe/Sofia")

    assert values_of(account, *KEYS, now=late_evening) == (1, 100, 1)


def test_invoices_are_read_for_many_accounts_in_one_query() -> None:
    accounts = AccountFactory.create_batch(3)
    invoice(accounts[0], due=3)
    invoice(accounts[2], due=5)
    invoice(accounts[2], due=9)

    assert read_at_once(accounts, *KEYS) == ([(1, 100, 3), (0, 0, None), (2, 200, 9)], 1)


def test_accounts_are_found_and_listed_by_what_is_overdue() -> None:
    late = AccountFactory(name="Late payer", owner=UserFactory())
    invoice(late, due=3, today=clock.now().date())
    AccountFactory(name="Good payer")
    condition = {"attribute": "invoices.overdue_amount", "operator": "gte", "value": 100}

    assert list(matching(Account.objects.all(), condition, now=clock.now())) == [late]
    words = words_of(client_of(UserFactory()), "/accounts/?columns=invoices.overdue_amount&sort=-invoices.overdue")
    assert "Overdue amount" in words
    assert words.index("Late payer") < words.index("$100") < words.index("Good payer")


# The table


@pytest.mark.parametrize(
    ("name", "wrong"),
    [
        ("revenue_invoice_due_after_issue", {"due_on": date(2026, 2, 1)}),
        ("revenue_invoice_amount_not_negative", {"amount": Decimal(-1)}),
        ("revenue_invoice_once_a_source", {"external_id": "I-1"}),
    ],
)
def test_database_refuses_what_cannot_be(name: str, wrong: dict[str, Any]) -> None:
    InvoiceFactory(external_id="I-1")
    InvoiceFactory(external_id="I-1", source="shop")

    with pytest.raises(IntegrityError, match=name), transaction.atomic():
        InvoiceFactory(**wrong)


# The API


def body(account: Account, **changed: Any) -> dict[str, Any]:
    return {
        "account": account.pk,
        "source": "billing",
        "external_id": "I-1",
        "number": "2026-0017",
        "amount": "480.50",
        "currency": "USD",
        "issued_on": "2026-03-01",
        "due_on": "2026-03-15",
        **changed,
    }


def test_invoice_is_told_and_paid_over_the_api() -> None:
    account, client = AccountFactory(), api(UserFactory())

    made = send(client, "/api/v1/invoices/", body(account))
    assert made.status_code == 201, made.content
    assert not Event.objects.exists()
    assert list(Touched.objects.values_list("account", flat=True)) == [account.pk]

    today = Workspace.current().day(clock.now())
    for _twice in range(2):
        paid = send(client, f"/api/v1/invoices/{made.json()['id']}/", {"paid_on": today.isoformat()}, "patch")
        assert paid.status_code == 200, paid.content

    event = Event.objects.get()
    assert (event.kind, event.account, event.data["amount"]) == ("invoice.paid", account, "480.50")
    assert event.data["days_late"] == (today - date(2026, 3, 15)).days
    assert EventInbox.objects.exists()
    assert Invoice.objects.get().paid_on == today


def test_history_starts_no_playbook_when_an_old_payment_is_told() -> None:
    send(api(UserFactory()), "/api/v1/invoices/", body(AccountFactory(), paid_on="2026-03-20", voided_on="2026-03-21"))

    assert list(Event.objects.values_list("kind", flat=True)) == ["invoice.paid", "invoice.voided"]
    assert not EventInbox.objects.exists()


@pytest.mark.parametrize(
    ("changed", "field", "status"),
    [
        ({"currency": "EUR"}, "currency", 400),
        ({"due_on": "2026-02-01"}, "due_on", 400),
        ({"amount": "-1"}, "amount", 400),
        ({"amount": "12.345"}, "amount", 400),
        ({"external_id": "taken"}, "external_id", 409),
        ({"source": ""}, "source", 400),
        ({"number": "a\u0000b"}, "number", 400),
        ({"paid_on": "soon"}, "paid_on", 400),
        ({"paid_on": "0001-01-01"}, "paid_on", 400),
    ],
)
def test_invoice_is_refused_with_its_field_when_it_cannot_be(changed: dict[str, Any], field: str, status: int) -> None:
    account = AccountFactory()
    InvoiceFactory(source="billing", external_id="taken")

    refused = send(api(UserFactory()), "/api/v1/invoices/", body(account, **changed))

    assert refused.status_code == status, refused.content
    assert list(refused.json()["fields"]) == [field]
    assert Invoice.objects.count() == 1


def test_invoices_of_accounts_outside_the_book_are_neither_seen_nor_told() -> None:
    kept = InvoiceFactory()
    client = api(only_own_book())

    assert client.get("/api/v1/invoices/").json()["results"] == []
    assert client.get(f"/api/v1/invoices/{kept.pk}/").status_code == 404
    assert send(client, "/api/v1/invoices/", body(kept.account)).json()["fields"].keys() == {"account"}


def test_accounts_of_both_owners_are_touched_when_an_invoice_moves() -> None:
    kept, other = InvoiceFactory(), AccountFactory()

    send(api(UserFactory(role=User.Role.ADMIN)), f"/api/v1/invoices/{kept.pk}/", {"account": other.pk}, "patch")

    assert set(Touched.objects.values_list("account", flat=True)) == {kept.account_id, other.pk}


# Files


HEADER = "source,external_id,account,number,amount,currency,issued_on,due_on,paid_on,voided_on"
LINE = "billing,I-1,A-1,2026-0017,480.50,USD,2026-03-01,2026-03-31"


def rows(folder: Path, *lines: str) -> Any:
    names = HEADER.split(",")
    path = table(folder / "rows.csv", names, [line.split(",") for line in lines])
    return take(path, {"importer": "invoices", "fields": {name: name for name in names}})


def test_file_tells_invoices_and_the_same_file_changes_nothing(tmp_path: Path) -> None:
    account = AccountFactory(external_id="A-1")

    first = rows(tmp_path, f"{LINE},,")
    again = rows(tmp_path, f"{LINE},,")
    paid = rows(tmp_path, f"{LINE},2026-03-16,")
    paid_again = rows(tmp_path, f"{LINE},2026-03-16,")

    assert [counts(run) for run in (first, again, paid, paid_again)] == [
        (1, 0, 0, 0),
        (0, 0, 1, 0),
        (0, 1, 0, 0),
        (0, 0, 1, 0),
    ]
    kept = Invoice.objects.get()
    assert (kept.account, kept.amount, kept.number, kept.paid_on) == (
        account,
        Decimal("480.50"),
        "2026-0017",
        date(2026, 3, 16),
    )
    assert list(Event.objects.values_list("kind", "happened_at")) == [
        ("invoice.paid", datetime(2026, 3, 16, tzinfo=UTC))
    ]
    assert list(Touched.objects.values_list("account", flat=True)) == [account.pk] * 2


def test_file_is_refused_row_by_row_when_an_invoice_cannot_be(tmp_path: Path) -> None:
    AccountFactory(external_id="A-1")

    run = rows(
        tmp_path,
        "billing,I-1,A-1,,1,EUR,2026-03-01,2026-03-31,,",
        "billing,I-2,A-1,,1,USD,2026-03-01,2026-02-28,,",
        "billing,I-3,A-1,,-1,USD,2026-03-01,2026-03-31,,",
        "billing,I-4,A-9,,1,USD,2026-03-01,2026-03-31,,",
        "billing,I-5,A-1,,1,USD,2026-03-01,2026-03-31,,",
    )

    assert counts(run) == (1, 0, 0, 4)
    assert set(refusals(run)) == {
        (2, "currency", "other_currency"),
        (3, "due_on", "due_before_issue"),
        (4, "amount", "out_of_range"),
        (5, "account", "unknown_reference"),
    }
    assert Invoice.objects.get().external_id == "I-5"


# The page


@pytest.fixture
def client() -> Client:
    return client_of(UserFactory())


def test_overdue_invoices_stand_first_on_the_account(client: Client) -> None:
    account, today = AccountFactory(), Workspace.current().day(clock.now())
    invoice(account, due=-20, number="New", today=today)
    invoice(account, due=50, number="Settled", today=today, paid_on=today)
    invoice(account, due=50, number="Cancelled", today=today, voided_on=today)
    invoice(account, due=3, number="Late", today=today)
    invoice(account, due=33, number="Later", amount="250.50", today=today)

    words = words_of(client, f"/accounts/{account.pk}/revenue/")

    order = ["$350.50 is overdue.", "Later 33 days overdue $250.50", "Late 3 days overdue", "New Open", "Settled Paid"]
    places = [words.index(told) for told in order]
    assert places == sorted(places)
    assert "Cancelled Voided" in words
    assert "No contract is known" not in words


def test_payment_stands_on_the_timeline_with_its_delay(client: Client) -> None:
    account, today = AccountFactory(), Workspace.current().day(clock.now())
    due = (today - timedelta(days=2)).isoformat()
    send(
        api(UserFactory()),
        "/api/v1/invoices/",
        body(account, due_on=due, issued_on=due, paid_on=today.isoformat()),
    )

    words = words_of(client, f"/accounts/{account.pk}/timeline/?show=contract")

    assert "Invoice 2026-0017 paid" in words
    assert "$480.50 · 2 days late" in words
