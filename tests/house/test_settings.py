"""What the settings promise, seen from outside."""

import os
from io import StringIO

import pytest
from django.core.management import call_command
from django.test import Client
from django.urls import reverse

from launcher.cli import PRODUCTION_SAMPLE
from tests.house.processes import run_python


def test_deployment_check_is_silent_when_settings_are_production() -> None:
    env = {name: value for name, value in os.environ.items() if name != "DJANGO_ALLOW_ASYNC_UNSAFE"}
    checked = run_python("manage.py", "check", "--deploy", "--fail-level=WARNING", env={**env, **PRODUCTION_SAMPLE})

    assert checked.returncode == 0, checked.stderr
    assert checked.stderr == ""
    assert "no issues" in checked.stdout


@pytest.mark.django_db
def test_nothing_is_left_to_migrate_when_models_are_compared() -> None:
    said = StringIO()

    call_command("makemigrations", check=True, dry_run=True, stdout=said)

    assert said.getvalue().strip() == "No changes detected"


@pytest.mark.django_db
def test_sign_in_page_is_strict_and_uncached_when_asked_for(client: Client) -> None:
    answer = client.get(reverse("account_login"))

    assert answer.status_code == 200
    policy = answer["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert "no-store" in answer["Cache-Control"]
    assert "camera=()" in answer["Permissions-Policy"]


@pytest.mark.django_db
def test_nobody_signs_up_when_they_find_the_address(client: Client) -> None:
    before = client.get(reverse("account_signup"))
    client.post(reverse("account_signup"), {"email": "a@stranger.example", "password1": "dkj2-sdf8-QQ"})

    assert b"password1" not in before.content
    assert not client.session.get("_auth_user_id")


def test_cookies_belong_to_the_host_when_settings_are_production() -> None:
    script = (
        "from django.conf import settings as s;"
        "print(s.SESSION_COOKIE_NAME, s.CSRF_COOKIE_NAME, s.SESSION_COOKIE_SECURE, s.CSRF_COOKIE_SECURE)"
    )
    said = run_python("-c", script, env={**os.environ, **PRODUCTION_SAMPLE})

    assert said.stdout.split() == ["__Host-session", "__Host-csrf", "True", "True"]
