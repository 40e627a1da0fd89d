"""What ``identify``, ``group`` and ``alias`` calls say about people. Each can be applied again without effect."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import IntegrityError, transaction

from accounts.models import Contact
from accounts.services.ledger import touch
from common.sql import SQL, execute, join
from common.text import normal_email, one_line
from usage.models import TrackedUser
from usage.services.attribution import Changed, changed_by_joins
from usage.services.merging import canonical_ids, merge_users
from usage.services.parse import Call

IDENTITY = frozenset({"identify", "group", "alias"})
LONGEST = {"name": 200, "email": 254, "phone": 40, "title": 200}


class Dated(NamedTuple):
    """A call and when it happened by our clock."""

    call: Call
    occurred_at: datetime


def apply_identity(*, calls: Sequence[Dated], zone: str, now: datetime) -> list[Changed]:
    """Apply merges, joins and traits; returns the users whose calls have to be placed again.

    Call it in a transaction, before the calls of the same batch are written.
    """
    changed: list[Changed] = []
    for call, _at in calls:
        if call.kind == "alias":
            changed += merge_users(previous_id=call.previous_id, user_id=call.user_id, zone=zone, now=now)
    changed += _join([each for each in calls if each.call.kind == "group" and each.call.user_id], now=now)
    _identify([each for each in calls if each.call.kind == "identify" and each.call.user_id])
    return changed


def _join(joins: Sequence[Dated], *, now: datetime) -> list[Changed]:
    if not joins:
        return []
    merged = canonical_ids([call.user_id for call, _at in joins])
    found = sorted({(merged.get(call.user_id, call.user_id), at, call.group_id) for call, at in joins})
    execute(
        SQL(
            "INSERT INTO usage_groupjoin (user_id, joined_at, group_id, recorded_at)"
            " SELECT n.*, %s FROM unnest(%s::text[], %s::timestamptz[], %s::text[]) n"
            " ON CONFLICT DO NOTHING",
            (now, [user for user, _at, _group in found], [at for _user, at, _group in found], [g for *_, g in found]),
        )
    )
    keys = join(", ", [SQL("(%s, %s)", (user, at)) for user, at, _group in found])
    return changed_by_joins(SQL("(j.user_id, j.joined_at) IN ({})").format(keys))


def _identify(calls: Sequence[Dated]) -> None:
    """Keep the traits, the latest of each; and what they say about a contact, unless something later is known."""
    merged = canonical_ids([call.user_id for call, _at in calls])
    latest: dict[str, tuple[datetime, dict[str, Any]]] = {}
    for call, at in sorted(calls, key=lambda each: each.occurred_at):
        user_id = merged.get(call.user_id, call.user_id)
        _before, traits = latest.get(user_id, (at, {}))
        latest[user_id] = (at, {**traits, **call.properties})
    newest = _keep_traits(latest)
    for user_id in sorted(newest):
        _update_contact(user_id, latest[user_id][1])


def _keep_traits(latest: dict[str, tuple[datetime, dict[str, Any]]]) -> list[str]:
    """Write the traits and return the users of whom nothing later was known."""
    if not latest:
        return []
    known = {
        user.user_id: user for user in TrackedUser.objects.select_for_update().filter(pk__in=latest).order_by("pk")
    }
    newest, users = [], []
    for user_id, (at, traits) in sorted(latest.items()):
        user = known.get(user_id) or TrackedUser(user_id=user_id, identified_at=at)
        if at >= user.identified_at:
            user.traits, user.identified_at = {**user.traits, **traits}, at
            newest.append(user_id)
        else:
            user.traits = {**traits, **user.traits}
        users.append(user)
    TrackedUser.objects.bulk_create(
        users, update_conflicts=True, unique_fields=["user_id"], update_fields=["traits", "identified_at"]
    )
    return newest


def _update_contact(user_id: str, traits: dict[str, Any]) -> None:
    told = _contact_fields(traits)
    contact = Contact.objects.filter(external_id=user_id).first()
    if contact is None and "email" in told:
        same = list(Contact.objects.filter(external_id=None, email=told["email"])[:2])
        contact = same[0] if len(same) == 1 else None
        told["external_id"] = user_id
    if contact is None:
        return
    new = {name: text for name, text in told.items() if getattr(contact, name) != text}
    if not new:
        return
    for name, text in new.items():
        setattr(contact, name, text)
    try:
        with transaction.atomic():
            contact.save(update_fields=[*new, "updated_at"])
    except IntegrityError:
        return  # another contact of the account has this address; which of the two is right is for people to say
    touch([contact.account_id])


def _contact_fields(traits: dict[str, Any]) -> dict[str, str]:
    """What the traits say of a contact's own fields, as far as it can be one."""
    name = traits.get("name") or " ".join(
        part for part in (traits.get("firstName"), traits.get("lastName")) if isinstance(part, str)
    )
    told = {"name": name, "email": traits.get("email"), "phone": traits.get("phone"), "title": traits.get("title")}
    fields = {key: one_line(text) for key, text in told.items() if isinstance(text, str) and text.strip()}
    if "email" in fields:
        fields["email"] = normal_email(fields["email"])
        try:
            validate_email(fields["email"])
        except ValidationError:
            del fields["email"]
    return {key: text for key, text in fields.items() if len(text) <= LONGEST[key]}
