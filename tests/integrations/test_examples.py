"""The shipped example mappings on a small file of each kind, dirty in the ways of the real ones."""

from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from accounts.models import Account, CustomField, Event, EventInbox, Offboarding, Ticket, Touched
from integrations.models import Import
from revenue.models import Subscription
from tests.integrations.files import counts, doubts, example, refusals, table, take
from usage.models import AccountActivity, DailyUsage, Feature, ImportedUsage

pytestmark = pytest.mark.django_db

FILES: dict[str, tuple[str, list[str]]] = {
    "accounts": (
        "account_id,account_name,industry,country,signup_date,referral_source,plan_tier,seats,is_trial,churn_flag",
        [
            "A-1,Boyana Software,EdTech,US,2024-01-10,partner,Basic,9,False,False",
            "A-2,Vitosha Pay,FinTech,UK,2023-08-17,other,Pro,18,True,True",
            "A-3,Rila Health,HealthTech,Utopia,2023-08-17,other,Pro,18,True,True",
        ],
    ),
    "subscriptions": (
        (
            "subscription_id,account_id,start_date,end_date,plan_tier,seats,mrr_amount,arr_amount,is_trial,upgrade_flag,"
            "downgrade_flag,churn_flag,billing_frequency,auto_renew_flag"
        ),
        [
            "S-1,A-1,2024-02-01,,Enterprise,14,2786,33432,False,False,False,False,annual,True",
            "S-2,A-2,2023-09-01,2024-03-01,Pro,17,833,9996,False,False,False,True,monthly,False",
            "S-3,A-1,2024-02-01,2024-01-01,Pro,17,833,9996,False,False,False,True,monthly,False",
            "S-4,A-9,2024-02-01,,Pro,17,833,9996,False,False,False,True,monthly,False",
            "S-5,A-1,2023-02-01,,Pro,17,833,9996,False,False,False,False,monthly,False",
        ],
    ),
    "feature_usage": (
        "usage_id,subscription_id,usage_date,feature_name,usage_count,usage_duration_secs,error_count,is_beta_feature",
        [
            "U-1,S-1,2024-02-27,feature_20,9,5004,0,False",
            "U-2,S-1,2024-02-27,feature_20,3,5004,0,False",
            "U-3,S-1,2024-01-27,feature_7,9,5004,0,False",
            "U-4,S-2,2024-03-02,feature_20,4,5004,0,False",
            "U-1,S-1,2024-02-28,feature_20,9,5004,0,False",
        ],
    ),
    "support_tickets": (
        (
            "ticket_id,account_id,submitted_at,closed_at,resolution_time_hours,priority,first_response_time_minutes,"
            "satisfaction_score,escalation_flag"
        ),
        [
            "T-1,A-1,2024-07-27,2024-07-28 03:00:00,27.0,high,74,,False",
            "T-2,A-1,2023-07-27,2023-07-28 03:00:00,27.0,high,74,4.0,False",
            "T-3,A-2,2024-07-27,2024-07-27 01:00:00,1.0,low,90,4.0,True",
            "T-4,A-2,2024-07-27,,,low,90,9,True",
        ],
    ),
    "churn_events": (
        (
            "churn_event_id,account_id,churn_date,reason_code,refund_amount_usd,preceding_upgrade_flag,"
            "preceding_downgrade_flag,is_reactivation,feedback_text"
        ),
        [
            "C-1,A-1,2024-10-27,pricing,4.03,False,False,False,switched to competitor",
            "C-2,A-2,2022-10-27,pricing,4.03,False,False,False,",
        ],
    ),
}


@pytest.fixture
def files(tmp_path: Path) -> dict[str, Path]:
    return {
        name: table(tmp_path / f"{name}.csv", header.split(","), [row.split(",") for row in rows])
        for name, (header, rows) in FILES.items()
    }


def take_all(files: dict[str, Path]) -> dict[str, Import]:
    return {name: take(path, example(name)) for name, path in files.items()}


def everything() -> dict[str, list[tuple[object, ...]]]:
    models = (Account, Subscription, ImportedUsage, DailyUsage, Ticket, Offboarding, Event, AccountActivity, Feature)
    return {model.__name__: list(model._default_manager.order_by("pk").values_list()) for model in models}


