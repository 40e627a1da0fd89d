from __future__ import annotations

import hashlib
import secrets
from collections.abc import Sequence

from accounts.models import ApiKey, User
from common.errors import DomainError

SCOPES = ("read", "write")


def digest_of(key: str) -> str:
    """The hash under which a key is kept. Keys are 256 random bits, so a plain SHA-256 cannot be searched through."""
    return hashlib.sha256(key.encode()).hexdigest()


def create_api_key(*, name: str, user: User, scopes: Sequence[str]) -> tuple[ApiKey, str]:
    """Make a key that acts as ``user``; returns its record and the key itself, which is shown this once.

    Raises DomainError for a scope that does not exist.
    """
    if not scopes or (unknown := set(scopes) - set(SCOPES)):
        raise DomainError(
            f"Unknown scope {', '.join(sorted(unknown)) if scopes else '(none)'}; use {' or '.join(SCOPES)}.",
            code="unknown_scope",
            fields={"scopes": f"Use {' or '.join(SCOPES)}."},
        )
    key = f"csk_{secrets.token_urlsafe(32)}"
    record = ApiKey.objects.create(name=name, user=user, prefix=key[:12], digest=digest_of(key), scopes=list(scopes))
    return record, key
