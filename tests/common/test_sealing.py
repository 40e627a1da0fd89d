import pytest
from pytest_django import Settings

from common.sealing import CannotUnseal, reseal, seal, unseal


def test_a_secret_is_read_again_when_it_was_sealed() -> None:
    sealed = seal("https://hooks.slack.example/T1/B1/é")

    assert "slack" not in sealed
    assert unseal(sealed) == "https://hooks.slack.example/T1/B1/é"


def test_a_secret_survives_when_its_key_is_changed_step_by_step(settings: Settings) -> None:
    old = settings.SECRETS_KEY
    sealed = seal("whsec_1")

    settings.SECRETS_KEY, settings.SECRETS_KEY_FALLBACKS = "another key altogether", [old]
    assert unseal(sealed) == "whsec_1"
    again = reseal(sealed)

    settings.SECRETS_KEY_FALLBACKS = []
    assert unseal(again) == "whsec_1"
    for lost in (unseal, reseal):
        with pytest.raises(CannotUnseal, match="SECRETS_KEY_FALLBACKS"):
            lost(sealed)
