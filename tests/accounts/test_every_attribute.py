"""What the registry promises of every attribute, whichever app added it."""

from datetime import datetime, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.attributes import Catalogue, Context, read_facts
from accounts.models import Account, CustomField, Ticket
from tests.factories import (
    NOW,
    AccountFactory,
    ActivityFactory,
    FeatureFactory,
    ProfileMeasureFactory,
    RollingUsageFactory,
    SubscriptionFactory,
    TicketFactory,
    TouchpointFactory,
)

pytestmark = pytest.mark.django_db

HEARD = NOW - timedelta(days=2)
GROUPS = {
    "usage": "usage.events_28d",
    "a feature in a window": "usage.messaging.7d",
    "revenue": "mrr",
    "tickets": "tickets.open",
    "surveys": "nps.last",
    "health": "health",
    "a measure": "health.seats-in-use",
    "custom": "custom.tier",
}


@pytest.fixture
def accounts() -> list[Account]:
    messaging = FeatureFactory(key="messaging")
    ProfileMeasureFactory(measure__key="seats-in-use")
    CustomField.objects.create(key="tier", label="Tier", type="number")
    made = AccountFactory.create_batch(12, seats=5)
    for account in made:
        ActivityFactory(account=account, last_event_at=HEARD)
        RollingUsageFactory(account=account, feature=messaging, last_7=3)
        SubscriptionFactory(account=account, mrr=10)
        TicketFactory(account=account)
        TouchpointFactory(account=account, happened_at=HEARD)
    Ticket.objects.update(heard_at=HEARD)
    return made


def test_every_kind_of_attribute_is_there(accounts: list[Account]) -> None:
    catalogue = Catalogue()

    assert [kind for kind, key in GROUPS.items() if key not in catalogue] == []
    for attribute in catalogue.values():
        assert str(attribute.label)
        assert attribute.type


def test_all_attributes_of_any_number_of_accounts_are_one_query(accounts: list[Account]) -> None:
    every = list(Catalogue().values())

    for some in (accounts[:1], accounts):
        ids, context = [account.pk for account in some], Context.at(NOW)
        with CaptureQueriesContext(connection) as queries:
            found = read_facts(every, ids, context=context)

        assert len(queries) == 1
        assert found.keys() == set(ids)
        assert all(facts.keys() == {attribute.key for attribute in every} for facts in found.values())


@pytest.mark.parametrize(
    ("key", "heard"),
    [("usage.messaging.7d", HEARD), ("usage.days_since", HEARD), ("tickets.open", HEARD), ("touch.days_since", HEARD)],
)
def test_attribute_knows_when_its_source_was_last_heard(accounts: list[Account], key: str, heard: datetime) -> None:
    silent = AccountFactory()

    found = read_facts([Catalogue()[key]], [accounts[0].pk, silent.pk], context=Context.at(NOW))

    assert found[accounts[0].pk][key].heard_at == heard
    assert found[silent.pk][key].heard_at is None
