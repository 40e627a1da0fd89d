"""The scores that accounts have: adding one, and how each is called. They belong to no version."""

from __future__ import annotations

from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import Max
from django.utils.translation import gettext as _

from common.errors import Conflict
from common.text import storable
from health.models import NamedScore
from health.services.definitions import DefinitionError

LONGEST_LABEL = 100


@transaction.atomic
def create_named_score(*, key: str, label: str, description: str = "", drop_points: int = 10) -> NamedScore:
    """Add a score beside the overall one, the last in order; accounts have it once a version with a profile for it is
    in force. Raises DefinitionError, or Conflict when the key is taken."""
    _check(label, description, drop_points)
    last = NamedScore.objects.aggregate(last=Max("position"))["last"] or 0
    named = NamedScore(key=key, label=label.strip(), description=description, drop_points=drop_points)
    named.position = last + 1
    try:
        with transaction.atomic():
            named.save(force_insert=True)
    except IntegrityError:
        message = _("There is a score “%(key)s” already; choose another key.") % {"key": key}
        raise Conflict(message, code="key_taken", fields={"key": message}) from None
    return named


@transaction.atomic
def update_named_score(*, named: NamedScore, label: str, description: str, drop_points: int) -> NamedScore:
    """Change how a score is called and when it is told as a drop; its key stays. Raises DefinitionError."""
    _check(label, description, drop_points)
    named.label, named.description, named.drop_points = label.strip(), description, drop_points
    named.save(update_fields=["label", "description", "drop_points"])
    return named


def _check(label: Any, description: Any, drop_points: Any) -> None:
    problems = {}
    if not isinstance(label, str) or not label.strip() or len(label) > LONGEST_LABEL or not storable(label):
        problems["label"] = _("Give a name of 1 to %(most)s characters.") % {"most": LONGEST_LABEL}
    if not isinstance(description, str) or not storable(description):
        problems["description"] = _("Give a text without control characters.")
    if isinstance(drop_points, bool) or not isinstance(drop_points, int) or not 1 <= drop_points <= 100:
        problems["drop_points"] = _("Give a whole number from 1 to 100.")
    if problems:
        raise DefinitionError(problems)
