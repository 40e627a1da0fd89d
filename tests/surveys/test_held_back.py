from datetime import timedelta

import pytest

from accounts.models import Contact
from outbox.models import ContactSend, HeldBack, Message
from outbox.services import set_budget
from surveys.models import Invitation, Survey
from surveys.services import invite, send_held_back
from tests.factories import NOW, ContactFactory, SurveyFactory
from tests.surveys.invited import ask

pytestmark = pytest.mark.django_db

DAY = timedelta(days=1)


@pytest.fixture
def survey() -> Survey:
    set_budget(most=1, days=14, now=NOW)
    return SurveyFactory(name="Relationship", expires_after_days=30)


@pytest.fixture
def held(survey: Survey) -> HeldBack:
    contact: Contact = ContactFactory()
    ask(survey=survey, contact=contact, occasion="winter", now=NOW - DAY)
    found = invite(survey=survey, contact=contact, occasion="spring", now=NOW)
    assert isinstance(found, HeldBack)
    return found


def test_nothing_is_sent_when_the_contacts_budget_is_used_up(held: HeldBack) -> None:
    assert (held.label, held.until, held.useful_until) == ("Relationship", NOW + 13 * DAY, NOW + 30 * DAY)
    assert Invitation.objects.count() == Message.objects.count() == 1
    assert send_held_back(now=NOW + 12 * DAY) == 0


def test_the_invitation_goes_out_once_when_a_place_is_free(held: HeldBack) -> None:
    later = NOW + 13 * DAY

    assert send_held_back(now=later) == 1
    assert send_held_back(now=later) == 0

    invitation = Invitation.objects.get(occasion="spring")
    assert (invitation.invited_at, invitation.expires_at) == (later, later + 30 * DAY)
    assert Message.objects.count() == ContactSend.objects.count() == 2
    held.refresh_from_db()
    assert (held.outcome, held.settled_at) == (HeldBack.Outcome.SENT, later)


def test_those_who_waited_longest_go_first_when_one_place_is_free(held: HeldBack, survey: Survey) -> None:
    invite(survey=survey, contact=held.contact, occasion="summer", now=NOW + DAY)

    assert send_held_back(now=NOW + 13 * DAY) == 1

    assert Invitation.objects.filter(occasion="spring").exists()
    waiting = HeldBack.objects.get(outcome=HeldBack.Outcome.WAITING)
    assert (waiting.details["occasion"], waiting.until) == ("summer", NOW + 27 * DAY)


def test_an_invitation_is_dropped_when_a_place_is_free_only_after_its_time(survey: Survey) -> None:
    Survey.objects.filter(pk=survey.pk).update(expires_after_days=7)
    survey.refresh_from_db()
    contact: Contact = ContactFactory()
    ask(survey=survey, contact=contact, occasion="winter")

    held = invite(survey=survey, contact=contact, occasion="spring", now=NOW)

    assert isinstance(held, HeldBack)
    assert held.outcome == HeldBack.Outcome.TOO_LATE
    assert send_held_back(now=NOW + 20 * DAY) == 0
    assert Invitation.objects.count() == 1


@pytest.mark.parametrize("gone", ["unsubscribed_at", "left_at", "bounced_at"])
def test_an_invitation_is_dropped_when_nobody_may_write_to_the_contact_any_more(held: HeldBack, gone: str) -> None:
    Contact.objects.update(**{gone: NOW})

    assert send_held_back(now=NOW + 13 * DAY) == 0

    held.refresh_from_db()
    assert held.outcome == HeldBack.Outcome.NOT_REACHABLE
    assert Message.objects.count() == 1


def test_an_invitation_is_dropped_when_its_survey_was_switched_off(held: HeldBack, survey: Survey) -> None:
    Survey.objects.filter(pk=survey.pk).update(is_live=False)

    assert send_held_back(now=NOW + 13 * DAY) == 0

    held.refresh_from_db()
    assert held.outcome == HeldBack.Outcome.SWITCHED_OFF


def test_the_first_invitation_is_returned_when_the_occasion_is_the_same_and_the_budget_used_up(held: HeldBack) -> None:
    again = invite(survey=Survey.objects.get(), contact=held.contact, occasion="winter", now=NOW)

    assert isinstance(again, Invitation)


def test_others_are_asked_when_one_address_cannot_be_written_to(held: HeldBack, survey: Survey) -> None:
    other: Contact = ContactFactory()
    ask(survey=survey, contact=other, occasion="winter", now=NOW - DAY)
    invite(survey=survey, contact=other, occasion="spring", now=NOW)
    Contact.objects.filter(pk=held.contact_id).update(email="no address")

    assert send_held_back(now=NOW + 13 * DAY) == 1

    held.refresh_from_db()
    assert held.outcome == HeldBack.Outcome.NOT_REACHABLE
