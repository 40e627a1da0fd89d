"""What definitions name by key: stages, surveys, people. One declaration offers, checks and names them."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import QuerySet
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.models import User
from common.text import normal_email, storable
from playbooks.definition.fields import REQUIRED, Problem

MOST_NAMED = 20


@dataclass(frozen=True, slots=True)
class Source:
    """Rows that may be named. ``missing`` says that there is none with ``%(key)s`` and may tell ``%(known)s`` ones.

    ``key`` and ``name`` are fields of the rows; ``page`` is the page of the console that shows one, by the name of its
    URL, which takes the key. ``normal`` is the one way to write a key.
    """

    rows: Callable[[], QuerySet[Any]]
    missing: str | Promise
    key: str = "key"
    name: str = "name"
    page: str = ""
    normal: Callable[[str], str] = str

    def offers(self) -> list[tuple[str, str]]:
        """All that may be named: keys with their names."""
        return list(self.rows().order_by(self.name).values_list(self.key, self.name))

    def names(self, keys: Collection[str]) -> dict[str, str]:
        """The names of those of ``keys`` that are there, in one query."""
        return dict(self.rows().filter(**{f"{self.key}__in": keys}).values_list(self.key, self.name))

    def check(self, field: str, key: str) -> None:
        """Raise Problem when nothing has this key."""
        if not self.rows().filter(**{self.key: key}).exists():
            known = ", ".join(self.rows().order_by(self.name).values_list(self.key, flat=True)[:MOST_NAMED])
            raise Problem(field, str(self.missing) % {"key": key, "known": known or "–"})


PEOPLE = Source(
    User.objects.working,
    gettext_lazy("Nobody who works here has the address “%(key)s”; use a colleague's address."),
    key="email",
    normal=normal_email,
)


@dataclass(frozen=True, slots=True)
class Reference:
    """The key of a row of ``source``, or one of the words in ``also``, which mean something else."""

    name: str
    label: str | Promise
    source: Source
    default: Any = REQUIRED
    also: Sequence[tuple[str, str | Promise]] = ()
    help: str | Promise = ""
    most: int = 254

    def read(self, given: Any) -> str:
        if not isinstance(given, str) or not 0 < len(given.strip()) <= self.most or not storable(given):
            raise Problem(self.name, _("Give a text of 1 to %(most)s characters.") % {"most": self.most})
        return given if given in dict(self.also) else self.source.normal(given)

    def is_key(self, said: str) -> bool:
        """Whether what was said names a row."""
        return bool(said) and said not in dict(self.also)

    def check(self, said: str) -> None:
        """Raise Problem when a key was said that nothing has."""
        if self.is_key(said):
            self.source.check(self.name, said)

    def offers(self) -> list[tuple[str, str]]:
        """All that may be said: keys with their names."""
        return [*((key, str(name)) for key, name in self.also), *self.source.offers()]
