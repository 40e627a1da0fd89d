"""What tests of the staff pages share: somebody signed in, the words of a page, and how many statements it takes."""

from __future__ import annotations

import re
from typing import Any

from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts.models import User, Workspace
from tests.factories import UserFactory

HTMX = {"HX-Request": "true"}


def client_of(user: User) -> Client:
    """A client in which the user is signed in."""
    client = Client()
    client.force_login(user)
    return client


def words_of(client: Client, path: str, **extra: Any) -> str:
    """What a person reads in the main part of a page."""
    response = client.get(path, **extra)
    assert response.status_code == 200, path
    page = response.content.decode()
    main = page.partition("<main")[2].partition("</main>")[0] or page
    return " ".join(re.sub(r"<[^>]+>", " ", main).replace("\xa0", " ").replace("&nbsp;", " ").split())


def queries_of(client: Client, path: str) -> int:
    """How many statements a page takes."""
    with CaptureQueriesContext(connection) as queries:
        assert client.get(path).status_code == 200, path
    return len(queries)


def only_own_book() -> User:
    """Switch the own-book rule on; returns a CSM with an empty book."""
    Workspace.objects.filter(pk=Workspace.current().pk).update(csms_see_only_their_book=True)
    made: User = UserFactory()
    return made
