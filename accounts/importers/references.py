"""Things of accounts that cells name by a key."""

from collections.abc import Mapping

from django.db.models import Exists, OuterRef
from django.utils.text import slugify

from accounts.models import Account, Contact, Offboarding, Plan, Stage, User
from common.importers import Known, Reference, register_references
from common.text import normal_email


def slug(text: str) -> str:
    """The key that a thing called ``text`` gets, such as ``pro-plus`` for “Pro Plus”."""
    return slugify(text)[:64]


def _accounts(keys: set[str]) -> Mapping[str, Known]:
    ended = Exists(Offboarding.objects.filter(account=OuterRef("pk")))
    found = Account.objects.filter(external_id__in=keys).order_by().annotate(has_offboarding=ended)
    names = ("id", "customer_since", "has_offboarding")
    return {str(row["external_id"]): row for row in found.values("external_id", *names)}


def _contacts(keys: set[str]) -> Mapping[str, Known]:
    found = Contact.objects.filter(external_id__in=keys).order_by().values("external_id", "id", "account")
    return {str(row["external_id"]): row for row in found}


def _plans(keys: set[str]) -> Mapping[str, Known]:
    return {row["key"]: row for row in Plan.objects.filter(key__in=keys).order_by().values("key", "id")}


def _create_plans(names: Mapping[str, str]) -> None:
    Plan.objects.bulk_create(
        (Plan(key=key, name=name[:200]) for key, name in sorted(names.items())), ignore_conflicts=True
    )


def _stages(keys: set[str]) -> Mapping[str, Known]:
    return {row["key"]: row for row in Stage.objects.filter(key__in=keys).order_by().values("key", "id")}


def _users(keys: set[str]) -> Mapping[str, Known]:
    return {row["email"]: row for row in User.objects.filter(email__in=keys).order_by().values("email", "id")}


register_references(
    Reference("account", ("id", "customer_since", "has_offboarding"), _accounts),
    Reference("contact", ("id", "account"), _contacts),
    Reference("plan", ("id",), _plans, create=_create_plans, key=slug),
    Reference("stage", ("id",), _stages, key=slug),
    Reference("user", ("id",), _users, key=normal_email),
)
