"""What every endpoint of the REST API shares: errors, pages by cursor, filters that refuse what they do not know."""

from __future__ import annotations

import json
from typing import Any, ClassVar

from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404
from django.utils.translation import gettext as _
from drf_spectacular.utils import OpenApiParameter
from rest_framework import exceptions
from rest_framework.pagination import CursorPagination
from rest_framework.permissions import SAFE_METHODS, BasePermission
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from common.busy import RETRY_AFTER_SECONDS, UNANSWERED, try_later
from common.errors import DomainError
from common.text import storable

CONDITION_LIMIT = 20_000


def handle_exception(error: Exception, context: dict[str, Any]) -> Response | None:
    """Answer every error with ``{"code", "message", "fields"}``; None lets an unexpected one become a 500."""
    match error:
        case DomainError():
            return _answer(error.status, error.code, error.message, dict(error.fields))
        case Http404():
            return _answer(404, "not_found", _("There is nothing at this address, or not for this key."), {})
        case PermissionDenied():
            return _answer(403, "not_allowed", _("This key may not do that."), {})
        case exceptions.APIException():
            return _refused(error)
    if isinstance(error, UNANSWERED):
        answer = try_later(error)
        response = _answer(answer.status, answer.code, str(answer.message), {})
        response["Retry-After"] = str(RETRY_AFTER_SECONDS)
        return response
    return None


def _refused(error: exceptions.APIException) -> Response:
    if isinstance(error, exceptions.ValidationError):
        fields = dict(_flatten(error.detail))
        first = next(iter(fields.items()), ("", _("The request is not valid.")))
        message = f"{first[0]}: {first[1]}" if first[0] else first[1]
        return _answer(400, "invalid", message, fields)
    response = _answer(error.status_code, error.default_code, str(error.detail), {})
    if header := getattr(error, "auth_header", None):
        response["WWW-Authenticate"] = header
    if wait := getattr(error, "wait", None):
        response["Retry-After"] = str(int(wait) + 1)
    return response


def _answer(status: int, code: str, message: str, fields: dict[str, str]) -> Response:
    return Response({"code": code, "message": message, "fields": fields}, status=status)


def _flatten(detail: Any, path: str = "") -> list[tuple[str, str]]:
    match detail:
        case dict():
            return [
                pair
                for key, inner in detail.items()
                for pair in _flatten(
                    inner, path if key == "non_field_errors" else f"{path}.{key}" if path else str(key)
                )
            ]
        case list():
            if all(isinstance(inner, str) for inner in detail):
                return [(path, " ".join(map(str, detail)))]
            return [pair for n, inner in enumerate(detail) for pair in _flatten(inner, f"{path}[{n}]")]
        case _:
            return [(path, str(detail))]


class Page(CursorPagination):
    """Pages by cursor: stable while rows come and go, and as quick at the end as at the beginning."""

    page_size = 100
    max_page_size = 1000
    page_size_query_param = "limit"
    ordering = "id"

    def get_page_size(self, request: Request) -> int:
        raw = request.query_params.get("limit")
        if raw is None:
            return self.page_size
        if not raw.isascii() or not raw.isdigit() or not 1 <= int(raw[:10]) <= self.max_page_size:
            raise DomainError(
                _("“limit” is a whole number from 1 to %(most)s.") % {"most": self.max_page_size},
                fields={"limit": _("Give a whole number from 1 to %(most)s.") % {"most": self.max_page_size}},
            )
        return int(raw)


CONDITION = OpenApiParameter(
    "condition",
    str,
    description="A condition as JSON, such as "
    '`{"attribute": "mrr", "operator": "gte", "value": 1000}`: only rows of accounts for which it holds.',
)
ACCOUNT = OpenApiParameter("account", int, description="Only rows of the account with this id.")


class KnownParameters:
    """A view that refuses a query parameter that it does not know, rather than answering as if it were not there."""

    parameters: ClassVar[frozenset[str]] = frozenset()

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)  # type: ignore[misc]  # mixed into an APIView
        if not all(storable(str(given)) for given in kwargs.values()):
            raise Http404
        known = self.parameters | {"cursor", "limit", "format"}
        for name, given in request.query_params.items():
            if name not in known:
                raise DomainError(
                    _("There is no parameter “%(name)s” here; use: %(known)s.")
                    % {"name": name[:40], "known": ", ".join(sorted(known))},
                    code="unknown_parameter",
                    fields={name[:40]: _("Not known here.")},
                )
            if not storable(str(given)):
                raise DomainError(
                    _("“%(name)s” has a character that cannot be stored.") % {"name": name},
                    fields={name: _("Remove the NUL character or lone surrogate.")},
                )


def whole_number(request: Request, name: str) -> int | None:
    """The query parameter as a whole number that an id can have, or None when it is not given; raises DomainError."""
    raw = request.query_params.get(name)
    if raw is None:
        return None
    if not raw.isascii() or not raw.isdigit() or len(raw) > 18:
        raise DomainError(_("“%(name)s” is a whole number.") % {"name": name}, fields={name: _("Give a whole number.")})
    return int(raw)


def yes_or_no(request: Request, name: str) -> bool:
    """The query parameter as ``true`` or ``false``, which it is when it is not given; raises DomainError."""
    raw = request.query_params.get(name, "false")
    if raw not in ("true", "false"):
        words = _("Give “true” or “false”.")
        raise DomainError(_("“%(name)s” is “true” or “false”.") % {"name": name}, fields={name: words})
    return raw == "true"


def condition_of(request: Request) -> Any:
    """The query parameter ``condition`` read as JSON, or None when it is not given; raises DomainError."""
    raw = request.query_params.get("condition")
    if raw is None:
        return None
    problem = _("Give a condition as JSON of at most %(most)s characters.") % {"most": CONDITION_LIMIT}
    if len(raw) <= CONDITION_LIMIT:
        try:
            return json.loads(raw)
        except (ValueError, RecursionError):
            pass
    raise DomainError(problem, code="condition_not_json", fields={"condition": problem})


class CanEdit(BasePermission):
    """Everybody signed in reads; viewers write nothing."""

    def has_permission(self, request: Request, view: APIView) -> bool:
        user: Any = request.user
        return bool(user and user.is_authenticated and (request.method in SAFE_METHODS or user.can_edit))


class AdminWrites(BasePermission):
    """Everybody signed in reads; only admins write."""

    def has_permission(self, request: Request, view: APIView) -> bool:
        user: Any = request.user
        return bool(user and user.is_authenticated and (request.method in SAFE_METHODS or user.is_admin))


class AdminOnly(BasePermission):
    """Only admins read and write, since what is told is about accounts that others may not see."""

    def has_permission(self, request: Request, view: APIView) -> bool:
        user: Any = request.user
        return bool(user and user.is_authenticated and user.is_admin)


def of_account(rows: QuerySet[Any], request: Request, field: str = "account_id") -> QuerySet[Any]:
    """The rows of the account that the parameter ``account`` names, or all rows when it is not given."""
    account = whole_number(request, "account")
    return rows if account is None else rows.filter(**{field: account})
