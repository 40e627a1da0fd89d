"""The pages of email templates: written by admins, read by all, shown for a real customer."""

from typing import Any

import pytest
from django.test import Client

from accounts.models import Account, User
from outbox.models import Message
from playbooks.models import EmailTemplate
from playbooks.services import save_template
from tests.console.pages import HTMX, client_of, queries_of, words_of
from tests.factories import NOW, AccountFactory, ContactFactory, UserFactory

pytestmark = pytest.mark.django_db

PAGE = "/playbooks/emails/hello/"
TEXT = ("For {{ account.name }}", "Hello {{ contact.name }}, *welcome*.\n\n{{ owner.name }}")


@pytest.fixture
def boss() -> User:
    made: User = UserFactory(role=User.Role.ADMIN, name="Ada Admin")
    return made


@pytest.fixture
def admin(boss: User) -> Client:
    return client_of(boss)


@pytest.fixture
def hello(boss: User) -> EmailTemplate:
    account = AccountFactory(name="Nordlicht", owner=UserFactory(name="Anna Berg"))
    ContactFactory(account=account, name="Jo Klein", email="jo@nordlicht.example", role="champion")
    return save_template(template=None, name="Hello", texts={"en": TEXT}, by=boss, now=NOW)


def sent(**more: str) -> dict[str, str]:
    return {"name": "Hello", "subject": "Dear {{ contact.name }}", "body": "How are you?", "do": "save", **more}


def test_template_is_written_and_listed_when_an_admin_saves_it(admin: Client) -> None:
    made = admin.post("/playbooks/emails/new/", sent(name="First steps"))

    assert made["Location"] == "/playbooks/emails/first-steps/?language=en"
    assert "First steps" in words_of(admin, "/playbooks/emails/")
    assert EmailTemplate.objects.get().texts.get().subject == "Dear {{ contact.name }}"


def test_mistake_stands_at_its_field_and_what_was_typed_stays(admin: Client, hello: EmailTemplate) -> None:
    answer = admin.post(PAGE, sent(body="{{ mmr }}"))

    assert answer.status_code == 422
    page = answer.content.decode()
    assert "There is no merge value “mmr”; use one from the list." in page
    assert "{{ mmr }}</textarea>" in page
    assert hello.texts.get().body == TEXT[1]


def test_mail_is_shown_as_a_real_customer_gets_it(admin: Client, hello: EmailTemplate) -> None:
    words = words_of(admin, PAGE)

    assert "For Nordlicht" in words
    assert "Hello Jo Klein, welcome" in words
    assert "account.name Account Nordlicht" in words


def test_preview_follows_what_is_typed_and_keeps_nothing(admin: Client, hello: EmailTemplate) -> None:
    headers = {**HTMX, "HX-Target": "email-letter"}
    typed = sent(do="preview", body="Renews {{ renewal_on }}")
    missing = admin.post(PAGE, typed, headers=headers).content.decode()
    shown = admin.post(PAGE, {**typed, "body": "<b>**x**"}, headers=headers).content.decode()

    assert "Nordlicht gets no mail: not known are Renewal date." in " ".join(missing.split())
    assert "<strong>x</strong>" in shown
    assert "<b>" not in shown
    assert "<html" not in shown
    assert hello.texts.get().body == TEXT[1]


def test_another_customer_is_found_and_shown(admin: Client, hello: EmailTemplate) -> None:
    other = AccountFactory(name="Blue Harbor")
    ContactFactory(account=other, name="Kim")
    shown_first = Account.objects.get(name="Nordlicht")
    found = admin.post(
        PAGE, sent(do="find", find="harb", account=str(shown_first.pk)), headers={**HTMX, "HX-Target": "email-found"}
    )
    shown = admin.post(PAGE, sent(do=f"look-{other.pk}"), headers={**HTMX, "HX-Target": "email-side"})

    assert f'value="look-{other.pk}"' in found.content.decode()
    assert "Dear Kim" in shown.content.decode()
    assert f'name="account" value="{other.pk}"' in shown.content.decode()


def test_trial_goes_to_the_admin_with_what_is_typed(admin: Client, boss: User, hello: EmailTemplate) -> None:
    page = admin.post(PAGE, sent(do="test")).content.decode()

    assert f"A trial is on its way to {boss.email}." in page
    message = Message.objects.get()
    assert (message.recipient, message.subject) == (boss.email, "Test: Dear Jo Klein")


def test_language_is_added_and_removed(admin: Client, hello: EmailTemplate) -> None:
    admin.post(f"{PAGE}?language=ru", sent(subject="Привет", body="Привет"))
    assert set(hello.texts.values_list("language", flat=True)) == {"en", "ru"}

    admin.post(f"{PAGE}?language=ru", sent(do="drop"))

    assert list(hello.texts.values_list("language", flat=True)) == ["en"]


@pytest.mark.parametrize("role", [User.Role.CSM, User.Role.LEADER, User.Role.VIEWER])
def test_others_read_templates_and_change_none(hello: EmailTemplate, role: User.Role) -> None:
    client = client_of(UserFactory(role=role))

    assert "Hello Jo Klein" in words_of(client, PAGE)
    refused: list[Any] = [
        client.post(PAGE, sent()),
        client.get("/playbooks/emails/new/"),
        client.post("/playbooks/emails/new/", sent()),
        client.post(f"{PAGE}delete/"),
        client.post(PAGE, sent(do="test")),
    ]

    assert [answer.status_code for answer in refused] == [403] * 5
    assert EmailTemplate.objects.get().texts.get().body == TEXT[1]
    assert not Message.objects.exists()


def test_template_is_deleted_when_nobody_uses_it(admin: Client, hello: EmailTemplate) -> None:
    assert admin.post(f"{PAGE}delete/")["Location"] == "/playbooks/emails/"
    assert not EmailTemplate.objects.exists()


def test_list_takes_as_many_statements_however_many_there_are(admin: Client, boss: User, hello: EmailTemplate) -> None:
    queries_of(admin, "/playbooks/emails/")
    few = queries_of(admin, "/playbooks/emails/")
    for number in range(5):
        save_template(template=None, name=f"Mail {number}", texts={"en": TEXT, "ru": TEXT}, by=boss, now=NOW)

    assert queries_of(admin, "/playbooks/emails/") == few
