from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from accounts.models import Account, Contact, CustomField, Offboarding, Stage, User
from accounts.services.ledger import record, touch
from accounts.services.owners import FOLLOWS, handed
from accounts.services.parents import hold_parents, refuse_circle
from accounts.services.stages import enter_stage
from common.errors import Conflict, DomainError
from common.text import storable

LIMIT = 10**15
BUT_PARENT = [field.name for field in Account._meta.concrete_fields if field.name not in ("id", "parent")]


def checked_custom(given: Mapping[str, Any]) -> dict[str, Any]:
    """The custom values as they are stored, None left out; raises DomainError that names each wrong one."""
    fields = {field.key: field for field in CustomField.objects.all()}
    problems = {}
    kept = {}
    for key, value in given.items():
        if key not in fields:
            problems[f"custom.{key[:64]}"] = _("There is no custom field “%(key)s”; an admin can add it.") % {
                "key": key[:64]
            }
        elif value is not None and (problem := _custom_problem(fields[key], value)):
            problems[f"custom.{key}"] = problem
        elif value is not None:
            kept[key] = value
    if problems:
        raise DomainError(next(iter(problems.values())), code="custom_invalid", fields=problems)
    return kept


def _custom_problem(field: CustomField, value: Any) -> str:
    match field.type:
        case CustomField.Type.NUMBER:
            numeric = isinstance(value, int | float) and not isinstance(value, bool)
            return "" if numeric and abs(value) <= LIMIT else _("Give a number.")
        case CustomField.Type.BOOLEAN:
            return "" if isinstance(value, bool) else _("Give true or false.")
        case CustomField.Type.CHOICE:
            return "" if value in field.choices else _("Use one of: %(known)s.") % {"known": ", ".join(field.choices)}
        case CustomField.Type.DATE:
            try:
                date.fromisoformat(value)
            except (TypeError, ValueError):
                return _("Give a date as YYYY-MM-DD.")
            return ""
        case _:
            fits = isinstance(value, str) and storable(value) and len(value) <= 1000
            return "" if fits else _("Give a text of at most 1000 characters.")


@transaction.atomic
def save_account(*, account: Account, by: User | None, now: datetime, stage: Stage | None = None) -> Account:
    """Keep a new or changed account, and move it into ``stage`` when one is given. Its open work follows a new owner.

    Raises DomainError when its external id is taken, a custom value has the wrong type, or it would be above itself.
    """
    account.custom = checked_custom(account.custom)
    is_new = account.pk is None
    left, owner = (None, None) if is_new else Account.objects.values_list("parent", "owner").get(pk=account.pk)
    is_moved = account.parent_id != left
    if is_moved and account.parent_id is not None and not is_new:
        # Nothing is below a new account yet, so it cannot close a circle.
        hold_parents()
        refuse_circle(account_id=account.pk, parent_id=account.parent_id)
    try:
        with transaction.atomic():
            # A parent that was not meant to change is not written: since it was read, somebody may have changed it.
            account.save(update_fields=None if is_new or is_moved else BUT_PARENT)
    except IntegrityError as error:
        if "external_id" not in str(error):
            raise
        message = _("Another account has the external id “%(id)s”.") % {"id": account.external_id}
        raise Conflict(message, code="external_id_taken", fields={"external_id": message}) from error
    if is_new:
        record(account=account, kind="account.created", happened_at=now, user=by)
    elif owner != account.owner_id:
        names = dict(
            User.objects.filter(pk__in=[pk for pk in (owner, account.owner_id) if pk]).values_list("pk", "name")
        )
        data = handed(owner, account.owner_id, names, work=FOLLOWS)
        record(account=account, kind="account.assigned", happened_at=now, user=by, data=data)
    if stage is not None:
        enter_stage(account=account, stage=stage, by=by, now=now)
    touch({account.pk, *(parent for parent in (left, account.parent_id) if is_moved and parent is not None)})
    return account


@transaction.atomic
def save_contact(*, contact: Contact) -> Contact:
    """Keep a new or changed contact; raises Conflict when the address or the external id is taken."""
    try:
        with transaction.atomic():
            contact.save()
    except IntegrityError as error:
        if "external_id" in str(error):
            message = _("Another contact has the external id “%(id)s”.") % {"id": contact.external_id}
            raise Conflict(message, code="external_id_taken", fields={"external_id": message}) from error
        if "address_once" in str(error):
            message = _("The account has a contact with the address “%(email)s”.") % {"email": contact.email}
            raise Conflict(message, code="email_taken", fields={"email": message}) from error
        raise
    touch([contact.account_id])
    return contact


@transaction.atomic
def end_account(*, offboarding: Offboarding, by: User | None, now: datetime) -> Offboarding:
    """Keep that an account left and why; raises Conflict when it has ended already."""
    if not Account.objects.live().filter(pk=offboarding.account_id).update(ended_at=now, updated_at=now):
        raise Conflict(_("This account has ended already."), code="already_ended")
    offboarding.save()
    record(
        account=offboarding.account,
        kind="account.ended",
        happened_at=now,
        user=by,
        data={"kind": offboarding.kind, "category": offboarding.category, "competitor": offboarding.competitor},
    )
    return offboarding
