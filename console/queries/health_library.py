"""The library of ready measures as cards: what each is, and how much this company's own accounts say about it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from accounts.attributes import Catalogue, Context
from health.library import LIBRARY, ReadyMade
from health.models import Measure, Version
from health.queries.distribution import known_counts
from usage.models import Feature


@dataclass(frozen=True, slots=True)
class Card:
    """One ready measure. ``known`` is for how many of the live accounts there is a value, None where a feature has to
    be chosen first; ``measure`` is one of the draft that is taken from the same attribute."""

    entry: ReadyMade
    source: str
    known: int | None
    accounts: int
    measure: Measure | None

    @property
    def share(self) -> float | None:
        return self.known / self.accounts if self.known is not None and self.accounts else None


def library_cards(draft: Version, *, now: datetime) -> list[tuple[str, list[Card]]]:
    """The cards by group; the values of all their attributes are counted in one statement."""
    catalogue = Catalogue()
    ready = {entry.key: catalogue[entry.attribute] for entry in LIBRARY if not entry.needs_feature}
    known, accounts = known_counts(ready.values(), context=Context.at(now))
    used = {measure.attribute: measure for measure in draft.measures.order_by("-label")}
    groups: dict[str, list[Card]] = {str(label): [] for _value, label in Measure.Group.choices}
    for entry in LIBRARY:
        attribute = ready.get(entry.key)
        groups[str(Measure.Group(entry.group).label)].append(
            Card(
                entry,
                str(attribute.label) if attribute else "",
                known[attribute.key] if attribute else None,
                accounts,
                used.get(entry.attribute),
            )
        )
    return list(groups.items())


def features() -> list[Feature]:
    """The features that a measure of one feature can be about."""
    return list(Feature.objects.order_by("name"))
