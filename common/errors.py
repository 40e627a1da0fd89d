"""Errors that a person can act on. The web and the API each render them in one place."""

from collections.abc import Mapping


class DomainError(Exception):
    """A request that cannot be carried out, with a stable code and a sentence that says what to do.

    ``fields`` maps the path of each offending input to its own sentence.
    """

    code = "invalid"
    status = 400

    def __init__(self, message: str, *, code: str | None = None, fields: Mapping[str, str] | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.code = code or self.code
        self.fields = dict(fields or {})


class NotFound(DomainError):
    """What was asked for does not exist, or not for the person who asked."""

    code = "not_found"
    status = 404


class NotAllowed(DomainError):
    """The person who asked may not do this."""

    code = "not_allowed"
    status = 403


class Conflict(DomainError):
    """Somebody else changed the thing first, or it is no longer in a state that allows this."""

    code = "conflict"
    status = 409
