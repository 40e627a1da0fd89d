"""The pages about messages: what is held back, what was given up, and where messages may go."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from accounts.models import Account, Contact, SettingChange, User
from common import clock
from outbox.models import ContactBudget, Destination, HeldBack, Kind, Message
from outbox.services import add_destination, enqueue_webhook, reserve, set_budget
from tests.console.pages import client_of, only_own_book, queries_of, words_of
from tests.factories import AccountFactory, ContactFactory, UserFactory
from tests.outbox.hook_server import Receiver, receiver
from tests.outbox.test_enqueue import enqueue

pytestmark = pytest.mark.django_db

HELD = "/messages/"
GIVEN_UP = "/messages/given-up/"
DESTINATIONS = "/messages/destinations/"
URL = "https://hooks.example/in/opensit"


@pytest.fixture
def admin() -> Client:
    return client_of(UserFactory(role=User.Role.ADMIN))


@pytest.fixture
def account() -> Account:
    made: Account = AccountFactory(name="Ostrava Steel")
    return made


def held_for(contact: Contact, key: str = "run-1:ask", kind: Kind = Kind.SURVEY) -> HeldBack:
    """Something held back from the contact, by one message before it."""
    now = clock.now()
    set_budget(most=1, days=14, now=now)
    for name, label in ((f"before-{contact.pk}", "Welcome"), (key, "Relationship survey")):
        found = reserve(
            contact=contact, kind=kind, key=name, label=label, useful_until=now + timedelta(days=30), now=now
        )
    assert isinstance(found, HeldBack)
    return found


def parked(key: str = "welcome:1") -> Message:
    message = enqueue(dedupe_key=key, due_at=clock.now())
    Message.objects.filter(pk=message.pk).update(
        status=Message.Status.PARKED, attempts=16, error="450 4.2.2 Mailbox full"
    )
    return message


def webhook(name: str = "Data team", url: str = URL) -> Destination:
    return add_destination(kind=Destination.Kind.WEBHOOK, name=name, url=url)


def test_what_was_held_back_says_why_when_it_waits(account: Account) -> None:
    held_for(ContactFactory(account=account, name="Jana Nováková"))

    words = words_of(client_of(UserFactory()), HELD)

    assert "A contact gets at most 1 message in any 14 days" in words
    assert "Jana Nováková Ostrava Steel Relationship survey Survey 1 message in 14 days Welcome" in words
    assert "Waiting for a place" in words


def test_the_list_is_narrowed_when_asked(account: Account) -> None:
    jana, petr = (ContactFactory(account=account, name=name) for name in ("Jana Nováková", "Petr Svoboda"))
    held_for(jana)
    held_for(petr, key="run-2:write", kind=Kind.PLAYBOOK)
    client = client_of(UserFactory())

    assert "Petr" not in words_of(client, f"{HELD}?contact={jana.pk}")
    assert "Jana" not in words_of(client, f"{HELD}?kind=playbook")
    assert "None of these" in words_of(client, f"{HELD}?outcome=sent")
    for odd in ("contact=x", "contact=99999999999999999999", "kind=%00", "after=x_1"):
        assert "Petr Svoboda" in words_of(client, f"{HELD}?{odd}")


def test_other_peoples_customers_are_not_told_when_csms_see_only_their_book(account: Account) -> None:
    contact = ContactFactory(account=account, name="Jana Nováková")
    held_for(contact)
    client = client_of(only_own_book())

    assert "Jana" not in words_of(client, HELD)
    assert "Jana" not in words_of(client, f"{HELD}?contact={contact.pk}")


def test_the_list_takes_the_same_statements_when_it_grows(account: Account) -> None:
    client = client_of(UserFactory())
    held_for(ContactFactory(account=account))
    words_of(client, HELD)
    few = queries_of(client, HELD)
    for number in range(5):
        held_for(ContactFactory(account=AccountFactory()), key=f"more-{number}")

    assert queries_of(client, HELD) == few


def test_an_account_says_how_often_each_person_was_written_to(account: Account) -> None:
    contact = ContactFactory(account=account, name="Jana Nováková")
    held_for(contact)

    page = client_of(UserFactory()).get(f"/accounts/{account.pk}/people/").content.decode()

    assert "Written to, 14 days" in page
    assert "1 of 1" in page
    assert f"/messages/?contact={contact.pk}" in page
    assert "1 held back" in page


def test_the_budget_changes_when_an_admin_says_so(admin: Client) -> None:
    assert admin.post("/messages/budget/", {"most": "3", "days": "30"}).headers["Location"] == HELD
    budget = ContactBudget.current()
    assert (budget.most, budget.days) == (3, 30)

    admin.post("/messages/budget/", {"most": "", "days": "30"})
    assert "There is no limit" in words_of(admin, HELD)

    refused = admin.post("/messages/budget/", {"most": "0", "days": "0"})
    assert refused.status_code == 422
    assert ContactBudget.current().days == 30


def test_the_budgets_page_says_who_changed_it_from_what_to_what() -> None:
    anna, ben = (UserFactory(role=User.Role.ADMIN, name=name) for name in ("Anna Berg", "Ben Ode"))
    assert "Changes" not in words_of(client_of(anna), "/messages/budget/")

    client_of(anna).post("/messages/budget/", {"most": "1", "days": "14"})
    client_of(ben).post("/messages/budget/", {"most": "", "days": "14"})
    client_of(ben).post("/messages/budget/", {"most": "", "days": "14"})
    client_of(ben).post("/messages/budget/", {"most": "0", "days": "14"})

    words = words_of(client_of(anna), "/messages/budget/")
    assert re.search(r"Ben Ode [^B]* From 1 message in any 14 days To no limit", words)
    assert re.search(r"Anna Berg [^B]* From 4 messages in any 28 days To 1 message in any 14 days", words)
    assert words.index("Ben Ode") < words.index("Anna Berg")
    assert SettingChange.objects.count() == 2


def test_a_message_goes_again_when_an_admin_sends_it(admin: Client) -> None:
    message = parked()
    assert "ana@customer.example Email Hello 450 4.2.2 Mailbox full" in words_of(admin, GIVEN_UP)

    admin.post(f"{GIVEN_UP}{message.pk}/again/")

    message.refresh_from_db()
    assert (message.status, message.attempts) == ("pending", 0)
    assert "Nothing was given up" in words_of(admin, GIVEN_UP)
    assert admin.post(f"{GIVEN_UP}{message.pk}/again/").status_code == 409


def test_all_of_a_channel_go_again_when_an_admin_sends_them(admin: Client) -> None:
    mail = parked()
    hook = enqueue_webhook(
        dedupe_key="run-1:tell", destination=webhook(), event="playbook.step", body={}, due_at=clock.now()
    )
    Message.objects.filter(pk=hook.pk).update(status=Message.Status.PARKED, error="410")
    assert "Mailbox full" not in words_of(admin, f"{GIVEN_UP}?channel=webhook")

    admin.post(f"{GIVEN_UP}again/", {"channel": "webhook"})

    mail.refresh_from_db()
    hook.refresh_from_db()
    assert (mail.status, hook.status) == ("parked", "pending")
    admin.post(f"{GIVEN_UP}again/", {"channel": ""})
    mail.refresh_from_db()
    assert mail.status == "pending"


@pytest.fixture
def server(settings: Settings) -> Iterator[Receiver]:
    settings.OUTGOING_PRIVATE = ["127.0.0.0/8"]
    with receiver() as running:
        yield running


def test_a_webhook_is_added_tested_and_given_a_new_secret_when_an_admin_does(admin: Client, server: Receiver) -> None:
    made = admin.post(f"{DESTINATIONS}new/webhook/", {"name": "Data team", "url": f"{server.url}/ok"})
    page = f"{DESTINATIONS}data-team/"
    assert made.headers["Location"] == page
    destination = Destination.objects.get()
    [secret] = destination.signing_secrets(clock.now())
    assert secret in words_of(admin, page)

    assert "It took the test, and answered 200." in admin.post(f"{page}test/", follow=True).content.decode()
    admin.post(f"{page}secret/")
    assert secret not in words_of(admin, page)
    assert "The secret before signs too" in words_of(admin, page)

    admin.post(f"{DESTINATIONS}data-team/", {"name": "Data", "url": f"{server.url}/404"})
    assert "It did not take the test: 404 said" in admin.post(f"{page}test/", follow=True).content.decode()
    assert "Data" in words_of(admin, DESTINATIONS)


def test_what_was_typed_stays_when_an_address_cannot_be(admin: Client) -> None:
    refused = admin.post(f"{DESTINATIONS}new/slack/", {"name": "#cs", "url": "https://127.0.0.1/x"})

    assert refused.status_code == 422
    page = refused.content.decode()
    assert "127.0.0.1 is inside a network" in page
    assert 'value="https://127.0.0.1/x"' in page
    assert admin.get(f"{DESTINATIONS}new/pigeon/").status_code == 404


def test_the_address_is_not_shown_when_a_destination_is_opened(admin: Client) -> None:
    destination = webhook()

    assert "opensit" not in admin.get(f"{DESTINATIONS}{destination.key}/").content.decode()


def test_the_page_opens_when_the_secret_cannot_be_read(admin: Client, settings: Settings) -> None:
    destination = webhook()
    settings.SECRETS_KEY = "lost"

    assert "A secret was encrypted with another key" in words_of(admin, f"{DESTINATIONS}{destination.key}/")


def test_a_destination_says_how_it_does_when_it_does_not_answer_or_is_off(admin: Client) -> None:
    destination = webhook()
    Destination.objects.update(failures=2, error="503 busy", away_until=timezone.now() + timedelta(minutes=5))
    assert "Does not answer 503 busy" in words_of(admin, DESTINATIONS)

    admin.post(f"{DESTINATIONS}{destination.key}/switch/", {"on": "0"})
    assert "Off" in words_of(admin, DESTINATIONS)
    admin.post(f"{DESTINATIONS}{destination.key}/switch/", {"on": "1"})
    destination.refresh_from_db()
    assert destination.is_on


@pytest.mark.parametrize("role", [User.Role.CSM, User.Role.LEADER, User.Role.VIEWER])
def test_only_admins_see_and_change_where_messages_go(role: User.Role) -> None:
    client = client_of(UserFactory(role=role))
    key = webhook().key
    message = parked()

    for path in (GIVEN_UP, DESTINATIONS, f"{DESTINATIONS}{key}/", f"{DESTINATIONS}new/slack/", "/messages/budget/"):
        assert client.get(path).status_code == 403
    for path in (
        "/messages/budget/",
        f"{GIVEN_UP}again/",
        f"{GIVEN_UP}{message.pk}/again/",
        f"{DESTINATIONS}{key}/",
        f"{DESTINATIONS}{key}/test/",
        f"{DESTINATIONS}{key}/secret/",
        f"{DESTINATIONS}{key}/switch/",
        f"{DESTINATIONS}new/slack/",
    ):
        assert client.post(path, {"name": "x", "url": URL, "most": 1, "days": 1}).status_code == 403
    assert "Given up" not in words_of(client, HELD)


def test_the_list_of_destinations_takes_the_same_statements_when_it_grows(admin: Client) -> None:
    webhook()
    words_of(admin, DESTINATIONS)
    few = queries_of(admin, DESTINATIONS)
    for number in range(4):
        webhook(name=f"Team {number}")

    assert queries_of(admin, DESTINATIONS) == few
