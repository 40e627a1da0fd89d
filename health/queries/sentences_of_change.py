"""What changed a score, as sentences that can be read to a customer."""

from __future__ import annotations

from collections.abc import Iterator

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from accounts.models import Workspace
from health.models import Band, Measure, Version
from health.queries.attribution import Fact, State
from health.queries.changes import HealthChange, MeasureChange
from health.queries.explained import HealthExplanation
from health.queries.sentences import author_of, subject
from health.queries.words import SHOWN, day_words, fact_words, listed, pair_words, points_words, score_words

SCORING = ("attribute", "curve", "missing", "applies_when")
"""What of a measure decides its points."""


def change_sentences(change: HealthChange) -> list[str]:
    """Tell a change: how far the score moved, then why, what mattered most first.

    An amount that rounds to nothing is not told of as if it were something, and what is not known is not claimed.
    """
    workspace = Workspace.current()
    return [
        *_headline(change),
        *_override(change, workspace),
        *_formula(change),
        *_segment(change),
        *_behaviour(change, workspace.currency),
    ]


def _headline(change: HealthChange) -> Iterator[str]:
    before, after = change.before, change.after
    if before is not None and after is not None and before.score is not None and after.score is not None:
        yield from _moved(change, before.score, after.score)
        if before.band != after.band:
            words = {"before": Band(before.band).label, "after": Band(after.band).label}
            yield _("It went from %(before)s to %(after)s.") % words
        return
    yield _start(change, before)
    yield _end(change, after)


def _start(change: HealthChange, before: HealthExplanation | None) -> str:
    words = {"score": subject(change.named), "day": _first_day(change)}
    if before is None:
        return _("There was no score up to %(day)s, so there is nothing to compare with.") % words
    if before.score is None:
        return _("%(score)s was empty on %(day)s: nothing was known that could be scored.") % words
    return _("%(score)s on %(day)s was %(points)s.") % {**words, "points": score_words(before.score)}


def _end(change: HealthChange, after: HealthExplanation | None) -> str:
    words = {"day": _last_day(change)}
    if after is None and change.account.ended_at:
        return _("There is none any more: the account has ended.")
    if after is None:
        return _("There is none any more: no segment with a profile for it contains the account.")
    if after.score is None and after.day is None:
        return _("It is empty now: nothing is known that could be scored.")
    if after.score is None:
        return _("It was empty on %(day)s: nothing was known that could be scored.") % words
    words |= {"points": score_words(after.score), "band": str(Band(after.band).label)}
    if after.day is None:
        return _("It is %(points)s now: %(band)s.") % words
    return _("It was %(points)s on %(day)s: %(band)s.") % words


def _moved(change: HealthChange, before: float, after: float) -> Iterator[str]:
    words = {
        "score": subject(change.named),
        "before": score_words(before),
        "after": score_words(after),
        "first": _first_day(change),
        "last": _last_day(change),
        "by": points_words(after - before),
    }
    is_now = change.after is not None and change.after.day is None
    if abs(after - before) < SHOWN:
        if is_now:
            yield _("%(score)s is as it was on %(first)s: %(after)s.") % words
        else:
            yield _("%(score)s was on %(last)s as on %(first)s: %(after)s.") % words
    elif after > before and is_now:
        yield _("%(score)s rose by %(by)s since %(first)s, from %(before)s to %(after)s.") % words
    elif after > before:
        yield _("%(score)s rose by %(by)s between %(first)s and %(last)s, from %(before)s to %(after)s.") % words
    elif is_now:
        yield _("%(score)s fell by %(by)s since %(first)s, from %(before)s to %(after)s.") % words
    else:
        yield _("%(score)s fell by %(by)s between %(first)s and %(last)s, from %(before)s to %(after)s.") % words


def _first_day(change: HealthChange) -> str:
    return day_words(change.before.day if change.before and change.before.day else change.since)


def _last_day(change: HealthChange) -> str:
    return day_words(change.after.day) if change.after and change.after.day else ""


