"""The one reminder of an invitation: who gets it, when, once, within the contact's budget, never after the answer."""

import threading
from datetime import datetime, timedelta
from email.message import EmailMessage
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction

from accounts.models import Contact, Event
from outbox.models import ContactSend, HeldBack, Kind, Message, Withdrawal
from outbox.services import deliver_due, set_budget
from surveys.models import Invitation, Reminder, Survey
from surveys.services import answer, mark_bounces, remind_held_back
from surveys.services import remind as remind_some
from tests.factories import NOW, SurveyFactory
from tests.outbox.server import Postmaster
from tests.surveys.invited import ask, invited, token_of

pytestmark = pytest.mark.django_db

DAY = timedelta(days=1)
DUE = NOW + 7 * DAY


@pytest.fixture
def survey() -> Survey:
    made: Survey = SurveyFactory(name="Relationship", expires_after_days=30, remind_after_days=7)
    return made


def remind(*, now: datetime) -> int:
    return remind_some(now=now, limit=100)


def delivered(survey: Survey, **person: Any) -> Invitation:
    """An invitation whose mail has gone."""
    invitation = invited(survey=survey, **person)
    Message.objects.filter(pk=invitation.message_id).update(status=Message.Status.SENT)
    return invitation


def body(mail: EmailMessage, kind: str) -> str:
    found = mail.get_body((kind,))
    assert found is not None
    return str(found.get_content())


def test_reminder_is_owed_once_when_its_day_has_come(survey: Survey) -> None:
    invitation = delivered(survey)

    assert remind(now=DUE - timedelta(seconds=1)) == 0
    assert remind(now=DUE) == 1
    assert remind(now=DUE + DAY) == 0

    reminder = Reminder.objects.get()
    assert (reminder.invitation, reminder.reminded_at) == (invitation, DUE)
    assert ContactSend.objects.get(kind=Kind.REMINDER).label == "Relationship"
    assert Event.objects.get(kind="survey.reminded").contact == invitation.contact


def test_second_reminder_of_an_invitation_is_refused_by_the_database(survey: Survey) -> None:
    invitation = delivered(survey)
    remind(now=DUE)

    with pytest.raises(IntegrityError), transaction.atomic():
        Reminder.objects.create(invitation=invitation)


def test_reminder_carries_the_same_links_in_the_contacts_language(survey: Survey, postmaster: Postmaster) -> None:
    invitation = delivered(survey, name="Иван", language="bg")
    remind(now=DUE)

    deliver_due(now=DUE, limit=10)

    [mail] = postmaster.mails
    address = f"http://testserver/s/{token_of(invitation)}/"
    for kind in ("plain", "html"):
        assert all(f"{address}?score={score}" in body(mail, kind) for score in range(11))
        assert f"{address}unsubscribe/" in body(mail, kind)
    assert mail["List-Unsubscribe"].strip() == f"<{address}unsubscribe/>"
    assert 'lang="bg"' in body(mail, "html")


def test_reminder_says_that_it_is_one_in_the_companys_own_words(survey: Survey, postmaster: Postmaster) -> None:
    survey.texts = {"en": {"reminder_subject": "Still there, {name}?", "reminder_intro": "We are still curious."}}
    survey.save()
    delivered(survey, name="Ana")
    remind(now=DUE)

    deliver_due(now=DUE, limit=10)

    [mail] = postmaster.mails
    assert mail["Subject"] == "Still there, Ana?"
    for kind in ("plain", "html"):
        assert "We are still curious." in body(mail, kind)
        assert "less than a minute" not in body(mail, kind)


def test_platforms_words_say_that_it_is_a_reminder(survey: Survey, postmaster: Postmaster) -> None:
    delivered(survey)
    remind(now=DUE)

    deliver_due(now=DUE, limit=10)

    [mail] = postmaster.mails
    assert mail["Subject"].startswith("Reminder: ")


def test_nobody_is_reminded_when_the_survey_has_no_reminder() -> None:
    delivered(SurveyFactory())

    assert remind(now=NOW + 29 * DAY) == 0


