"""The secret in the link with which a contact says that they want no more mail, without signing in."""

from __future__ import annotations

from django.conf import settings
from django.core.signing import BadSignature, Signer
from django.urls import reverse

from accounts.models import Contact

_signer = Signer(salt="accounts.unsubscribe", sep="~")


def token_of(contact: Contact) -> str:
    """The token of the contact; it holds as long as the deployment's key does."""
    return _signer.sign(str(contact.pk))


def contact_of(token: str) -> Contact | None:
    """The contact whose token it is; None for a forged one and for a contact that is gone."""
    try:
        pk = int(_signer.unsign(token))
    except (BadSignature, ValueError):
        return None
    return Contact.objects.filter(pk=pk).select_related("account").first()


def unsubscribe_link(contact: Contact) -> str:
    """The full address of the page on which the contact unsubscribes."""
    return f"{settings.BASE_URL}{reverse('contacts:unsubscribe', args=[token_of(contact)])}"
