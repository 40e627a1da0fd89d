"""JSON bodies as strangers send them: read fast when plain, and slowly when something about them is odd."""

from __future__ import annotations

import json
import math
from typing import Any, NoReturn

import msgspec

from common.errors import DomainError

LONGEST_INTEGER = 40

_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder().decode


class BadRequest(DomainError):
    """The request as a whole cannot be read, so nothing of it was taken."""


def read_json(body: bytes) -> Any:
    """The JSON value in ``body``; raises BadRequest when there is none.

    A key that stands twice in an object is refused: whichever of the two counted, the other would be lost.
    Halves of surrogate pairs come through, since they are the fault of one text and not of the whole.
    """
    if not body.strip():
        raise BadRequest("The body is empty: send a JSON object.", code="empty_body")
    try:
        document = _decode(body)
        # As many colons come out as went in, unless a key stood twice or one was written as an escape.
        if _encode(document).count(b":") == body.count(b":"):
            return document
        return _strictly(body.decode())
    except UnicodeDecodeError as error:
        raise BadRequest("The body is not valid UTF-8.", code="malformed_json") from error
    except (msgspec.DecodeError, RecursionError):
        return _strictly(body.decode(errors="replace"))


def _strictly(text: str) -> Any:
    try:
        return json.loads(
            text, object_pairs_hook=_unique, parse_constant=_no_constant, parse_float=_finite, parse_int=_bounded
        )
    except json.JSONDecodeError as error:
        raise BadRequest(f"The body is not valid JSON: {error}.", code="malformed_json") from error
    except RecursionError as error:
        raise BadRequest("The body is nested too deeply.", code="too_deep") from error


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        keys = [key for key, _value in pairs]
        twice = next(key for key in found if keys.count(key) > 1)
        raise BadRequest(f"The key {json.dumps(twice[:50])} stands twice in one object.", code="duplicate_key")
    return found


def _no_constant(name: str) -> NoReturn:
    raise BadRequest(f"{name} is not JSON: leave the value out or send null.", code="malformed_json")


def _finite(digits: str) -> float:
    number = float(digits)
    if math.isinf(number):
        raise BadRequest("A number is too large.", code="number_out_of_range")
    return number


def _bounded(digits: str) -> int:
    if len(digits) > LONGEST_INTEGER:
        raise BadRequest("A number is too large.", code="number_out_of_range")
    return int(digits)
