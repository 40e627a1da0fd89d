"""The caller's notifications over the REST API."""

import pytest

from accounts.models import User
from tests.api.clients import api, send
from tests.console.test_notifications import unhappy
from tests.factories import UserFactory

pytestmark = pytest.mark.django_db

URL = "/api/v1/notifications/"


def test_own_are_listed_and_read() -> None:
    user = UserFactory(role=User.Role.CSM)
    unhappy(user, 2)
    unhappy(UserFactory(role=User.Role.CSM))
    client = api(user)

    listed = client.get(URL).json()["results"]
    assert len(listed) == 2
    assert "answered a survey with 2." in listed[0]["words"]
    assert send(client, f"{URL}read/", {"ids": [one["id"] for one in listed]}).json() == {"count": 2}
    assert all(one["read_at"] for one in client.get(URL).json()["results"])


def test_choice_is_read_and_kept() -> None:
    client = api(UserFactory(role=User.Role.CSM))

    assert client.get(f"{URL}preferences/").json()["channels"]["survey.detractor"] == "at_once"
    changed = send(client, f"{URL}preferences/", {"channels": {"survey.detractor": "app"}}, method="put")
    assert changed.json()["channels"]["survey.detractor"] == "app"
    refused = send(client, f"{URL}preferences/", {"channels": {"weather": "app"}}, method="put")
    assert refused.status_code == 400
    assert "weather" in refused.content.decode()
