import pytest
from django.test import Client

from accounts.models import SettingChange, User, Workspace
from outbox.models import Message
from surveys.models import Invitation, Survey
from tests.api.clients import api, send
from tests.factories import AccountFactory, ContactFactory, UserFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def admin() -> Client:
    return api(UserFactory(role=User.Role.ADMIN))


def test_contact_is_asked_once_an_occasion(admin: Client) -> None:
    survey = send(admin, "/api/v1/surveys/", {"key": "nps", "name": "NPS", "kind": "nps"})
    assert survey.status_code == 201, survey.content
    contact = ContactFactory()
    path = f"/api/v1/surveys/{survey.json()['id']}/invite/"

    first = send(admin, path, {"contact": contact.pk, "occasion": "2026-Q1"})
    second = send(admin, path, {"contact": contact.pk, "occasion": "2026-Q1"})

    assert first.status_code == 201, first.content
    assert first.json()["id"] == second.json()["id"]
    assert Message.objects.count() == 1
    assert admin.get("/api/v1/responses/").json()["results"] == []


def test_another_csms_contact_is_not_asked_when_csms_see_only_their_book() -> None:
    Workspace.objects.update_or_create(id=1, defaults={"csms_see_only_their_book": True})
    survey = Survey.objects.create(key="nps", name="NPS", kind="nps")
    contact = ContactFactory(account=AccountFactory(owner=UserFactory()))

    refused = send(api(UserFactory()), f"/api/v1/surveys/{survey.pk}/invite/", {"contact": contact.pk, "occasion": "x"})

    assert refused.status_code == 400
    assert Invitation.objects.count() == 0


@pytest.mark.parametrize("texts", [[], {"xx": {}}, {"en": "hello"}, {"en": {"subject": 3}}, {"en": {"s": "\u0000"}}])
def test_wording_is_refused_when_it_is_not_texts_by_language(admin: Client, texts: object) -> None:
    refused = send(admin, "/api/v1/surveys/", {"key": "nps", "name": "NPS", "kind": "nps", "texts": texts})

    assert refused.status_code == 400
    assert "texts" in refused.json()["fields"]


@pytest.mark.parametrize("wanted", [{"remind_after_days": 0}, {"remind_after_days": 30}, {"expires_after_days": 7}])
def test_reminder_is_refused_when_it_could_not_come_in_time(admin: Client, wanted: dict[str, int]) -> None:
    survey = Survey.objects.create(key="nps", name="NPS", kind="nps", remind_after_days=7)
    path = f"/api/v1/surveys/{survey.pk}/"

    refused = send(admin, path, wanted, method="patch")

    assert refused.status_code == 400
    assert "remind_after_days" in refused.json()["fields"]
    assert send(admin, path, {"remind_after_days": 29}, method="patch").json()["remind_after_days"] == 29
    assert SettingChange.objects.values_list("before", "after", "by__role").get() == (7, 29, User.Role.ADMIN)
