"""Secrets of others that must be read again (a webhook's key) are kept encrypted, with a key of their own."""

from base64 import urlsafe_b64encode

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings
from django.utils.translation import gettext as _

from common.errors import DomainError


class CannotUnseal(DomainError):
    """A secret was encrypted with a key that is not there any more."""

    code = "cannot_unseal"
    status = 409


def seal(text: str) -> str:
    """``text`` encrypted with the deployment's key for secrets."""
    return _box().encrypt(text.encode()).decode()


def unseal(sealed: str) -> str:
    """What was sealed, with the key or one of its fallbacks; raises CannotUnseal when it was with none of them."""
    try:
        return _box().decrypt(sealed.encode()).decode()
    except InvalidToken as error:
        raise _cannot() from error


def reseal(sealed: str) -> str:
    """The same secret, encrypted with the key alone; raises CannotUnseal as ``unseal`` does."""
    try:
        return _box().rotate(sealed.encode()).decode()
    except InvalidToken as error:
        raise _cannot() from error


def _cannot() -> CannotUnseal:
    return CannotUnseal(
        _("A secret was encrypted with another key: put it into SECRETS_KEY_FALLBACKS, or enter the secret anew.")
    )


def _box() -> MultiFernet:
    return MultiFernet([Fernet(_key(text)) for text in (settings.SECRETS_KEY, *settings.SECRETS_KEY_FALLBACKS)])


def _key(text: str) -> bytes:
    derived = HKDF(algorithm=SHA256(), length=32, salt=None, info=b"cs_platform.secrets").derive(text.encode())
    return urlsafe_b64encode(derived)
