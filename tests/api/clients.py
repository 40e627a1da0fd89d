"""Clients of the REST API for tests."""

import json
from typing import Any

from django.test import Client

from accounts.models import User
from accounts.services.keys import create_api_key


def api(user: User, *scopes: str) -> Client:
    """A client with a key that acts as ``user``."""
    _record, key = create_api_key(name="test", user=user, scopes=scopes or ("read", "write"))
    return Client(headers={"authorization": f"Bearer {key}"})


def send(client: Client, path: str, body: Any, method: str = "post") -> Any:
    """The answer to a JSON body."""
    raw = body if isinstance(body, str | bytes) else json.dumps(body)
    return getattr(client, method)(path, raw, content_type="application/json")
