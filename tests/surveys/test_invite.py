from datetime import timedelta
from email.message import EmailMessage

import pytest

from accounts.models import Contact, Event, Workspace
from common.errors import DomainError
from outbox.models import Message
from outbox.services import deliver_due
from surveys.models import Invitation, Survey
from surveys.services import invite, mark_bounces
from tests.factories import NOW, AccountFactory, ContactFactory, SurveyFactory
from tests.outbox.server import Postmaster
from tests.surveys.invited import invited, token_of

pytestmark = pytest.mark.django_db


def part(mail: EmailMessage, kind: str) -> str:
    body = mail.get_body((kind,))
    assert body is not None
    return str(body.get_content())


def test_the_whole_scale_is_in_the_mail_when_an_invitation_goes_out(postmaster: Postmaster) -> None:
    invitation = invited(name="Ana", email="ana@customer.example")
    address = f"http://testserver/s/{token_of(invitation)}/"

    deliver_due(now=NOW, limit=10)

    [mail] = postmaster.mails
    for kind in ("plain", "html"):
        for score in range(11):
            assert f"{address}?score={score}" in part(mail, kind)
        assert f"{address}unsubscribe/" in part(mail, kind)
    assert mail["List-Unsubscribe"].strip() == f"<{address}unsubscribe/>"
    assert mail["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert 'lang="en"' in part(mail, "html")
    assert 'dir="ltr"' in part(mail, "html")
    assert 'style="display: inline-block' in part(mail, "html")


def test_the_token_is_nowhere_in_the_database_when_the_mail_has_gone(postmaster: Postmaster) -> None:
    invitation = invited()
    deliver_due(now=NOW, limit=10)

    invitation.refresh_from_db()
    message = Message.objects.get()
    assert token_of(invitation) not in str({**vars(invitation), **vars(message)})


def test_the_sender_has_a_name_when_the_survey_has_one(postmaster: Postmaster) -> None:
    invited(survey=SurveyFactory(sender_name="Olga, Meridian\r\nBcc: x@y.example"))
    deliver_due(now=NOW, limit=10)

    [mail] = postmaster.mails
    [sender] = mail["From"].addresses
    assert sender.display_name == "Olga, Meridian Bcc: x@y.example"
    assert sender.addr_spec == "cs@demo.example"


@pytest.mark.parametrize(
    ("language", "words"),
    [
        ("en", "How likely are you to recommend Meridian"),
        ("ru", "Насколько вероятно, что вы порекомендуете Meridian"),
        ("bg", "Колко вероятно е да препоръчате Meridian"),
        ("zh-hans", "您有多大可能向同事推荐 Meridian"),
        ("zh-hant", "您有多大可能向同事推薦 Meridian"),
    ],
)
def test_the_mail_is_in_the_contacts_language_when_it_is_one_of_ours(
    postmaster: Postmaster, language: str, words: str
) -> None:
    Workspace.objects.update_or_create(id=1, defaults={"name": "Meridian"})
    invited(language=language)
    deliver_due(now=NOW, limit=10)

    [mail] = postmaster.mails
    assert words in part(mail, "html")
    assert words in part(mail, "plain")
    assert f'lang="{language}"' in part(mail, "html")


def test_the_accounts_language_is_used_when_the_contact_has_none() -> None:
    Workspace.objects.update_or_create(id=1, defaults={"language": "bg"})

    assert invited(account=AccountFactory(language="zh-Hant")).language == "zh-hant"
    assert invited(account=AccountFactory(language="tlh")).language == "bg"


def test_the_companys_own_words_are_used_when_a_survey_has_them() -> None:
    Workspace.objects.update_or_create(id=1, defaults={"name": "Meridian"})
    texts = {"en": {"question": "Would {name} tell a friend about {company}? {company.__class__} <b>", "subject": ""}}
    invitation = invited(survey=SurveyFactory(texts=texts), name="Ana")

    message = Message.objects.get()
    assert "Would Ana tell a friend about Meridian? {company.__class__} <b>" in message.payload["text"]
    assert "Would Ana tell a friend about Meridian? {company.__class__} &lt;b&gt;" in message.payload["html"]
    assert message.subject == "A quick question from Meridian"
    assert invitation.message == message


def test_a_contact_is_asked_once_when_invited_twice_on_an_occasion() -> None:
    invitation = invited()
    again = invite(survey=invitation.survey, contact=invitation.contact, occasion="spring", now=NOW)

    assert again == invitation
    assert Message.objects.count() == 1
    assert Event.objects.filter(kind="survey.invited").count() == 1


@pytest.mark.parametrize(
    "person",
    [{"email": ""}, {"left_at": NOW}, {"unsubscribed_at": NOW}, {"bounced_at": NOW}],
)
def test_a_contact_is_not_asked_when_nobody_may_write_to_them(person: dict[str, object]) -> None:
    with pytest.raises(DomainError) as refused:
        invited(**person)  # type: ignore[arg-type]

    assert refused.value.code == "not_reachable"
    assert not Invitation.objects.exists()
    assert not Message.objects.exists()


@pytest.mark.parametrize("occasion", ["", " \n ", "x" * 151, "a\x00b"])
def test_an_occasion_is_refused_when_it_cannot_be_kept(occasion: str) -> None:
    with pytest.raises(DomainError) as refused:
        invite(survey=SurveyFactory(), contact=ContactFactory(), occasion=occasion, now=NOW)

    assert refused.value.code == "bad_occasion"


def test_nobody_is_asked_when_the_survey_is_switched_off() -> None:
    with pytest.raises(DomainError) as refused:
        invited(survey=SurveyFactory(is_live=False))

    assert refused.value.code == "not_live"


def test_a_contact_is_marked_once_when_their_mailbox_does_not_exist(postmaster: Postmaster) -> None:
    bounced = invited(email="nobody@customer.example")
    reached = invited(email="ana@customer.example", survey=bounced.survey)
    deliver_due(now=NOW, limit=10)

    assert mark_bounces(now=NOW + timedelta(minutes=1)) == 1

    bounced.contact.refresh_from_db()
    reached.contact.refresh_from_db()
    assert bounced.contact.bounced_at == NOW + timedelta(minutes=1)
    assert reached.contact.bounced_at is None
    assert Event.objects.get(kind="contact.bounced").data["reason"] == "550 5.1.1 No such user"

    Contact.objects.update(bounced_at=None)
    assert mark_bounces(now=NOW + timedelta(minutes=2)) == 0


def test_a_contact_is_not_marked_when_their_address_was_corrected_meanwhile(postmaster: Postmaster) -> None:
    invitation = invited(email="nobody@customer.example")
    deliver_due(now=NOW, limit=10)
    Contact.objects.filter(pk=invitation.contact_id).update(email="ana@customer.example")

    assert mark_bounces(now=NOW) == 0


@pytest.mark.parametrize(("kind", "low", "high"), [(Survey.Kind.CSAT, 1, 5), (Survey.Kind.CES, 1, 7)])
def test_the_scale_is_that_of_the_kind_when_it_is_not_nps(kind: str, low: int, high: int) -> None:
    invitation = invited(kind=kind)

    text = Message.objects.get().payload["text"]
    assert f"?score={low}\n" in text
    assert f"?score={high}\n" in text
    assert f"?score={low - 1}\n" not in text
    assert f"?score={high + 1}\n" not in text
    assert invitation.expires_at == NOW + timedelta(days=30)