@pytest.mark.parametrize("gone", ["unsubscribed_at", "left_at", "bounced_at"])
def test_nobody_is_reminded_who_may_not_be_written_to(survey: Survey, gone: str) -> None:
    delivered(survey)
    Contact.objects.update(**{gone: NOW + DAY})

    assert remind(now=DUE) == 0


def test_nobody_is_reminded_who_answered(survey: Survey) -> None:
    answer(token=token_of(delivered(survey)), score=9, comment=None, now=NOW + DAY)

    assert remind(now=DUE) == 0


def test_nobody_is_reminded_when_the_survey_is_switched_off(survey: Survey) -> None:
    delivered(survey)
    Survey.objects.update(is_live=False)

    assert remind(now=DUE) == 0


def test_nobody_is_reminded_when_the_invitation_may_not_be_answered_any_more(survey: Survey) -> None:
    delivered(survey)

    assert remind(now=NOW + 30 * DAY) == 0


@pytest.mark.parametrize("status", [Message.Status.PENDING, Message.Status.PARKED, Message.Status.REFUSED])
def test_nobody_is_reminded_whom_the_invitation_did_not_reach(survey: Survey, status: str) -> None:
    Message.objects.filter(pk=invited(survey=survey).message_id).update(status=status)

    assert remind(now=DUE) == 0


def test_reminder_is_held_back_when_the_contacts_budget_is_used_up(survey: Survey) -> None:
    set_budget(most=1, days=14, now=NOW)
    delivered(survey)

    assert remind(now=DUE) == 1
    assert remind(now=DUE + DAY) == 0

    held = HeldBack.objects.get()
    assert (held.kind, held.label, held.outcome) == (Kind.REMINDER, "Relationship", HeldBack.Outcome.WAITING)
    assert (held.held_at, held.until, held.useful_until) == (DUE, NOW + 14 * DAY, NOW + 30 * DAY)
    assert Message.objects.count() == 1
    assert Reminder.objects.get().reminded_at is None


def test_held_back_reminder_goes_out_once_when_a_place_is_free(survey: Survey) -> None:
    set_budget(most=1, days=14, now=NOW)
    delivered(survey)
    remind(now=DUE)

    assert remind_held_back(now=NOW + 13 * DAY) == 0
    assert remind_held_back(now=NOW + 14 * DAY) == 1
    assert remind_held_back(now=NOW + 15 * DAY) == 0

    assert Reminder.objects.get().reminded_at == NOW + 14 * DAY
    assert Message.objects.count() == 2
    assert HeldBack.objects.get().outcome == HeldBack.Outcome.SENT


def test_reminder_is_dropped_when_a_place_is_free_only_after_the_last_day(survey: Survey) -> None:
    set_budget(most=1, days=60, now=NOW)
    delivered(survey)

    remind(now=DUE)

    assert HeldBack.objects.get().outcome == HeldBack.Outcome.TOO_LATE


@pytest.mark.parametrize(
    ("change", "outcome"),
    [
        ({"is_live": False}, HeldBack.Outcome.SWITCHED_OFF),
        ({"remind_after_days": None}, HeldBack.Outcome.SWITCHED_OFF),
    ],
)
def test_held_back_reminder_is_dropped_when_it_is_not_wanted_any_more(
    survey: Survey, change: dict[str, Any], outcome: str
) -> None:
    set_budget(most=1, days=14, now=NOW)
    delivered(survey)
    remind(now=DUE)
    Survey.objects.update(**change)

    assert remind_held_back(now=NOW + 14 * DAY) == 0
    assert HeldBack.objects.get().outcome == outcome


def test_held_back_reminder_is_dropped_when_the_contact_cannot_be_written_to(survey: Survey) -> None:
    set_budget(most=1, days=14, now=NOW)
    delivered(survey)
    remind(now=DUE)
    Contact.objects.update(unsubscribed_at=NOW)

    assert remind_held_back(now=NOW + 14 * DAY) == 0
    assert HeldBack.objects.get().outcome == HeldBack.Outcome.NOT_REACHABLE


