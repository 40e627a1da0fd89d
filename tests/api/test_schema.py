"""The OpenAPI document: complete, valid, and readable in a browser."""

import json
from pathlib import Path

import pytest
from django.core.management import call_command
from django.test import Client

from cs_platform.api import router

pytestmark = pytest.mark.django_db


def test_document_is_valid_and_names_every_resource(tmp_path: Path) -> None:
    written = tmp_path / "schema.json"

    call_command("spectacular", validate=True, fail_on_warn=True, format="openapi-json", file=str(written))

    document = json.loads(written.read_text())
    for prefix, _view, _name in router.registry:
        assert f"/api/v1/{prefix}/" in document["paths"]
    assert document["components"]["securitySchemes"]["apiKey"]["scheme"] == "bearer"


def test_document_and_its_readable_form_are_served(client: Client) -> None:
    assert client.get("/api/schema/", headers={"accept": "application/json"}).status_code == 200
    page = client.get("/api/docs/")
    assert page.status_code == 200
    assert b"swagger" in page.content
