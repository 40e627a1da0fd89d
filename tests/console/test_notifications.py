"""The page of what somebody is told, the bell, and choosing."""

import pytest
from django.test import Client
from django.urls import reverse

from accounts.models import User
from accounts.services.ledger import record
from common import clock
from notifications.models import Notification, Preference
from notifications.services import consume_events
from tests.factories import AccountFactory, UserFactory

pytestmark = pytest.mark.django_db

LIST = "/notifications/"


@pytest.fixture
def csm(client: Client) -> User:
    user: User = UserFactory(role=User.Role.CSM)
    client.force_login(user)
    return user


def unhappy(owner: User, count: int = 1) -> None:
    now = clock.now()
    for number in range(count):
        account = AccountFactory(name=f"Acme {number}", owner=owner)
        data = {"survey": "nps", "kind": "nps", "score": 2, "category": "detractor"}
        record(account=account, kind="survey.answered", happened_at=now, data=data)
    consume_events(now=now, limit=1000)


def test_bell_counts_what_is_unread_and_opening_one_reads_it(client: Client, csm: User) -> None:
    unhappy(csm, 2)
    assert '<span class="bell-count" aria-hidden="true">2</span>' in client.get("/").content.decode()
    newest = Notification.objects.first()
    assert newest is not None
    assert newest.account is not None

    opened = client.get(reverse("console:notification", args=[newest.pk]))
    assert opened.headers["Location"] == reverse("console:account", args=[newest.account.pk])
    assert '<span class="bell-count" aria-hidden="true">1</span>' in client.get("/").content.decode()
    shown = client.get(LIST, {"show": "unread"}).content.decode()
    assert "Acme 0" in shown
    assert "Acme 1" not in shown


def test_nobody_opens_what_another_was_told(client: Client, csm: User) -> None:
    unhappy(UserFactory(role=User.Role.CSM))
    other = Notification.objects.get()

    assert client.get(reverse("console:notification", args=[other.pk])).status_code == 404
    client.post(reverse("console:notifications_read"))
    other.refresh_from_db()
    assert other.read_at is None
    assert "Nothing yet" in client.get(LIST).content.decode()


def test_all_are_marked_as_read_and_that_is_taken_back(client: Client, csm: User) -> None:
    unhappy(csm, 3)
    first = Notification.objects.last()
    assert first is not None
    client.get(reverse("console:notification", args=[first.pk]))

    answer = client.post(reverse("console:notifications_read"), headers={"HX-Request": "true"})
    assert not Notification.objects.filter(read_at=None).exists()
    assert "2 marked as read" in answer.content.decode()
    undo = answer.content.decode().split('hx-post="')[1].split('"')[0].replace("&amp;", "&")
    client.post(undo, headers={"HX-Request": "true"})
    assert Notification.objects.filter(read_at=None).count() == 2


def test_choice_is_kept_and_shown(client: Client, csm: User) -> None:
    url = reverse("console:notification_preferences")
    form = client.get(url).context["form"]
    sent = {name: form[name].value() for name in form.fields} | {"survey_detractor": "off"}

    assert client.post(url, sent).status_code == 302
    assert Preference.objects.get(user=csm, kind="survey.detractor").channel == "off"
    assert client.get(url).context["form"]["survey_detractor"].value() == "off"
    assert client.post(url, sent | {"survey_detractor": "pigeon"}).status_code == 422


def test_list_asks_as_often_whatever_its_length(client: Client, csm: User, django_assert_max_num_queries) -> None:
    unhappy(csm, 30)

    with django_assert_max_num_queries(8):
        shown = client.get(LIST)
    assert shown.content.decode().count("notification-unread") == 30
