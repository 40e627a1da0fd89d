"""A product that sends tracking calls."""

import base64
import json
from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest
from django.http import HttpResponse
from django.test import Client

from usage.services import create_write_key

Post = Callable[..., HttpResponse]


@pytest.fixture
def write_key(db: None) -> str:
    return create_write_key(name="app")[1]


@pytest.fixture
def post(client: Client, write_key: str) -> Post:
    """Send a body to an address of the tracking API with a good key, unless told otherwise."""

    def send(body: Any, path: str = "batch", key: str | None = None, **headers: str) -> Any:
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        basic = base64.b64encode(f"{write_key if key is None else key}:".encode()).decode()
        sent = {"Authorization": f"Basic {basic}"} | {name.replace("_", "-"): text for name, text in headers.items()}
        # Unlike post(), generic() sends the bytes as they are, whatever charset they are said to have.
        return client.generic(
            "POST", f"/v1/{path}", data, headers.pop("content_type", "application/json"), headers=sent
        )

    return send


def call(kind: str = "track", **fields: Any) -> dict[str, Any]:
    """One call as an SDK makes it, with an id of its own."""
    event = {"event": "Message sent"} if kind == "track" else {}
    return {"type": kind, "messageId": str(uuid4()), "userId": "u1", **event, **fields}
