"""What the rows of each kind of file become, and what a second, different file changes."""

from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from accounts.models import Account, Contact, CustomField, Event, EventInbox, StageEntry, Ticket, Touched, Touchpoint
from integrations.models import Import
from revenue.models import Subscription
from tests.factories import NOW, AccountFactory, ContactFactory, FeatureFactory, StageFactory, UserFactory
from tests.integrations.files import counts, refusals, table, take
from usage.models import DailyUsage, RollingUsage

pytestmark = pytest.mark.django_db


@pytest.fixture
def account() -> Account:
    return AccountFactory.create(external_id="A-1")


def rows(folder: Path, importer: str, header: str, *lines: str, **more: Any) -> Import:
    """Import lines whose columns are called as the fields are."""
    names = header.split(",")
    path = table(folder / "rows.csv", names, [line.split(",") for line in lines])
    return take(path, {"importer": importer, "fields": {name: name for name in names}, **more})


def kinds() -> list[str]:
    return list(Event.objects.order_by("id").values_list("kind", flat=True))


def test_what_the_file_does_not_tell_stays_when_an_account_is_updated(tmp_path: Path) -> None:
    owner = UserFactory.create()
    for key, kind in (("tier", "text"), ("score", "number"), ("since", "date"), ("vip", "boolean")):
        CustomField.objects.create(key=key, label=key, type=kind)
    AccountFactory.create(external_id="A-1", owner=owner, custom={"tier": "gold", "score": 1}, seats=4)

    run = rows(
        tmp_path,
        "accounts",
        "external_id,name,custom.score,custom.since,custom.vip,seats,tags",
        "A-1,Boyana,2.5,2026-01-31,yes,,a;b",
    )

    changed = Account.objects.get()
    assert counts(run) == (0, 1, 0, 0)
    assert changed.custom == {"tier": "gold", "score": 2.5, "since": "2026-01-31", "vip": True}
    assert (changed.owner, changed.seats, changed.tags) == (owner, None, ["a", "b"])
    assert list(Touched.objects.values_list("account", flat=True)) == [changed.pk]


def test_custom_value_is_removed_when_the_cell_is_empty(tmp_path: Path) -> None:
    CustomField.objects.create(key="tier", label="Tier", type="choice", choices=["gold"])
    AccountFactory.create(external_id="A-1", name="Boyana", custom={"tier": "gold"})

    rows(tmp_path, "accounts", "external_id,name,custom.tier", "A-1,Boyana,")

    assert Account.objects.get().custom == {}


def test_account_enters_a_stage_once_when_the_file_names_it(tmp_path: Path) -> None:
    old, new = StageFactory.create(key="onboarding"), StageFactory.create(key="adoption")
    account = AccountFactory.create(external_id="A-1", name="Boyana", stage=old)
    StageEntry.objects.create(account=account, stage=old, entered_at=datetime(2026, 1, 1, tzinfo=UTC))
    line = "A-1,Boyana,Adoption,2026-03-01,owner@example.com"
    UserFactory.create(email="owner@example.com")
    header = "external_id,name,stage,stage_entered_at,owner"

    first = rows(tmp_path, "accounts", header, line)
    again = rows(tmp_path, "accounts", header, line)

    assert (counts(first), counts(again)) == ((0, 1, 0, 0), (0, 0, 1, 0))
    account.refresh_from_db()
    assert (account.stage, account.stage_entered_at) == (new, datetime(2026, 3, 1, tzinfo=UTC))
    stays = StageEntry.objects.order_by("entered_at").values_list("stage__key", "left_at")
    assert list(stays) == [("onboarding", datetime(2026, 3, 1, tzinfo=UTC)), ("adoption", None)]
    assert kinds() == ["stage.entered", "account.assigned"]
    assert not EventInbox.objects.exclude(event__kind="account.assigned").exists()


def test_country_and_zone_and_owner_are_refused_when_unknown(tmp_path: Path) -> None:
    run = rows(
        tmp_path,
        "accounts",
        "external_id,name,country,time_zone,owner",
        "A-1,x,de,,",
        "A-2,x,DE,Mars/Olympus,",
        "A-3,x,DE,Europe/Sofia,nobody@example.com",
    )

    assert refusals(run) == [
        (2, "country", "not_a_country"),
        (3, "time_zone", "not_a_time_zone"),
        (4, "owner", "unknown_reference"),
    ]


def test_contact_is_recognised_by_address_when_it_has_no_id_yet(tmp_path: Path, account: Account) -> None:
    known = ContactFactory.create(account=account, email="ana@customer.example", name="Ana")

    run = rows(
        tmp_path,
        "contacts",
        "external_id,account,name,email,role",
        "C-1,A-1,Ana Petrova,Ana@Customer.example,champion",
        "C-2,A-1,Another Ana,ana@customer.example,",
        "C-3,A-1,Boris,not an address,",
        "C-4,A-1,Vera,,",
    )

    assert counts(run) == (1, 1, 0, 2)
    assert refusals(run) == [(3, "email", "address_taken"), (4, "email", "not_an_address")]
    known.refresh_from_db()
    assert (known.external_id, known.name, known.role) == ("C-1", "Ana Petrova", "champion")
    assert Contact.objects.get(external_id="C-4").role == Contact.Role.USER


