"""What a playbook had to send and the outbox gave up: who is told of it, and how often."""

import pytest

from accounts.models import Account, Contact, Event, User
from notifications.models import Notification
from notifications.services import consume_events
from outbox.models import ContactSend, Destination, Message
from outbox.services import add_destination, deliver_due, send_again
from outbox.services.deliver import MAX_ATTEMPTS
from playbooks.models import Run
from playbooks.queries import why_run
from playbooks.services import save_template, tell_given_up
from surveys.services import invite
from tests.console.pages import client_of, words_of
from tests.factories import NOW, ContactFactory, SurveyFactory, UserFactory
from tests.outbox.mail import postmaster
from tests.outbox.server import Postmaster
from tests.playbooks.cases import DAY, REFERENCE, customer, pass_time, published

__all__ = ["postmaster"]

pytestmark = pytest.mark.django_db

MAIL = {"id": "mail", "kind": "email", "template": "hello", "sender": "workspace"}
SAY = {"id": "say", "kind": "slack", "channel": "cs-team", "text": "Look here."}


@pytest.fixture
def admin() -> User:
    made: User = UserFactory(role=User.Role.ADMIN)
    return made


@pytest.fixture
def account(admin: User) -> Account:
    """A customer to whom, and of whom, a playbook is about to write."""
    add_destination(kind=Destination.Kind.SLACK, name="#cs-team", url="https://hooks.slack.example/T1")
    save_template(template=None, name="Hello", texts={"en": ("Hello", "How are you?")}, by=admin, now=NOW)
    made = customer(uses=3, name="Nordlicht")
    ContactFactory(account=made, role="champion", email="relay@customer.example")
    return made


def ran(*steps: dict[str, str]) -> Run:
    published({**REFERENCE, "steps": list(steps)}, name="Quiet messaging")
    pass_time(NOW, NOW)
    return Run.objects.get()


def given_up() -> Message:
    message = Message.objects.get()
    Message.objects.update(status=Message.Status.PARKED, attempts=MAX_ATTEMPTS, error="503 busy")
    return message


def told(user: User) -> list[str]:
    while consume_events(now=NOW, limit=100):
        pass
    mine = Notification.objects.filter(user=user, kind="playbook.given_up").order_by("pk")
    return [one.words for one in mine]


def test_accounts_csm_is_told_once_when_a_mail_to_the_customer_is_given_up(
    account: Account, admin: User, postmaster: Postmaster
) -> None:
    run = ran(MAIL)
    deliver_due(now=NOW, limit=10)

    assert tell_given_up(now=NOW) == 1
    assert tell_given_up(now=NOW) == 0

    assert account.owner is not None
    assert told(account.owner) == [
        "“Quiet messaging” could not write to relay@customer.example at Nordlicht: 550 5.7.1 Relaying denied"
    ]
    assert told(admin) == []
    assert Notification.objects.get(kind="playbook.given_up").page == f"/playbooks/runs/{run.pk}/"


def test_csm_is_told_when_an_invitation_that_a_step_asked_for_is_given_up(account: Account) -> None:
    survey = SurveyFactory(key="nps")
    ran({"id": "ask", "kind": "survey", "survey": "nps"})
    invite(survey=survey, contact=ContactFactory(), occasion="by hand", now=NOW)
    Message.objects.update(status=Message.Status.PARKED, attempts=MAX_ATTEMPTS, error="503 busy")

    assert tell_given_up(now=NOW) == 1

    assert account.owner is not None
    assert told(account.owner) == ["“Quiet messaging” could not write to relay@customer.example at Nordlicht: 503 busy"]


def test_admins_are_told_of_a_mail_when_the_account_has_no_csm(account: Account, admin: User) -> None:
    Account.objects.update(owner=None)
    ran(MAIL)
    given_up()

    tell_given_up(now=NOW)

    assert len(told(admin)) == 1


def test_admins_are_told_when_slack_took_no_message(account: Account, admin: User) -> None:
    ran(SAY)
    given_up()

    tell_given_up(now=NOW)

    assert told(admin) == ["“Quiet messaging” could not tell #cs-team of Nordlicht: 503 busy"]
    assert account.owner is not None
    assert told(account.owner) == []


def test_they_are_told_again_when_it_was_sent_again_and_given_up_again(account: Account, admin: User) -> None:
    ran(SAY)
    message = given_up()
    tell_given_up(now=NOW)

    send_again(message=Message.objects.get(pk=message.pk), now=NOW + DAY)
    assert tell_given_up(now=NOW + DAY) == 0
    given_up()
    assert tell_given_up(now=NOW + 3 * DAY) == 1

    assert len(told(admin)) == 2


def test_nobody_is_told_of_what_is_still_tried_or_is_no_playbooks(account: Account) -> None:
    ran(SAY)
    assert tell_given_up(now=NOW) == 0
    Message.objects.update(status=Message.Status.PARKED, dedupe_key="notification:1:x")

    assert tell_given_up(now=NOW) == 0


def test_story_and_timeline_say_that_a_mail_was_given_up_until_it_is_sent_again(account: Account) -> None:
    run = ran(MAIL)
    page = f"/accounts/{account.pk}/timeline/"
    assert why_run(run)[1].words.startswith("Wrote “Hello” to ")
    message = given_up()
    name = account.contacts.get().name
    lost = f"“Hello” to {name} was given up after {MAX_ATTEMPTS} tries."

    assert why_run(run)[1].words == lost
    assert f"wrote to {name}, and it did not arrive {lost}" in words_of(client_of(UserFactory()), page)
    send_again(message=message, now=NOW)
    assert why_run(run)[1].words.startswith("Wrote “Hello” to ")
    assert "did not arrive" not in words_of(client_of(UserFactory()), page)


def test_story_and_timeline_say_that_a_mail_was_withdrawn_when_its_reader_unsubscribes_first(account: Account) -> None:
    run = ran(MAIL)
    contact = account.contacts.get()
    Contact.objects.update(unsubscribed_at=NOW)

    assert deliver_due(now=NOW, limit=10) == 0

    because = "was withdrawn before it was sent: the contact cannot be written to any more."
    assert why_run(run)[1].words == f"“Hello” to {contact.name} {because}"
    words = words_of(client_of(UserFactory()), f"/accounts/{account.pk}/timeline/")
    assert f"“Hello” to {contact.name} {because}" in words
    assert not ContactSend.objects.exists()


def test_story_says_that_there_is_no_such_mailbox(account: Account) -> None:
    run = ran(MAIL)
    Message.objects.update(status=Message.Status.REFUSED)

    assert why_run(run)[1].words.endswith(" came back: there is no such mailbox.")


def test_timeline_says_that_nothing_arrived(account: Account) -> None:
    ran(MAIL)
    given_up()
    tell_given_up(now=NOW)

    assert Event.objects.filter(kind="playbook.given_up", account=account).count() == 1
    words = words_of(client_of(UserFactory()), f"/accounts/{account.pk}/timeline/")
    assert "Playbook “Quiet messaging” could not reach relay@customer.example 503 busy" in words
