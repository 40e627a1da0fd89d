"""The tracking API: POST of one call or of a batch, by the SDKs that people already have.

Plain views on typed structs: a serializer for each call would cost three quarters of the throughput.
"""

from __future__ import annotations

import base64
import binascii
import zlib
from collections.abc import Callable
from functools import wraps
from typing import Any

import msgspec
from django.http import HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt

from common import clock
from common.busy import RETRY_AFTER_SECONDS, UNANSWERED, try_later
from common.errors import DomainError
from usage.services.ingest import Outcome, ingest_batch, write_key_of
from usage.services.parse import MAX_BODY, Refusal, parse
from usage.services.strict_json import BadRequest

DRAINED = 4 * 1024 * 1024
"""An oversized body is read up to here before the answer: a client that is still sending would not hear it."""

View = Callable[[HttpRequest, str | None], HttpResponse]


class TooLarge(BadRequest):
    """The body is larger than a request may be."""

    code = "body_too_large"
    status = 413


def tracking(view: View) -> View:
    """Answer in JSON whatever happens, for any origin: a write key is all that counts here, and no cookie is read."""

    @csrf_exempt
    @wraps(view)
    def answer(request: HttpRequest, kind: str | None = None) -> HttpResponse:
        if request.method == "OPTIONS":
            response = HttpResponse(status=200)
            response["Access-Control-Allow-Methods"] = "POST, OPTIONS"
            response["Access-Control-Allow-Headers"] = "Authorization, Content-Type, Content-Encoding"
            response["Access-Control-Max-Age"] = "86400"
        elif request.method != "POST":
            response = _error(405, "method_not_allowed", "Send a POST request.")
            response["Allow"] = "POST, OPTIONS"
        else:
            response = _answered(view, request, kind)
        response["Access-Control-Allow-Origin"] = "*"
        return response

    return answer


def _answered(view: View, request: HttpRequest, kind: str | None) -> HttpResponse:
    try:
        return view(request, kind)
    except DomainError as error:
        response = _error(error.status, error.code, error.message)
        if error.status == 401:
            response["WWW-Authenticate"] = 'Basic realm="write key"'
        return response
    except UNANSWERED as error:
        answer = try_later(error)
        response = _error(answer.status, answer.code, str(answer.message))
        response["Retry-After"] = str(RETRY_AFTER_SECONDS)
        return response


@tracking
def track(request: HttpRequest, kind: str | None) -> HttpResponse:
    """Take a call of `kind`, or a batch of any kinds when that is None.

    With `?errors=1` the answer lists the refused calls, each with its place in the batch and the reason.
    """
    key = _key_in_header(request)
    try:
        payload = parse(_body(request), kind=kind)
    except BadRequest:
        if key:
            write_key_of(key)  # a stranger learns only that the key is wrong
        raise
    outcome = ingest_batch(key=key or payload.write_key, payload=payload, received_at=clock.now())
    if outcome.refused and not outcome.accepted and not outcome.duplicates:
        first = outcome.refused[0]
        return _error(400, first.code, first.message, errors=_listed(outcome))
    answer: dict[str, Any] = {
        "success": True,
        "accepted": outcome.accepted,
        "duplicates": outcome.duplicates,
        "rejected": len(outcome.refused),
    }
    if request.GET.get("errors"):
        answer["errors"] = _listed(outcome)
    return _json(200, answer)


def _listed(outcome: Outcome) -> list[dict[str, Any]]:
    def listed(refusal: Refusal) -> dict[str, Any]:
        return {
            "index": refusal.index,
            "messageId": refusal.message_id or None,
            "code": refusal.code,
            "message": refusal.message,
        }

    return [listed(refusal) for refusal in outcome.refused]


def _error(status: int, code: str, message: str, **more: Any) -> HttpResponse:
    return _json(status, {"success": False, "code": code, "message": message, **more})


def _json(status: int, content: dict[str, Any]) -> HttpResponse:
    return HttpResponse(msgspec.json.encode(content), status=status, content_type="application/json")


def _key_in_header(request: HttpRequest) -> str:
    """The write key as the user name of Basic authentication, or nothing."""
    scheme, _space, credentials = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "basic":
        return ""
    try:
        return base64.b64decode(credentials, validate=True).decode().partition(":")[0]
    except (binascii.Error, ValueError):
        return ""


def _body(request: HttpRequest) -> bytes:
    """The body, unpacked when it is compressed, whatever the request says that it is.

    Raises TooLarge when it is, or would unpack to, more than a request may hold.
    """
    body = _read(request)
    encoding = request.headers.get("Content-Encoding", "").strip().lower()
    if encoding not in {"", "identity", "gzip", "x-gzip"}:
        raise BadRequest("Compress the body with gzip, or not at all.", code="unsupported_encoding")
    if body.startswith(b"\x1f\x8b"):
        return _inflate(body)
    if encoding in {"gzip", "x-gzip"}:
        raise BadRequest("The body is not gzip, although the request says so.", code="malformed_gzip")
    return body


def _read(request: HttpRequest) -> bytes:
    # Django takes a request without a length for empty, and the server behind it unpacks chunked ones.
    chunked = "chunked" in request.headers.get("Transfer-Encoding", "").lower()
    stream = request.META["wsgi.input"] if chunked else request
    parts, size = [], 0
    try:
        while size <= MAX_BODY and (part := stream.read(MAX_BODY + 1 - size)):
            parts.append(part)
            size += len(part)
        if size <= MAX_BODY:
            return b"".join(parts)
        while size < DRAINED and (part := stream.read(65_536)):
            size += len(part)
    except OSError as error:
        raise BadRequest("The body did not come through whole.", code="incomplete_body") from error
    raise _too_large()


def _inflate(packed: bytes) -> bytes:
    unpacker = zlib.decompressobj(wbits=zlib.MAX_WBITS | 16)
    try:
        body = unpacker.decompress(packed, MAX_BODY + 1)
    except zlib.error as error:
        raise BadRequest("The body is not valid gzip.", code="malformed_gzip") from error
    if len(body) > MAX_BODY:
        raise _too_large()
    if not unpacker.eof or unpacker.unused_data:
        raise BadRequest("The body is not one whole gzip stream.", code="malformed_gzip")
    return body


def _too_large() -> TooLarge:
    return TooLarge(f"A request holds at most {MAX_BODY // 1024} KB, unpacked.")
