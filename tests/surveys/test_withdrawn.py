"""Invitations and reminders that are owed, and must not be sent any more when their turn comes."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.models import Contact, Event, User
from outbox.models import ContactSend, HeldBack, Kind, Message, Withdrawal
from outbox.services import deliver_due, send_again, set_budget
from surveys.models import Invitation, Survey
from surveys.services import answer, invite, remind, send_held_back
from tests.console.pages import client_of, words_of
from tests.factories import NOW, SurveyFactory, UserFactory
from tests.outbox.server import Postmaster
from tests.surveys.invited import ask, invited, token_of

pytestmark = pytest.mark.django_db

DAY = timedelta(days=1)


def unsubscribes(invitation: Invitation) -> None:
    Contact.objects.filter(pk=invitation.contact_id).update(unsubscribed_at=NOW)


def leaves(invitation: Invitation) -> None:
    Contact.objects.filter(pk=invitation.contact_id).update(left_at=NOW)


def is_switched_off(invitation: Invitation) -> None:
    Survey.objects.filter(pk=invitation.survey_id).update(is_live=False)


def answers(invitation: Invitation) -> None:
    answer(token=token_of(invitation), score=9, comment=None, now=NOW)


def expires(invitation: Invitation) -> None:
    Invitation.objects.filter(pk=invitation.pk).update(expires_at=NOW)


@pytest.mark.parametrize(
    ("happens", "because"),
    [
        (unsubscribes, Withdrawal.NOT_REACHABLE),
        (leaves, Withdrawal.NOT_REACHABLE),
        (is_switched_off, Withdrawal.SWITCHED_OFF),
        (answers, Withdrawal.ANSWERED),
        (expires, Withdrawal.TOO_LATE),
    ],
)
def test_invitation_is_withdrawn_with_its_reason_when_it_is_not_to_be_sent(
    happens: Callable[[Invitation], None], because: Withdrawal, postmaster: Postmaster
) -> None:
    invitation, other = invited(), invited()
    happens(invitation)

    assert deliver_due(now=NOW, limit=10) == 1

    [mail] = postmaster.mails
    assert mail["To"] == other.contact.email
    message = Message.objects.get(invitations=invitation)
    assert (message.status, message.withdrawn_because, message.payload) == ("withdrawn", because, {})
    assert ContactSend.objects.get().contact == other.contact
    told = Event.objects.get(kind="message.withdrawn")
    assert (told.account, told.contact, told.data["because"]) == (invitation.account, invitation.contact, because)


def test_reminder_is_withdrawn_when_the_survey_reminds_nobody_any_more(postmaster: Postmaster) -> None:
    survey = SurveyFactory(remind_after_days=7)
    invited(survey=survey)
    deliver_due(now=NOW, limit=10)
    remind(now=NOW + 7 * DAY, limit=10)
    Survey.objects.update(remind_after_days=None)

    assert deliver_due(now=NOW + 7 * DAY, limit=10) == 0

    assert Message.objects.get(reminders__isnull=False).withdrawn_because == Withdrawal.SWITCHED_OFF
    assert ContactSend.objects.get().kind == Kind.SURVEY


def test_one_that_was_given_up_is_withdrawn_when_it_is_sent_again_too_late(postmaster: Postmaster) -> None:
    invitation = invited()
    Message.objects.update(status=Message.Status.PARKED)
    unsubscribes(invitation)
    send_again(message=Message.objects.get(), now=NOW)

    assert deliver_due(now=NOW, limit=10) == 0

    assert Message.objects.get().status == Message.Status.WITHDRAWN


def test_place_is_free_for_another_message_when_one_is_withdrawn(postmaster: Postmaster) -> None:
    set_budget(most=1, days=14, now=NOW)
    first = invited()
    is_switched_off(first)
    deliver_due(now=NOW, limit=10)

    ask(survey=SurveyFactory(), contact=first.contact)

    assert deliver_due(now=NOW, limit=10) == 1


def test_list_of_what_was_held_back_says_that_it_did_not_come_when_it_was_withdrawn_later() -> None:
    set_budget(most=1, days=14, now=NOW)
    first = invited()
    second = SurveyFactory()
    invite(survey=second, contact=first.contact, occasion="spring", now=NOW)
    Message.objects.update(status=Message.Status.SENT)
    assert send_held_back(now=NOW + 14 * DAY) == 1
    Survey.objects.filter(pk=second.pk).update(is_live=False)

    deliver_due(now=NOW + 14 * DAY, limit=10)

    assert HeldBack.objects.get().outcome == HeldBack.Outcome.SWITCHED_OFF


def test_batch_is_asked_about_in_as_many_queries_when_more_are_withdrawn() -> None:
    def asked(count: int) -> int:
        for _n in range(count):
            unsubscribes(invited())
        with CaptureQueriesContext(connection) as queries:
            assert deliver_due(now=NOW, limit=100) == 0
        return len(queries)

    assert asked(2) == asked(20)


def test_timeline_and_list_say_why_nothing_came(postmaster: Postmaster) -> None:
    invitation = invited(survey=SurveyFactory(name="Relationship"), name="Ana")
    unsubscribes(invitation)
    deliver_due(now=NOW, limit=10)

    admin = client_of(UserFactory(role=User.Role.ADMIN))
    words = words_of(admin, f"/accounts/{invitation.account_id}/timeline/")
    assert "Survey “Relationship” did not go out to Ana the contact cannot be written to any more" in words
    listed = words_of(admin, "/messages/withdrawn/")
    assert f"{invitation.contact.email}" in listed
    assert "the contact cannot be written to any more" in listed
    assert client_of(UserFactory()).get("/messages/withdrawn/").status_code == 403