def test_good_rows_come_in_when_others_are_dirty(files: dict[str, Path]) -> None:
    runs = take_all(files)

    assert {name: counts(run) for name, run in runs.items()} == {
        "accounts": (2, 0, 0, 1),
        "subscriptions": (2, 0, 0, 3),
        "feature_usage": (3, 0, 0, 2),
        "support_tickets": (2, 0, 0, 2),
        "churn_events": (1, 0, 0, 1),
    }
    account = Account.objects.get(external_id="A-2")
    assert (account.country, account.customer_since, account.seats) == ("GB", date(2023, 8, 17), 18)
    assert account.custom == {"referral_source": "other", "signup_trial": True, "churn_flag": True}
    assert account.plan is not None
    assert account.plan.key == "pro"
    line = Subscription.objects.get(external_id="S-1")
    assert (line.mrr, line.term_months, line.ended_on, line.currency) == (Decimal(2786), 12, None, "USD")
    assert DailyUsage.objects.get(account__external_id="A-1").count == 12
    ticket = Ticket.objects.get(external_id="T-1")
    assert ticket.first_answered_at == datetime(2024, 7, 27, 1, 14, tzinfo=UTC)
    assert ticket.satisfaction is None
    told = Offboarding.objects.get()
    assert (told.category, told.refund, told.feedback) == ("pricing", Decimal("4.03"), "switched to competitor")
    assert told.account.ended_at is None


def test_each_refused_row_says_where_and_why_when_rows_are_dirty(files: dict[str, Path]) -> None:
    runs = take_all(files)

    assert refusals(runs["accounts"]) == [(4, "country", "too_long")]
    assert refusals(runs["subscriptions"]) == [
        (4, "end_date", "ends_before_start"),
        (5, "account_id", "unknown_reference"),
        (6, "start_date", "before_signup"),
    ]
    assert refusals(runs["feature_usage"]) == [(4, "usage_date", "before_subscription"), (6, "usage_id", "repeated")]
    assert doubts(runs["feature_usage"]) == [(5, "usage_date", "after_subscription")]
    assert refusals(runs["support_tickets"]) == [
        (3, "submitted_at", "before_signup"),
        (5, "satisfaction_score", "out_of_range"),
    ]
    assert doubts(runs["support_tickets"]) == [
        (4, "submitted_at, first_response_time_minutes", "answered_after_solved")
    ]
    assert refusals(runs["churn_events"]) == [(3, "churn_date", "before_signup")]
    early = runs["feature_usage"].refused.get(line=4)
    assert early.message == (
        "usage_date 2024-01-27 is before subscription.started_on 2024-02-01. "
        "Nobody uses a subscription before it starts."
    )
    assert early.row["feature_name"] == "feature_7"
    assert not Feature.objects.filter(key="feature_7").exists()


def test_nothing_changes_when_the_same_files_are_taken_again(files: dict[str, Path]) -> None:
    first = take_all(files)
    before = everything()
    Touched.objects.all().delete()

    again = take_all(files)

    assert everything() == before
    assert not Touched.objects.exists()
    for name, run in again.items():
        assert counts(run) == (0, 0, first[name].rows_created, first[name].rows_refused)


def test_flag_is_doubted_when_it_disagrees_with_what_is_known(files: dict[str, Path]) -> None:
    runs = take_all(files)
    again = take(files["accounts"], example("accounts"))

    assert doubts(runs["accounts"]) == []
    assert doubts(again) == [(2, "churn_flag", "churn_flag_disagrees"), (3, "churn_flag", "churn_flag_disagrees")]


def test_no_consumer_hears_of_history_when_old_files_are_taken(files: dict[str, Path]) -> None:
    take_all(files)

    assert set(Event.objects.values_list("kind", flat=True)) == {
        "subscription.started",
        "subscription.ended",
        "ticket.opened",
        "ticket.solved",
        "account.ended",
    }
    opened = Event.objects.get(kind="ticket.opened", account__external_id="A-1")
    assert opened.happened_at == datetime(2024, 7, 27, tzinfo=UTC)
    assert not EventInbox.objects.exists()
    assert Touched.objects.values("account").distinct().count() == 2


def test_consumers_hear_when_a_file_tells_of_yesterday(files: dict[str, Path]) -> None:
    take(files["accounts"], example("accounts"))

    take(files["support_tickets"], example("support_tickets"), now=datetime(2024, 7, 28, 12, 0, tzinfo=UTC))

    assert EventInbox.objects.filter(consumer="playbooks", event__kind="ticket.opened").count() == 2


def test_custom_fields_are_declared_once_when_taken_twice(files: dict[str, Path]) -> None:
    take(files["accounts"], example("accounts"))
    take(files["accounts"], example("accounts"))

    assert set(CustomField.objects.values_list("key", "type")) == {
        ("referral_source", "text"),
        ("signup_trial", "boolean"),
        ("churn_flag", "boolean"),
    }