def test_ticket_tells_its_story_when_it_changes(tmp_path: Path, account: Account) -> None:
    header = "external_id,account,opened_at,solved_at,reopened_count"
    stories = ["T-1,A-1,2026-03-15T08:00,,0", "T-1,A-1,2026-03-15T08:00,2026-03-16T08:00+02:00,0"]
    stories += ["T-1,A-1,2026-03-15T08:00,,1", "T-1,A-1,2026-03-15T08:00,2026-03-16T11:00,1"]
    for story in stories:
        rows(tmp_path, "tickets", header, story, source="desk")

    assert kinds() == ["ticket.opened", "ticket.solved", "ticket.reopened", "ticket.solved"]
    assert EventInbox.objects.filter(consumer="playbooks").count() == 4
    assert Ticket.objects.get().solved_at == datetime(2026, 3, 16, 11, 0, tzinfo=UTC)


def test_ticket_is_refused_when_it_ends_before_it_starts(tmp_path: Path, account: Account) -> None:
    run = rows(
        tmp_path, "tickets", "external_id,account,opened_at,solved_at", "T-1,A-1,2026-03-15,2026-03-14", source="desk"
    )

    assert refusals(run) == [(2, "solved_at", "ends_before_start")]


def test_subscription_tells_its_story_when_it_ends(tmp_path: Path, account: Account) -> None:
    header = "external_id,account,mrr,currency,started_on,ended_on"
    rows(tmp_path, "subscriptions", header, "S-1,A-1,99.5,USD,2026-03-01,", "S-2,A-1,10,USD,2026-04-01,")
    rows(tmp_path, "subscriptions", header, "S-1,A-1,99.50,USD,2026-03-01,2026-03-15")
    rows(tmp_path, "subscriptions", header, "S-1,A-1,99.50,USD,2026-03-01,2026-03-14")

    assert kinds() == ["subscription.started", "subscription.ended"]
    assert Subscription.objects.get(external_id="S-1").mrr == Decimal("99.50")
    assert list(EventInbox.objects.filter(consumer="playbooks").values_list("event__kind", flat=True)) == [
        "subscription.ended"
    ]


def test_subscription_is_refused_when_it_is_in_another_currency(tmp_path: Path, account: Account) -> None:
    run = rows(
        tmp_path,
        "subscriptions",
        "external_id,account,mrr,currency,started_on",
        "S-1,A-1,1,EUR,2026-03-01",
        "S-2,A-1,-1,USD,2026-03-01",
    )

    assert refusals(run) == [(2, "currency", "other_currency"), (3, "mrr", "out_of_range")]


def test_touchpoint_is_logged_once_when_taken_twice(tmp_path: Path, account: Account) -> None:
    header = "external_id,account,kind,summary,happened_at"
    line = "TP-1,A-1,call,Spoke about spring,2026-03-16T09:00"

    first = rows(tmp_path, "touchpoints", header, line)
    again = rows(tmp_path, "touchpoints", header, line)

    assert (counts(first), counts(again)) == ((1, 0, 0, 0), (0, 0, 1, 0))
    assert Touchpoint.objects.get().direction == Touchpoint.Direction.OUTBOUND
    assert kinds() == ["touchpoint.logged"]


def test_account_ends_at_the_latest_offboarding_when_the_file_says_so(tmp_path: Path, account: Account) -> None:
    header = "external_id,account,ended_on,ends_account"
    lines = ["O-1,A-1,2026-01-31,yes", "O-2,A-1,2025-01-31,yes", "O-3,A-1,2026-02-01,no"]

    run = rows(tmp_path, "offboardings", header, *lines)
    Account.objects.update(ended_at=None)
    again = rows(tmp_path, "offboardings", header, *lines)

    assert (counts(run), counts(again)) == ((3, 0, 0, 0), (0, 0, 3, 0))
    account.refresh_from_db()
    assert account.ended_at is None, "a file that says nothing new ends no account that came back"
    rows(tmp_path, "offboardings", header, "O-1,A-1,2026-02-28,yes")
    account.refresh_from_db()
    assert account.ended_at == datetime(2026, 2, 28, tzinfo=UTC)


def test_only_the_difference_counts_when_usage_is_corrected(tmp_path: Path, account: Account) -> None:
    FeatureFactory.create(key="reports")
    header = "external_id,account,feature,day,count"
    rows(tmp_path, "usage", header, "U-1,A-1,Reports,2026-03-15,5", "U-2,A-1,Reports,2026-03-16,2", source="files")

    run = rows(
        tmp_path, "usage", header, "U-1,A-1,Reports,2026-03-16,3", "U-2,A-1,Reports,2026-03-16,2", source="files"
    )

    assert counts(run) == (0, 1, 1, 0)
    assert list(DailyUsage.objects.values_list("day", "count")) == [(date(2026, 3, 16), 5)]
    window = RollingUsage.objects.get()
    assert (window.last_7, window.first_day) == (5, date(2026, 3, 16))


def test_good_rows_come_in_when_the_database_refuses_one(tmp_path: Path, account: Account) -> None:
    lines = [f"U-{n},A-1,2026-03-16,1" for n in range(20)]
    FeatureFactory.create(key="reports")
    mapping = {
        "importer": "usage",
        "source": "files",
        "fields": {
            "external_id": "id",
            "account": "account",
            "feature": {"value": "reports"},
            "day": "day",
            "count": "count",
        },
    }
    header = ["id", "account", "day", "count"]
    take(table(tmp_path / "a.csv", header, [line.split(",") for line in lines]), mapping, now=NOW)
    DailyUsage.objects.update(count=2**31 - 10)

    more = [f"V-{n},A-1,2026-03-16,{8 if n == 7 else 1 if n < 3 else 0}".split(",") for n in range(12)]
    run = take(table(tmp_path / "b.csv", header, more), mapping, now=NOW)

    assert counts(run) == (11, 0, 0, 1)
    assert refusals(run) == [(9, "", "refused_by_database")]
    assert DailyUsage.objects.get().count == 2**31 - 7
