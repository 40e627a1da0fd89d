"""The task templates that admins keep."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from common.errors import DomainError
from playbooks.models import TaskTemplate
from playbooks.services.tasks import checked_items


@transaction.atomic
def keep_template(
    *,
    template: TaskTemplate,
    key: str,
    title: str,
    guidance: str,
    checklist: Sequence[str],
    email_text: str,
    severity: int,
    due_in_days: int,
) -> TaskTemplate:
    """Make a template or change it; tasks that were made of it stay as they are. Raises DomainError for a key that is
    taken, and for a checklist that cannot be kept."""
    template.key, template.title, template.guidance, template.email_text = key, title, guidance, email_text
    template.severity, template.due_in_days = severity, due_in_days
    template.checklist = [item["text"] for item in checked_items(checklist)]
    try:
        with transaction.atomic():
            template.save()
    except IntegrityError:
        message = _("Another template has this key, perhaps a deleted one.")
        raise DomainError(message, code="key_taken", fields={"key": message}) from None
    return template


def delete_template(*, template: TaskTemplate, now: datetime) -> TaskTemplate:
    """Offer the template no more; ``restore_template`` takes it back."""
    template.deleted_at = now
    template.save(update_fields=["deleted_at"])
    return template


def restore_template(*, template: TaskTemplate) -> TaskTemplate:
    """Offer a deleted template again."""
    template.deleted_at = None
    template.save(update_fields=["deleted_at"])
    return template
