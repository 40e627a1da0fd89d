"""What two versions of the formula differ in, in words: measure by measure and profile by profile."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from django.utils.formats import number_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext, pgettext

from accounts.attributes import Attribute, Catalogue
from accounts.attributes.registry import choices_of
from accounts.conditions import Describer
from common.templatetags.curves import curve_words
from health.models import Measure, Profile, Version


@dataclass(frozen=True, slots=True)
class Change:
    """One thing that differs: what it is, and how it reads in the one version and in the other."""

    what: str
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class Changed:
    """A measure or profile that only one version has (``added``, ``removed``), or that differs (``changed``)."""

    kind: str
    key: str
    label: str
    note: str
    changes: tuple[Change, ...] = ()


@dataclass(frozen=True, slots=True)
class Changes:
    """Everything that two versions differ in."""

    measures: tuple[Changed, ...]
    profiles: tuple[Changed, ...]

    def __bool__(self) -> bool:
        return bool(self.measures or self.profiles)

    @property
    def count(self) -> int:
        return len(self.measures) + len(self.profiles)

    @property
    def groups(self) -> list[dict[str, Any]]:
        """Measures and profiles with the word for each, as pages go through them."""
        return [
            {"label": _("Measure"), "rows": self.measures},
            {"label": pgettext("health", "Profile"), "rows": self.profiles},
        ]


def compare(before: Version | None, after: Version | None, *, catalogue: Catalogue | None = None) -> Changes:
    """What has to change in ``before`` to make it ``after``; four queries, and those of what the words name."""
    words = _Words(catalogue or Catalogue())
    return Changes(
        tuple(_measures(_measures_of(before), _measures_of(after), words)),
        tuple(_profiles(_profiles_of(before), _profiles_of(after))),
    )


def _measures_of(version: Version | None) -> dict[str, Measure]:
    return {measure.key: measure for measure in version.measures.order_by("label", "key")} if version else {}


def _profiles_of(version: Version | None) -> dict[tuple[int, int], Profile]:
    if version is None:
        return {}
    found = version.profiles.select_related("named", "segment").prefetch_related("profile_measures__measure")
    return {(one.named_id, one.segment_id): one for one in found.order_by("named__position", "segment__priority")}


def _measures(before: Mapping[str, Measure], after: Mapping[str, Measure], words: _Words) -> Iterable[Changed]:
    for key in {**after, **before}:
        old, new = before.get(key), after.get(key)
        if new is None and old is not None:
            yield Changed("removed", key, old.label, words.source(old))
        elif old is None and new is not None:
            yield Changed("added", key, new.label, words.source(new))
        elif old is not None and new is not None and (changes := tuple(_in_measure(old, new, words))):
            yield Changed("changed", key, new.label, words.source(new), changes)


def _in_measure(old: Measure, new: Measure, words: _Words) -> Iterable[Change]:
    pairs = [
        (_("Name"), old.label, new.label),
        (_("Description"), old.description, new.description),
        (_("Group"), old.get_group_display(), new.get_group_display()),
        (_("Taken from"), words.source(old), words.source(new)),
        (_("Points by value"), words.curve(old), words.curve(new)),
        (_("Direction"), old.get_direction_display(), new.get_direction_display()),
        (_("When missing"), old.get_missing_display(), new.get_missing_display()),
        (_("Stale after"), _days(old.stale_after_days), _days(new.stale_after_days)),
        (_("Applies"), words.condition(old.applies_when), words.condition(new.applies_when)),
    ]
    yield from (Change(str(what), str(was), str(now)) for what, was, now in pairs if was != now)


def _profiles(before: Mapping[tuple[int, int], Profile], after: Mapping[tuple[int, int], Profile]) -> Iterable[Changed]:
    for key in {**after, **before}:
        old, new = before.get(key), after.get(key)
        if new is None and old is not None:
            yield Changed("removed", str(old.pk), old.name, _score_of(old))
        elif old is None and new is not None:
            yield Changed("added", str(new.pk), new.name, _score_of(new))
        elif old is not None and new is not None and (changes := tuple(_in_profile(old, new))):
            yield Changed("changed", str(new.pk), new.name, _score_of(new), changes)


def _in_profile(old: Profile, new: Profile) -> Iterable[Change]:
    if old.name != new.name:
        yield Change(_("Name"), old.name, new.name)
    if old.good_from != new.good_from:
        yield Change(_("Good from"), str(old.good_from), str(new.good_from))
    if old.watch_from != new.watch_from:
        yield Change(_("Watch from"), str(old.watch_from), str(new.watch_from))
    was, now = _weights(old), _weights(new)
    labels = {part.measure.key: part.measure.label for one in (old, new) for part in one.profile_measures.all()}
    nothing = _("does not count")
    for key in {**now, **was}:
        if was.get(key) != now.get(key):
            what = _("Weight of %(measure)s") % {"measure": labels[key]}
            yield Change(what, was.get(key, nothing), now.get(key, nothing))


def _weights(profile: Profile) -> dict[str, str]:
    return {part.measure.key: number_format(part.weight.normalize()) for part in profile.profile_measures.all()}


def _score_of(profile: Profile) -> str:
    if profile.named.is_overall:
        return profile.segment.name
    return _("%(score)s of %(segment)s") % {"score": profile.named.label, "segment": profile.segment.name}


def _days(days: int | None) -> str:
    if days is None:
        return _("never")
    return ngettext("%(count)s day", "%(count)s days", days) % {"count": days}


class _Words:
    """Attributes, curves and conditions as people read them; what they name is read once."""

    def __init__(self, catalogue: Catalogue) -> None:
        self.catalogue = catalogue
        self.describer = Describer(catalogue)

    def source(self, measure: Measure) -> str:
        attribute = self.attribute(measure)
        return str(attribute.label) if attribute else measure.attribute

    def attribute(self, measure: Measure) -> Attribute | None:
        return self.catalogue.get(measure.attribute)

    def curve(self, measure: Measure) -> str:
        attribute = self.attribute(measure)
        if attribute is None:
            return curve_words(measure.curve)
        raw = measure.curve
        labels = choices_of(attribute) if isinstance(raw, dict) and attribute.choices else {}
        if labels:
            raw = {str(labels.get(name, name)): points for name, points in raw.items()}
        return curve_words(raw, str(attribute.unit))

    def condition(self, condition: Any) -> str:
        return _("everywhere") if condition is None else self.describer.describe(condition).sentence
