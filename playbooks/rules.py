"""Rules of assignment: who should have an account or a task, said in a word or an address."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.conditions import ConditionError, parse
from accounts.models import AccountTeamMember, User
from common.errors import DomainError
from common.text import normal_email

OWNER = "owner"
LEAST_LOADED = "least_loaded"
ROUND_ROBIN = "round_robin"
SENIOR = "senior"
SPREADING = {
    LEAST_LOADED: gettext_lazy("Whoever has the most hours left"),
    ROUND_ROBIN: gettext_lazy("In turn"),
}
ROLES = dict(AccountTeamMember.Role.choices)
TASK_RULES: dict[str, str | Promise] = {OWNER: gettext_lazy("The account's CSM"), **SPREADING, **ROLES}
ACCOUNT_RULES: dict[str, str | Promise] = {
    **SPREADING,
    SENIOR: gettext_lazy("A senior, if the account is difficult"),
    **ROLES,
}
DIFFICULT: dict[str, Any] = {"attribute": "health.band", "operator": "in", "value": ["poor"]}
"""What makes an account difficult when a rule does not say: its health is poor."""


class RuleError(DomainError):
    """A rule that cannot be followed; ``fields`` names the part of it that is wrong."""

    code = "rule_invalid"


@dataclass(frozen=True, slots=True)
class Rule:
    """Who should have it.

    ``to`` is ``owner``, a role in the account's team, ``least_loaded``, ``round_robin``, ``senior``, or somebody's
    address. Those that look for somebody look ``among`` the people with these addresses, all CSMs when there are none.
    ``senior`` chooses of the seniors, by hours left, for an account for which ``difficult`` holds; the others go
    where ``otherwise``, ``least_loaded`` or ``round_robin``, says.
    """

    to: str
    among: tuple[str, ...] = ()
    difficult: Mapping[str, Any] | None = None
    otherwise: str = LEAST_LOADED

    @property
    def is_named(self) -> bool:
        return "@" in self.to

    @property
    def looks_for_somebody(self) -> bool:
        return self.to in SPREADING or self.to == SENIOR

    def check(self, known: Mapping[str, Any]) -> Rule:
        """The rule itself, when it is one of ``known`` and what it names exists; raises RuleError."""
        if not self.is_named and self.to not in known:
            words = {"given": self.to[:40], "known": ", ".join(known)}
            raise _wrong("to", _("“%(given)s” is not a rule; use one of: %(known)s, or an address.") % words)
        if self.otherwise not in SPREADING:
            raise _wrong("otherwise", _("Use one of: %(known)s.") % {"known": ", ".join(SPREADING)})
        _check_people("to", [self.to] if self.is_named else [])
        _check_people("among", self.among)
        if self.difficult is not None:
            try:
                parse(self.difficult)
            except ConditionError as error:
                raise _wrong("difficult", error.message) from error
        return self


def people(addresses: Sequence[str]) -> list[User]:
    """The colleagues with these addresses who may be given work."""
    return list(User.objects.working().filter(email__in=[normal_email(address) for address in addresses]))


def _check_people(field: str, addresses: Sequence[str]) -> None:
    found = {person.email for person in people(addresses)}
    for address in addresses:
        if normal_email(address) not in found:
            raise _wrong(
                field,
                _("Nobody who works on accounts here has the address “%(address)s”.") % {"address": address[:100]},
            )


def _wrong(field: str, message: str) -> RuleError:
    return RuleError(message, fields={field: message})
