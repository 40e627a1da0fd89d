"""Mail that playbooks write: what is refused when it is saved, what is refused when it is sent, and what arrives."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client
from django.utils.translation import override

from accounts.models import Account, Contact, Event, User
from accounts.unsubscribing import token_of
from common.errors import Conflict, DomainError, NotAllowed
from common.templatetags.amounts import money
from outbox.models import HeldBack, Kind, Message
from outbox.services import deliver_due, reserve, set_budget
from playbooks.actions.email import EmailAction
from playbooks.definition.parse import parse
from playbooks.mail.compose import Sender
from playbooks.mail.liquid import TemplateError, read_template
from playbooks.mail.values import About
from playbooks.models import EmailTemplate, Run, WrittenEmail
from playbooks.queries import why_run
from playbooks.services import delete_template, mark_bounces, save_template, send_held_back, send_test
from playbooks.services.emails import users_of
from tests.factories import NOW, ContactFactory, SubscriptionFactory, UserFactory
from tests.outbox.mail import postmaster
from tests.outbox.server import Postmaster
from tests.playbooks.cases import REFERENCE, customer, messaging, pass_time, published

__all__ = ["postmaster"]

pytestmark = pytest.mark.django_db

HELLO = ("News for {{ account.name }}", "Hello {{ contact.name }},\n\nyou pay **{{ mrr }}**.\n\n{{ sender.name }}")
STEP = {"id": "mail", "kind": "email", "template": "hello", "sender": "owner"}


@pytest.fixture(autouse=True)
def _features() -> None:
    messaging()


def admin() -> User:
    made: User = UserFactory(role=User.Role.ADMIN)
    return made


def template(*, name: str = "Hello", **texts: tuple[str, str]) -> EmailTemplate:
    given = {language.replace("_", "-"): text for language, text in texts.items()} or {"en": HELLO}
    return save_template(template=None, name=name, texts=given, by=admin(), now=NOW)


def reader(account: Account, **fields: Any) -> Contact:
    made: Contact = ContactFactory(account=account, role="champion", **fields)
    return made


def sent(account: Account | None = None, **step: Any) -> Run:
    """A run that has come to the end of a playbook with just the mail."""
    account = account or customer(uses=3)
    published({**REFERENCE, "steps": [{**STEP, **step}]})
    pass_time(NOW, NOW)
    return Run.objects.get()


def told(run: Run) -> str:
    return why_run(run)[1].words


def payload() -> Any:
    return Message.objects.get().payload


@pytest.mark.parametrize(
    ("step", "field", "says"),
    [
        ({"template": "nowhere"}, "template", "There is no email template “nowhere”; use one of: hello."),
        ({"sender": "no@body.example"}, "sender", "Nobody who works here has the address “no@body.example”"),
        ({"sender": ""}, "sender", "Give a text of 1 to 254 characters."),
        ({"to": "boss"}, "to", "Use one of: "),
        ({"subject": "Hi"}, "subject", "“subject” is not known here"),
    ],
)
def test_step_is_refused_at_its_field_when_it_cannot_be_sent(step: dict[str, Any], field: str, says: str) -> None:
    template()

    with pytest.raises(DomainError) as refused:
        parse({**REFERENCE, "steps": [{**STEP, **step}]})

    assert list(refused.value.fields) == [f"steps[0].{field}"]
    assert refused.value.message.startswith("Step “mail”: ")
    assert says in refused.value.message


def test_step_is_refused_when_nobody_is_named_as_sender() -> None:
    template()

    with pytest.raises(DomainError) as refused:
        parse({**REFERENCE, "steps": [{"id": "mail", "kind": "email", "template": "hello"}]})

    assert refused.value.fields == {"steps[0].sender": "“sender” is missing."}


@pytest.mark.parametrize(
    ("body", "says"),
    [
        ("{{ mmr }}", "There is no merge value “mmr”; use one from the list."),
        ("{{ usage.nothing.28d }} {{ account.secret }}", "“usage.nothing.28d”, “account.secret”"),
        ("{{ mrr", "Line 1 cannot be read"),
        ("one\n\n{% if mrr %}", "Line 3 cannot be read"),
        ("{% include 'other' %}", "Line 1 cannot be read"),
        ("{% for tag in tags %}x{% endfor %}", "Line 1 cannot be read"),
        ("{{ mrr | load }}", "There is no filter “load”; use one of: abs, append,"),
        ("{% if mrr %}" * 40 + "{% endif %}" * 40, "cannot be read"),
        ("x" * 20_001, "A template has at most 20000 characters."),
        (" ", "Write this too, or leave the language out."),
    ],
)
def test_template_is_refused_at_its_language_when_it_cannot_be_used(body: str, says: str) -> None:
    with pytest.raises(DomainError) as refused:
        template(en=("Hello", "Hello"), ru=("Привет", body))

    assert says in refused.value.fields["ru.body"]
    assert not EmailTemplate.objects.exists()


def test_template_is_refused_when_it_has_no_text_or_its_author_is_no_admin() -> None:
    with pytest.raises(DomainError) as refused:
        save_template(template=None, name=" ", texts={}, by=admin(), now=NOW)
    with pytest.raises(NotAllowed):
        save_template(template=None, name="Hello", texts={"en": HELLO}, by=UserFactory(), now=NOW)

    assert set(refused.value.fields) == {"name", "body"}


def test_mail_is_owed_once_with_its_values_when_the_step_comes() -> None:
    template()
    account = customer(uses=3, name="Nordlicht", owner=UserFactory(name="Anna Berg", email="anna@ours.example"))
    SubscriptionFactory(account=account, mrr=Decimal(1250))
    champion = reader(account, name="Jo Klein", email="jo@nordlicht.example")

    run = sent(account)

    message = Message.objects.get()
    assert (message.recipient, message.subject) == (champion.email, "News for Nordlicht")
    assert message.payload["headers"]["From"] == "Anna Berg <cs@demo.example>"
    assert message.payload["headers"]["Reply-To"] == "anna@ours.example"
    assert message.payload["headers"]["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert "Hello Jo Klein," in message.payload["text"]
    assert "you pay **$1,250**." in message.payload["text"]
    assert "<strong>$1,250</strong>" in message.payload["html"]
    assert told(run) == "Wrote “News for Nordlicht” to Jo Klein."
    assert Event.objects.get(kind="playbook.emailed").contact == champion


def test_mail_is_owed_once_when_the_step_is_performed_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    moments: list[Any] = []
    perform = EmailAction.perform

    def twice(action: EmailAction, moment: Any) -> dict[str, Any]:
        moments.append(moment)
        perform(action, moment)
        return perform(action, moment)

    monkeypatch.setattr(EmailAction, "perform", twice)
    template()
    account = customer(uses=3)
    SubscriptionFactory(account=account)
    reader(account)

    run = sent(account)

    assert moments[0].key == f"run:{run.pk}:mail"
    assert Message.objects.get().dedupe_key == moments[0].key
    assert WrittenEmail.objects.count() == Event.objects.filter(kind="playbook.emailed").count() == 1


def test_no_mail_is_sent_and_the_record_says_what_is_missing() -> None:
    template(en=("Hello", "{{ contact.title }}: {{ renewal_on }}, {{ mrr }}, {{ nps.last | upcase }}"))
    account = customer(uses=3)
    reader(account, name="Jo", title="")

    run = sent(account)

    assert not Message.objects.exists()
    assert run.state == "finished"
    assert told(run) == "Sent no email to Jo: not known of this account: Reader's title, Renewal date, Last NPS answer."


def test_missing_value_is_no_hole_when_the_template_says_what_stands_for_it() -> None:
    body = "{% if renewal_on %}Renews {{ renewal_on }}{% else %}No date{% endif %}, {{ nps.last | default: 'never' }}"
    template(en=("Hello", body))
    account = customer(uses=3)
    reader(account)

    sent(account)

    assert "No date, never" in payload()["text"]


@pytest.mark.parametrize(
    ("step", "people", "says"),
    [
        ({}, [], "Sent no email: nobody at the customer can be written to."),
        ({"to": "billing"}, [{"role": "champion"}], "Sent no email: nobody at the customer can be written to."),
        ({}, [{"unsubscribed_at": NOW}], "Sent no email: nobody at the customer can be written to."),
        ({}, [{"bounced_at": NOW}], "Sent no email: nobody at the customer can be written to."),
    ],
)
def test_step_is_passed_by_when_nobody_can_be_written_to(
    step: dict[str, Any], people: list[dict[str, Any]], says: str
) -> None:
    template()
    account = customer(uses=3)
    for person in people:
        ContactFactory(account=account, **person)

    run = sent(account, **step)

    assert not Message.objects.exists()
    assert told(run) == says


def test_step_is_passed_by_when_the_account_has_no_csm_to_write_in_the_name_of() -> None:
    template()
    account = customer(uses=3)
    Account.objects.filter(pk=account.pk).update(owner=None)
    reader(account)

    run = sent(account)

    assert not Message.objects.exists()
    assert told(run) == "Sent no email: there is nobody in whose name to send it."


@pytest.mark.parametrize("sender", ["workspace", "Lea@Ours.Example"])
def test_mail_carries_the_name_that_the_step_says(sender: str) -> None:
    template(en=("Hello", "{{ sender.name }}"))
    UserFactory(name="Lea Lang", email="lea@ours.example")
    account = customer(uses=3)
    reader(account)

    sent(account, sender=sender)

    headers = payload()["headers"]
    if sender == "workspace":
        assert headers["From"] == "CS Platform <cs@demo.example>"
        assert "Reply-To" not in headers
    else:
        assert headers["From"] == "Lea Lang <cs@demo.example>"
        assert headers["Reply-To"] == "lea@ours.example"


EVIL = (
    "**x** <b>b</b> [a](http://evil.example) {{ mrr }} {% if %} `c` <img src=//evil.example>\r\nBcc: all@evil.example"
)


def test_value_is_text_and_nothing_else_whatever_is_in_it() -> None:
    template(
        en=(
            "For {{ account.name }}",
            "# {{ account.name }}\n\n- {{ account.name }}\n\n[{{ account.name }}](https://ours.example)",
        )
    )
    account = customer(uses=3, name=EVIL)
    reader(account)

    sent(account)

    message = Message.objects.get()
    html = message.payload["html"]
    assert message.subject == "For " + " ".join(EVIL.split())
    assert "\n" not in message.subject
    assert "<b>" not in html
    assert "<img" not in html
    assert "<strong>x" not in html
    assert 'href="http://evil.example' not in html
    assert "**x** &lt;b&gt;b&lt;/b&gt; [a](http://evil.example) {{ mrr }} {% if %} `c` &lt;img" in html
    assert "**x** <b>b</b> [a](http://evil.example) {{ mrr }}" in message.payload["text"]


def test_name_of_a_sender_cannot_add_headers(postmaster: Postmaster) -> None:
    template(en=("Hello", "Hello"))
    account = customer(uses=3, owner=UserFactory(name='Eve"\r\nBcc: all@evil.example', email="eve@ours.example"))
    reader(account)
    sent(account)

    assert deliver_due(now=NOW, limit=10) == 1

    [delivered] = postmaster.mails
    assert delivered["Bcc"] is None
    assert delivered["Reply-To"] == "eve@ours.example"


def test_mail_with_both_parts_arrives_when_it_is_delivered(postmaster: Postmaster) -> None:
    template()
    account = customer(uses=3, name="Nordlicht")
    SubscriptionFactory(account=account, mrr=Decimal(1250))
    champion = reader(account)
    sent(account)

    assert deliver_due(now=NOW, limit=10) == 1

    [delivered] = postmaster.mails
    assert delivered["To"] == champion.email
    assert delivered["Subject"] == "News for Nordlicht"
    assert [part.get_content_type() for part in delivered.iter_parts()] == ["text/plain", "text/html"]
    assert token_of(champion) in str(delivered["List-Unsubscribe"])


@pytest.mark.parametrize(
    ("language", "texts", "expected"),
    [
        ("ru", ("en", "ru"), "ru"),
        ("bg", ("en", "ru"), "en"),
        ("zh-hant", ("en", "zh-hans"), "zh-hans"),
        ("", ("bg",), "bg"),
    ],
)
def test_mail_is_in_the_language_of_its_reader_or_the_nearest(
    language: str, texts: tuple[str, ...], expected: str
) -> None:
    save_template(
        template=None,
        name="Hello",
        texts={one: (one, f"{one}: {{{{ mrr }}}}") for one in texts},
        by=admin(),
        now=NOW,
    )
    account = customer(uses=3)
    SubscriptionFactory(account=account, mrr=Decimal("1250.50"))
    reader(account, language=language)

    sent(account)

    written = WrittenEmail.objects.get()
    assert written.language == expected
    with override(expected):
        assert f"{expected}: {money(Decimal('1250.5'))}" in payload()["text"]


def test_dates_choices_and_calculations_are_written_for_people() -> None:
    template(
        en=("Hello", "{{ renewal_on }} · {{ touch_model }} · {{ mrr | times: 12 | round }} · {{ usage.messaging.7d }}"),
        ru=("Привет", "{{ renewal_on }} · {{ touch_model }}"),
    )
    account = customer(uses=3, touch_model="high_touch")
    SubscriptionFactory(account=account, mrr=Decimal(1250), renews_on=(NOW + timedelta(days=40)).date())
    person = reader(account, language="en")
    day = (NOW + timedelta(days=40)).date()

    sent(account)

    assert f"{day:%B} {day.day}, {day.year} · High-touch · 15,000 · 3" in payload()["text"]
    assert person.language == "en"


@pytest.mark.parametrize(
    "source",
    [
        "{% assign a = 'x' %}" + "{% assign a = a | append: a %}" * 40 + "{{ a }}",
        "{{ 9" + " | times: 99999999" * 600 + " }}",
        "{{ 1 | divided_by: 0 }}",
        "{{ 'x' | truncate: 'y' }}",
    ],
)
def test_template_that_would_take_too_much_or_cannot_be_reckoned_is_refused(source: str) -> None:
    with pytest.raises(TemplateError):
        read_template(source).text({})


def test_reader_unsubscribes_with_one_click_from_the_mail(client: Client) -> None:
    contact = reader(customer(uses=3), language="")
    page = f"/u/{token_of(contact)}/"

    assert client.get(page).status_code == client.head(page).status_code == 200
    contact.refresh_from_db()
    assert contact.unsubscribed_at is None
    assert client.post(page, {"List-Unsubscribe": "One-Click"}).status_code == 200
    assert "You are unsubscribed" in client.get(page).content.decode()

    contact.refresh_from_db()
    assert contact.unsubscribed_at is not None
    assert Event.objects.filter(kind="contact.unsubscribed").count() == 1
    client.post(page, {"List-Unsubscribe": "One-Click"})
    assert Event.objects.filter(kind="contact.unsubscribed").count() == 1


def test_one_page_is_shown_for_every_link_that_is_not_ours(client: Client) -> None:
    contact = reader(customer(uses=3))
    other = token_of(contact).replace(str(contact.pk), str(contact.pk + 1), 1)

    answers = [client.post(f"/u/{token}/", {"List-Unsubscribe": "One-Click"}) for token in (other, "x", "~", "1~x")]

    assert {answer.status_code for answer in answers} == {404}
    assert len({answer.content for answer in answers}) == 1
    contact.refresh_from_db()
    assert contact.unsubscribed_at is None


def test_nobody_is_written_to_again_when_the_mailbox_is_not_there() -> None:
    template()
    account = customer(uses=3)
    SubscriptionFactory(account=account)
    contact = reader(account)
    sent(account)
    Message.objects.update(status=Message.Status.REFUSED, error="550 no such user")

    assert mark_bounces(now=NOW) == 1
    assert mark_bounces(now=NOW) == 0

    contact.refresh_from_db()
    assert contact.bounced_at == NOW
    assert Event.objects.get(kind="contact.bounced").data["reason"] == "550 no such user"


def test_template_in_use_cannot_be_deleted_and_one_out_of_use_can() -> None:
    used, free = template(), template(name="Free")
    playbook = published({**REFERENCE, "steps": [STEP]})

    assert users_of(used.key) == [playbook]
    with pytest.raises(Conflict):
        delete_template(template=used, by=admin())
    delete_template(template=free, by=admin())

    assert EmailTemplate.objects.get() == used


def test_playbook_is_refused_when_its_template_uses_what_is_gone() -> None:
    made = template()
    made.texts.update(body="{{ custom.gone }}")

    with pytest.raises(DomainError) as refused:
        parse({**REFERENCE, "steps": [STEP]})

    assert "The template in English: There is no merge value “custom.gone”" in refused.value.fields["steps[0].template"]


def test_trial_goes_to_its_author_and_unsubscribes_nobody() -> None:
    made = template()
    account = customer(uses=3, name="Nordlicht")
    contact = reader(account)
    author = admin()
    text = made.texts.get()
    send_test(text=text, about=About(account, contact, "Anna"), sender=Sender("Anna"), to=author, now=NOW)

    message = Message.objects.get()
    assert (message.recipient, message.subject) == (author.email, "Test: News for Nordlicht")
    assert token_of(contact) not in str(message.payload)


def test_mail_waits_for_a_place_in_the_budget_and_says_what_is_true_then() -> None:
    set_budget(most=1, days=3, now=NOW)
    template()
    account = customer(uses=3)
    line = SubscriptionFactory(account=account, mrr=Decimal(100))
    contact = reader(account)
    taken = {"kind": Kind.SURVEY, "key": "survey:1", "label": "NPS"}
    reserve(contact=contact, useful_until=NOW, now=NOW - timedelta(days=1), **taken)

    run = sent(account)

    assert told(run).startswith("Held back the email “Hello”: the contact budget of")
    assert send_held_back(now=NOW + timedelta(days=1)) == 0
    line.mrr = Decimal(200)
    line.save()
    assert send_held_back(now=NOW + timedelta(days=2, minutes=1)) == 1
    assert send_held_back(now=NOW + timedelta(days=2, minutes=2)) == 0
    assert "$200" in payload()["text"]
    assert HeldBack.objects.get().outcome == HeldBack.Outcome.SENT


def test_mail_that_was_held_back_is_dropped_when_its_reader_unsubscribes() -> None:
    set_budget(most=1, days=3, now=NOW)
    template()
    account = customer(uses=3)
    SubscriptionFactory(account=account)
    contact = reader(account)
    reserve(contact=contact, kind=Kind.SURVEY, key="survey:1", label="NPS", useful_until=NOW, now=NOW)
    sent(account)
    Contact.objects.update(unsubscribed_at=NOW)

    assert send_held_back(now=NOW + timedelta(days=4)) == 0

    assert not Message.objects.exists()
    assert HeldBack.objects.get().outcome == HeldBack.Outcome.NOT_REACHABLE


def test_others_get_their_mail_when_one_that_was_held_back_has_an_address_that_cannot_be_one() -> None:
    set_budget(most=1, days=3, now=NOW)
    template()
    first, second = (customer(uses=3), customer(uses=3))
    for account in (first, second):
        SubscriptionFactory(account=account)
        key = f"survey:{account.pk}"
        reserve(contact=reader(account), kind=Kind.SURVEY, key=key, label="NPS", useful_until=NOW, now=NOW)
    published({**REFERENCE, "steps": [STEP]})
    pass_time(NOW, NOW)
    Contact.objects.filter(account=first).update(email="no address")

    assert send_held_back(now=NOW + timedelta(days=4)) == 1

    assert WrittenEmail.objects.get().contact.account == second
    assert HeldBack.objects.get(contact__account=first).outcome == HeldBack.Outcome.NOT_REACHABLE