def _override(change: HealthChange, workspace: Workspace) -> Iterator[str]:
    before, after = change.before, change.after
    if before is None or after is None or not (before.override or after.override):
        return
    if after.override is not None:
        words = {
            "author": author_of(after.override),
            "points": score_words(after.override.score),
            "day": day_words(workspace.day(after.override.created_at)),
            "end": day_words(workspace.day(after.override.expires_at)),
            "reason": after.override.reason,
        }
        if before.override == after.override:
            yield _("It stayed at %(points)s, as %(author)s set it by hand until %(end)s: “%(reason)s”") % words
        else:
            yield _("%(author)s set this score to %(points)s by hand on %(day)s, until %(end)s: “%(reason)s”") % words
    elif before.override is not None:
        words = {
            "author": author_of(before.override),
            "points": score_words(before.override.score),
            "reason": before.override.reason,
        }
        yield _("The %(points)s that %(author)s had set by hand no longer held: “%(reason)s”") % words
    yield from _computed(change, before, after)


def _computed(change: HealthChange, before: HealthExplanation, after: HealthExplanation) -> Iterator[str]:
    """What was computed in the meantime; what is told after it is about that."""
    if before.computed_score is None or after.computed_score is None:
        return
    words = {"before": score_words(before.computed_score), "after": score_words(after.computed_score)}
    difference = after.computed_score - before.computed_score
    if abs(difference) < SHOWN:
        yield _("What the formula computes stayed at %(after)s.") % words
    elif difference > 0:
        yield _("What the formula computes rose from %(before)s to %(after)s.") % words
    else:
        yield _("What the formula computes fell from %(before)s to %(after)s.") % words


def _formula(change: HealthChange) -> Iterator[str]:
    if not change.versions:
        return
    amount = change.split.formula if change.split else 0.0
    words = {"versions": listed(_version(version) for version in change.versions), "points": points_words(amount)}
    if change.computed_difference is None:
        yield _("The way the score is computed changed in between: %(versions)s.") % words
        return
    if abs(amount) < SHOWN:
        yield _("The way the score is computed changed in between, with no effect on it: %(versions)s.") % words
        return
    is_alone = change.facts_stayed and not (change.split and abs(change.split.segment) >= SHOWN)
    if is_alone and amount < 0:
        yield (
            _(
                "Nothing that is measured about the account changed; the way the score is computed did:"
                " %(versions)s took %(points)s away."
            )
            % words
        )
    elif is_alone:
        yield (
            _(
                "Nothing that is measured about the account changed; the way the score is computed did:"
                " %(versions)s added %(points)s."
            )
            % words
        )
    elif amount < 0:
        yield _("The way the score is computed changed: %(versions)s took %(points)s away.") % words
    else:
        yield _("The way the score is computed changed: %(versions)s added %(points)s.") % words
    for row in change.measures:
        if abs(row.split.formula) >= SHOWN:
            yield _with_effect(_formula_of(row), row.split.formula)


def _version(version: Version) -> str:
    words = {"number": version.number, "note": version.note}
    return _("version %(number)s (“%(note)s”)") % words if version.note else _("version %(number)s") % words


def _formula_of(row: MeasureChange) -> str:
    """What another formula does with one measure."""
    words = {"measure": row.label}
    if row.before is None:
        return _("%(measure)s is a new input") % words
    if row.after is None:
        return _("%(measure)s counts no longer") % words
    before, after = row.before.measure, row.after.measure
    if any(getattr(before, name) != getattr(after, name) for name in SCORING):
        return _("%(measure)s is scored in another way") % words
    return _("%(measure)s has another weight") % words


def _segment(change: HealthChange) -> Iterator[str]:
    before, after = change.before, change.after
    if before is None or after is None or before.profile.segment_id == after.profile.segment_id:
        return
    words = {"before": before.profile.name, "after": after.profile.name}
    amount = change.split.segment if change.split else 0.0
    if change.versions and abs(amount) < SHOWN:
        yield _("The profile “%(after)s” took the place of “%(before)s” for this account.") % words
        return
    what = _("The account moved from the profile “%(before)s” to “%(after)s”") % words
    if abs(amount) >= SHOWN:
        yield _with_effect(what, amount)
    elif change.computed_difference is None:
        yield _("%(what)s.") % {"what": what}
    else:
        yield _("%(what)s, which made no difference to the score.") % {"what": what}


