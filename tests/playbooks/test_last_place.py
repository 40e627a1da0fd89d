"""A survey, its reminder and a playbook's mail want a contact's last place, each in a connection of its own."""

import threading
from collections.abc import Callable

import pytest
from django.db import connection, transaction

from accounts.models import Contact
from outbox.models import ContactSend, HeldBack, Kind, Message
from outbox.services import set_budget
from playbooks.models import Run
from playbooks.services import advance_due, evaluate_entries, save_template
from surveys.models import Invitation, Survey
from surveys.services import invite, remind
from tests.factories import NOW, AccountFactory, ContactFactory, SurveyFactory, UserFactory
from tests.house.processes import wait_until
from tests.playbooks.cases import DAY, published
from tests.playbooks.test_races import ANYBODY, together

pytestmark = pytest.mark.django_db(transaction=True)

CONTACTS = 20
MAIL = {"id": "mail", "kind": "email", "template": "hello", "sender": "owner"}


@pytest.fixture
def contacts() -> list[Contact]:
    """Contacts with one place each, and a playbook that is about to write to all of them."""
    set_budget(most=1, days=14, now=NOW)
    save_template(
        template=None, name="Hello", texts={"en": ("Hello", "How are you?")}, by=UserFactory(role="admin"), now=NOW
    )
    published({"entry": ANYBODY, "steps": [MAIL]})
    made = [
        ContactFactory(account=AccountFactory(owner=UserFactory()), role=Contact.Role.CHAMPION)
        for _number in range(CONTACTS)
    ]
    evaluate_entries(now=NOW)
    return made


def write() -> None:
    while advance_due(now=NOW, limit=3):
        pass


def ask(survey: Survey, contacts: list[Contact]) -> None:
    for contact in contacts:
        invite(survey=survey, contact=contact, occasion="spring", now=NOW)


def assert_one_each(contacts: list[Contact], owed: int) -> None:
    """Everybody got one message, and whatever else was meant for them waits."""
    everybody = sorted(contact.pk for contact in contacts)
    assert sorted(ContactSend.objects.values_list("contact", flat=True)) == everybody
    assert Message.objects.count() == owed
    assert sorted(HeldBack.objects.values_list("contact", flat=True)) == everybody
    assert not Run.objects.exclude(state=Run.State.FINISHED).exists()


def test_one_gets_each_last_place_when_a_survey_and_a_playbook_want_it_at_once(contacts: list[Contact]) -> None:
    survey = SurveyFactory()

    together(lambda: ask(survey, contacts[::-1]), lambda: ask(survey, contacts), write, write)

    assert_one_each(contacts, owed=CONTACTS)
    written, asked = (ContactSend.objects.filter(kind=kind).count() for kind in (Kind.PLAYBOOK, Kind.SURVEY))
    assert (written, asked) == (HeldBack.objects.filter(kind=Kind.SURVEY).count(), Invitation.objects.count())


def test_one_gets_each_last_place_when_a_reminder_and_a_playbook_want_it_at_once(contacts: list[Contact]) -> None:
    survey = SurveyFactory(remind_after_days=7)
    set_budget(most=None, days=14, now=NOW)
    for contact in contacts:
        invite(survey=survey, contact=contact, occasion="spring", now=NOW - 15 * DAY)
    Message.objects.update(status=Message.Status.SENT, place=None)
    ContactSend.objects.all().delete()
    set_budget(most=1, days=14, now=NOW)

    together(lambda: remind(now=NOW, limit=CONTACTS), lambda: remind(now=NOW, limit=CONTACTS), write, write)
    remind(now=NOW, limit=CONTACTS)

    assert_one_each(contacts, owed=2 * CONTACTS)


def blocked(act: Callable[[], object]) -> threading.Thread:
    """Begin ``act`` in a connection of its own; returns when it waits for what this connection has locked."""

    def run() -> None:
        try:
            act()
        finally:
            connection.close()

    def waits() -> bool:
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT EXISTS (SELECT 1 FROM pg_locks"
                " WHERE NOT granted AND pg_backend_pid() = ANY (pg_blocking_pids(pid)))"
            )
            return bool(cursor.fetchone()[0])

    thread = threading.Thread(target=run)
    thread.start()
    assert wait_until(waits)
    return thread


def test_playbook_waits_and_then_holds_back_when_a_survey_is_about_to_take_the_last_place(
    contacts: list[Contact],
) -> None:
    with transaction.atomic():
        ask(SurveyFactory(), contacts)
        writing = blocked(write)
    writing.join()

    assert_one_each(contacts, owed=CONTACTS)
    assert set(HeldBack.objects.values_list("kind", flat=True)) == {Kind.PLAYBOOK}


def test_survey_waits_and_is_then_held_back_when_a_playbook_is_about_to_take_the_last_place(
    contacts: list[Contact],
) -> None:
    survey = SurveyFactory()
    with transaction.atomic():
        write()
        asking = blocked(lambda: ask(survey, contacts))
    asking.join()

    assert_one_each(contacts, owed=CONTACTS)
    assert set(HeldBack.objects.values_list("kind", flat=True)) == {Kind.SURVEY}


def test_survey_gets_the_place_when_the_playbook_that_had_taken_it_rolls_back(contacts: list[Contact]) -> None:
    survey = SurveyFactory()
    with transaction.atomic():
        write()
        asking = blocked(lambda: ask(survey, contacts))
        transaction.set_rollback(True)
    asking.join()
    write()

    assert_one_each(contacts, owed=CONTACTS)
    assert set(HeldBack.objects.values_list("kind", flat=True)) == {Kind.PLAYBOOK}
