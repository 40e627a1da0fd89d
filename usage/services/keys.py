"""Write keys: what a product signs its tracking calls with."""

from __future__ import annotations

import secrets

from accounts.services.keys import digest_of
from usage.models import WriteKey


def create_write_key(*, name: str) -> tuple[WriteKey, str]:
    """Make a write key; returns its record and the key itself, which is shown this once."""
    key = f"csw_{secrets.token_urlsafe(32)}"
    return WriteKey.objects.create(name=name, prefix=key[:12], digest=digest_of(key)), key
