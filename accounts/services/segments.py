from __future__ import annotations

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from accounts.conditions import parse
from accounts.models import Segment
from common.errors import Conflict


@transaction.atomic
def save_segment(*, segment: Segment) -> Segment:
    """Keep a new or changed segment.

    Raises ConditionError when its condition is not valid or leads back to itself, Conflict when its key or
    priority is taken.
    """
    try:
        with transaction.atomic():
            segment.save()
    except IntegrityError as error:
        field = "priority" if "priority" in str(error) else "key"
        message = _("Another segment has this %(field)s.") % {"field": field}
        raise Conflict(message, code=f"{field}_taken", fields={field: message}) from error
    parse({"attribute": "segment", "operator": "in", "value": [segment.key]})
    return segment
