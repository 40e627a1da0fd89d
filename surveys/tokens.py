"""The secret in an invitation's links: whoever has it answers for the contact, without signing in.

It is derived from what the invitation is about with the deployment's own key, so that a reminder can carry the
same link without the token being kept anywhere; the database holds its hash.
"""

from base64 import urlsafe_b64encode
from hashlib import sha256

from django.conf import settings
from django.urls import reverse
from django.utils.crypto import salted_hmac

BYTES = 24


def token_for(*, survey_id: int, contact_id: int, occasion: str) -> str:
    """The token of the one invitation of a contact to a survey on an occasion."""
    mac = salted_hmac("surveys.invitation", f"{survey_id}:{contact_id}:{occasion}", algorithm="sha256")
    return urlsafe_b64encode(mac.digest()[:BYTES]).decode()


def digest_of(token: str) -> str:
    """The hash under which a token is kept. Tokens are 192 bits of a keyed hash, so SHA-256 cannot be searched."""
    return sha256(token.encode(errors="surrogatepass")).hexdigest()


def link(name: str, token: str) -> str:
    """The full address of the survey page called ``name`` (see ``surveys/urls.py``)."""
    return f"{settings.BASE_URL}{reverse(f'surveys:{name}', args=[token])}"
