"""Sign-in to the REST API by key: ``Authorization: Bearer csk_…``."""

from datetime import timedelta

from django.db.models import Q
from django.utils.translation import gettext as _
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from rest_framework.authentication import BaseAuthentication, get_authorization_header
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.permissions import SAFE_METHODS
from rest_framework.request import Request

from accounts.models import ApiKey, User
from accounts.services.keys import digest_of
from common import clock

NOTE_USE_EVERY = timedelta(minutes=1)


class ApiKeyAuthentication(BaseAuthentication):
    """The user that the key acts as. A wrong, revoked or too narrow key is refused, never ignored."""

    def authenticate(self, request: Request) -> tuple[User, ApiKey] | None:
        parts = get_authorization_header(request).split()
        if not parts or parts[0].lower() != b"bearer":
            return None
        key = (
            ApiKey.objects.select_related("user")
            .filter(digest=digest_of(parts[1].decode("latin-1") if len(parts) == 2 else ""), revoked_at=None)
            .filter(user__is_active=True)
            .first()
        )
        if key is None:
            raise AuthenticationFailed(_("This API key is not valid; make one with manage.py create_api_key."))
        if ("read" if request.method in SAFE_METHODS else "write") not in key.scopes:
            raise AuthenticationFailed(_("This API key lacks the scope for that."))
        now = clock.now()
        ApiKey.objects.filter(Q(last_used_at=None) | Q(last_used_at__lt=now - NOTE_USE_EVERY), pk=key.pk).update(
            last_used_at=now
        )
        return key.user, key

    def authenticate_header(self, request: Request) -> str:
        return 'Bearer realm="api"'


class ApiKeyScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]  # the base is untyped
    target_class = "accounts.authentication.ApiKeyAuthentication"
    name = "apiKey"

    def get_security_definition(self, auto_schema: object) -> dict[str, str]:
        return {"type": "http", "scheme": "bearer", "description": "A key of manage.py create_api_key."}