def test_held_back_reminder_is_dropped_when_its_invitation_is_gone(survey: Survey) -> None:
    set_budget(most=1, days=14, now=NOW)
    delivered(survey)
    remind(now=DUE)
    Invitation.objects.all().delete()

    assert remind_held_back(now=NOW + 14 * DAY) == 0
    assert HeldBack.objects.get().outcome == HeldBack.Outcome.SWITCHED_OFF


def test_held_back_reminder_is_dropped_when_the_contact_has_answered(survey: Survey) -> None:
    set_budget(most=1, days=14, now=NOW)
    invitation = delivered(survey)
    remind(now=DUE)

    answer(token=token_of(invitation), score=9, comment=None, now=DUE + DAY)

    assert remind_held_back(now=NOW + 14 * DAY) == 0
    assert HeldBack.objects.get().outcome == HeldBack.Outcome.ANSWERED
    assert Message.objects.count() == 1


@pytest.mark.parametrize("status", [Message.Status.PENDING, Message.Status.PARKED])
def test_reminder_that_has_not_gone_is_taken_back_when_the_contact_answers(survey: Survey, status: str) -> None:
    invitation = delivered(survey)
    remind(now=DUE)
    Message.objects.filter(reminders__isnull=False).update(status=status)

    answer(token=token_of(invitation), score=9, comment=None, now=DUE)

    message = Message.objects.get(reminders__isnull=False)
    assert (message.status, message.withdrawn_because) == ("withdrawn", Withdrawal.ANSWERED)
    assert not Reminder.objects.delivered().exists()
    assert [place.kind for place in ContactSend.objects.all()] == [Kind.SURVEY]


def test_reminder_that_a_worker_has_is_not_taken_back(survey: Survey) -> None:
    invitation = delivered(survey)
    remind(now=DUE)
    Message.objects.filter(reminders__isnull=False).update(leased_until=DUE + DAY)

    answer(token=token_of(invitation), score=9, comment=None, now=DUE)

    assert Reminder.objects.get().message is not None


def test_contact_is_marked_when_the_reminder_finds_no_mailbox(survey: Survey, postmaster: Postmaster) -> None:
    invitation = delivered(survey, email="nobody@customer.example")
    remind(now=DUE)
    deliver_due(now=DUE, limit=10)

    assert mark_bounces(now=DUE) == 1
    assert mark_bounces(now=DUE) == 0

    invitation.contact.refresh_from_db()
    assert invitation.contact.bounced_at == DUE
    assert Reminder.objects.get().bounced_at == DUE


def test_others_are_reminded_when_one_address_cannot_be_written_to(survey: Survey) -> None:
    broken, whole = delivered(survey), delivered(survey)
    Contact.objects.filter(pk=broken.contact_id).update(email="no address")

    assert remind(now=DUE) == 2
    assert remind(now=DUE + DAY) == 0

    assert Reminder.objects.get(message__isnull=False).invitation == whole


@pytest.mark.parametrize("days", [0, 30, 31])
def test_reminder_that_could_not_come_in_time_is_refused_by_the_database(days: int) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        SurveyFactory(expires_after_days=30, remind_after_days=days)


@pytest.mark.django_db(transaction=True)
def test_each_is_reminded_once_when_two_workers_remind_at_once(survey: Survey) -> None:
    for _n in range(10):
        delivered(survey)
    start = threading.Barrier(2)

    def work() -> None:
        start.wait()
        remind(now=DUE)
        connection.close()

    workers = [threading.Thread(target=work) for _n in range(2)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()

    assert Reminder.objects.filter(reminded_at=DUE).count() == 10
    assert Message.objects.count() == 20


def test_reminders_of_two_surveys_take_their_places_when_one_is_left(survey: Survey) -> None:
    set_budget(most=3, days=14, now=NOW)
    first = delivered(survey)
    second = ask(survey=SurveyFactory(remind_after_days=7), contact=first.contact)
    Message.objects.filter(pk=second.message_id).update(status=Message.Status.SENT)

    assert remind(now=DUE) == 2

    assert HeldBack.objects.get().kind == Kind.REMINDER