def _behaviour(change: HealthChange, currency: str) -> Iterator[str]:
    before, after = change.before, change.after
    if before is None or after is None:
        return
    is_split = change.split is not None and change.computed_difference is not None
    moved = sorted((row for row in change.measures if row.has_moved), key=lambda row: -abs(row.split.behaviour))
    telling = [row for row in moved if not is_split or abs(row.split.behaviour) >= SHOWN]
    if change.split and len(telling) > 1 and len(change.split.causes) > 1:
        yield from _in_all(change.split.behaviour)
    for row in telling:
        what = _moved_how(row, currency)
        if is_split:
            yield _with_effect(what, row.split.behaviour, is_plain=_is_plain(row))
        else:
            yield _("%(what)s.") % {"what": what}
    if rest := len(moved) - len(telling):
        yield ngettext(
            "%(count)s other input changed with no effect that shows.",
            "%(count)s other inputs changed with no effect that shows.",
            rest,
        ) % {"count": rest}
    if not moved and not change.versions and before.profile == after.profile:
        yield _("Nothing that is measured about the account changed.")


def _in_all(amount: float) -> Iterator[str]:
    words = {"points": points_words(amount)}
    if amount <= -SHOWN:
        yield _("In all, what is measured about the account took %(points)s away.") % words
    elif amount >= SHOWN:
        yield _("In all, what is measured about the account added %(points)s.") % words


def _with_effect(what: str, amount: float, *, is_plain: bool = True) -> str:
    """What happened and what that did to the score; a sentence that is not plain says which way is better."""
    words = {"what": what, "points": points_words(amount)}
    if is_plain and amount < 0:
        return _("%(what)s, which took %(points)s away.") % words
    if is_plain:
        return _("%(what)s, which added %(points)s.") % words
    if amount < 0:
        return _("%(what)s, a change for the worse that took %(points)s away.") % words
    return _("%(what)s, an improvement that added %(points)s.") % words


def _is_plain(row: MeasureChange) -> bool:
    """Whether it goes without saying that more is better, or there is no more and less."""
    before, after = row.found_before, row.found_after
    if before is None or after is None or before.value is None or after.value is None or row.before is None:
        return True
    return not isinstance(after.value, str) and row.before.measure.direction == Measure.Direction.HIGHER


def _moved_how(row: MeasureChange, currency: str) -> str:
    """How an input moved, as a clause without its end."""
    before, after = row.found_before, row.found_after
    assert row.before is not None
    assert before is not None
    assert after is not None
    source = row.before.source
    words = {"measure": row.label, "after": fact_words(after, source, currency)}
    if after.state != State.KNOWN:
        return {
            State.MISSING: _("Nothing was known of %(measure)s any more"),
            State.UNNAMED: _("%(measure)s took a value that has no points of its own"),
            State.NOT_APPLICABLE: _("%(measure)s no longer applied to the account"),
            State.BROKEN: _("%(measure)s could no longer be computed"),
        }[after.state] % words
    if before.state != State.KNOWN:
        return {
            State.MISSING: _("%(measure)s became known: %(after)s"),
            State.UNNAMED: _("%(measure)s changed to %(after)s from a value that has no points of its own"),
            State.NOT_APPLICABLE: _("%(measure)s began to apply to the account: %(after)s"),
            State.BROKEN: _("%(measure)s could be computed again: %(after)s"),
        }[before.state] % words
    return _from_to(before, after, row, currency)


def _from_to(before: Fact, after: Fact, row: MeasureChange, currency: str) -> str:
    source = row.before.source if row.before else None
    if isinstance(before.value, str) or isinstance(after.value, str) or before.value is None or after.value is None:
        first, second = (fact_words(fact, source, currency) for fact in (before, after))
        sentence = _("%(measure)s changed from %(before)s to %(after)s")
    else:
        first, second = pair_words(before.value, after.value, source, currency)
        if after.value > before.value:
            sentence = _("%(measure)s rose from %(before)s to %(after)s")
        else:
            sentence = _("%(measure)s fell from %(before)s to %(after)s")
    return sentence % {"measure": row.label, "before": first, "after": second}
