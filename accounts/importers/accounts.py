from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Any

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from accounts.models import Account, CustomField, Event, Stage, StageEntry, User
from accounts.services.ledger import record_many, touch
from accounts.services.owners import FOLLOWS, handed
from accounts.services.parents import Ancestry, hold_parents
from common.cells import Cell, Choice, Day, Flag, Instant, Number, Refusal, Text, Texts, TimeZone, shown
from common.errors import DomainError
from common.importers import Field, Importer, Occasion, Outcome, Row
from common.upserts import Values, upsert

CUSTOM = "custom."
COUNTRY = re.compile("[A-Z]{2}")
LARGEST = 10**15


class AccountImporter(Importer):
    """Accounts by their external id. What the mapping leaves out stays as it is, custom fields included.

    The parent is named by its external id; it exists, or the file has it in an earlier row or soon after.
    """

    name = "accounts"
    fields = (
        Field("external_id", Text(200), required=True),
        Field("name", Text(200), required=True),
        Field("parent", Text(200)),
        Field("domains", Texts(253)),
        Field("owner", reference="user"),
        Field("touch_model", Choice(Account.TouchModel.values, empty=Account.TouchModel.LOW_TOUCH)),
        Field("plan", reference="plan"),
        Field("seats", Number(0, 2**31 - 1)),
        Field("industry", Text(100)),
        Field("country", Text(2)),
        Field("language", Text(10)),
        Field("time_zone", TimeZone()),
        Field("tags", Texts(64)),
        Field("stage", reference="stage"),
        Field("stage_entered_at", Instant()),
        Field("customer_since", Day()),
    )

    def prepare(self, names: Iterable[str]) -> tuple[Field, ...]:
        custom = tuple(Field(CUSTOM + known.key, _cell_of(known)) for known in CustomField.objects.all())
        fields = {known.name: known for known in (*self.fields, *custom)}
        super().prepare(name for name in names if name not in fields)
        return tuple(fields.values())

    def declare(self, declarations: Mapping[str, Mapping[str, Any]]) -> None:
        """Make custom fields, ``{"custom.<key>": {"label", "type", "choices", "unit"}}``, that do not exist."""
        existing = {known.key: known for known in CustomField.objects.all()}
        for name, declared in declarations.items():
            key = name.removeprefix(CUSTOM)
            known = existing.get(key)
            if known is not None and known.type == declared.get("type"):
                continue
            if known is not None:
                raise DomainError(
                    _("%(name)s exists with the type %(type)s; correct “declare” in the mapping.")
                    % {"name": name, "type": known.type},
                    code="cannot_declare",
                )
            try:
                made = CustomField(**{**declared, "key": key})
                made.full_clean()
            except (TypeError, ValidationError) as error:
                problems = ", ".join(error.messages) if isinstance(error, ValidationError) else str(error)
                raise DomainError(
                    _("%(name)s cannot be declared: %(problems)s") % {"name": name, "problems": problems},
                    code="cannot_declare",
                ) from error
            made.save()

    def check(self, values: Mapping[str, Any], occasion: Occasion) -> None:
        country = values.get("country")
        if country and COUNTRY.fullmatch(country) is None:
            raise Refusal("not_a_country", _("“%s” is not a country code such as DE.") % country, field="country")

    def apply(self, rows: Sequence[Row], occasion: Occasion) -> Outcome:
        outcome = Outcome()
        tells_parents = any("parent" in row.values for row in rows)
        if tells_parents:
            hold_parents()
            outcome.refused = _misplaced(rows)
            rows = [row for row in rows if row.line not in outcome.refused]
        written = upsert(
            Account,
            key=self.identity,
            rows=(_columns(row.values) for row in rows),
            also=("updated_at",),
            merge=_merge_custom,
        )
        listed = [*written.created, *(account for account, _before in written.updated), *written.unchanged]
        accounts = {str(account.external_id): account for account in listed}
        placed = _place(accounts, rows, occasion) if tells_parents else {}
        moved: set[int] = set()
        if any(row.values.get("stage") for row in rows):
            moved = _enter_stages(accounts, rows, occasion)
        _tell_owners(written.updated, occasion)
        created = {account.pk for account in written.created}
        changed = {account.pk for account, _before in written.updated} | moved | placed.keys()
        touch((created | changed | {parent for parents in placed.values() for parent in parents}) - moved)
        outcome.created, outcome.updated = len(created), len(changed - created)
        outcome.unchanged = len(rows) - outcome.created - outcome.updated
        return outcome


def _cell_of(known: CustomField) -> Cell:
    match known.type:
        case CustomField.Type.NUMBER:
            return Number(-LARGEST, LARGEST, places=6)
        case CustomField.Type.CHOICE:
            return Choice(known.choices)
        case CustomField.Type.BOOLEAN:
            return Flag()
        case CustomField.Type.DATE:
            return Day()
        case _:
            return Text(1000)


def _columns(values: Mapping[str, Any]) -> Values:
    """A row's values by the names of the model's columns; the stage is entered, and the parent placed, later."""
    columns: Values = {}
    custom = {}
    for name, value in values.items():
        if name.startswith(CUSTOM):
            custom[name.removeprefix(CUSTOM)] = _as_json(value)
        elif name in ("owner", "plan"):
            columns[f"{name}_id"] = value
        elif name not in ("parent", "stage", "stage_entered_at"):
            columns[name] = value
    if custom:
        columns["custom"] = custom
    return columns


def _as_json(value: Any) -> Any:
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    return value.isoformat() if isinstance(value, date) else value


def _merge_custom(account: Account | None, values: Values) -> Values:
    """Only the custom fields that the file tells are replaced, and those that it tells to be empty are removed."""
    if "custom" not in values:
        return values
    merged = {**(account.custom if account else {}), **values["custom"]}
    return {**values, "custom": {key: value for key, value in merged.items() if value not in ("", None)}}


def _misplaced(rows: Sequence[Row]) -> dict[int, Refusal]:
    """The rows, by line, whose parent nobody knows or is below them."""
    wanted = {row.values["external_id"]: row.values["parent"] for row in rows}
    lines = {row.values["external_id"]: row.line for row in rows}
    named = {name for pair in wanted.items() for name in pair if name}
    orphans, circular = Ancestry.of(external_ids=named).misplaced(wanted)
    return {
        lines[name]: Refusal(
            "unknown_reference",
            _("There is no account %s; import it first, or correct the cell.") % shown(wanted[name]),
            field="parent",
        )
        for name in orphans
    } | {
        lines[name]: Refusal(
            "parent_circular", _("An account cannot be above itself; choose another parent."), field="parent"
        )
        for name in circular
    }


def _place(accounts: Mapping[str, Account], rows: Sequence[Row], occasion: Occasion) -> dict[int, list[int]]:
    """Put accounts below the parents that the rows name; returns the old and the new parent of those that moved."""
    known = Ancestry.of(external_ids={row.values["parent"] for row in rows} - {""}).ids
    placed: dict[int, list[int]] = {}
    for row in rows:
        account, parent = accounts[row.values["external_id"]], known.get(row.values["parent"])
        if account.parent_id != parent:
            placed[account.pk] = [pk for pk in (account.parent_id, parent) if pk is not None]
            account.parent_id, account.updated_at = parent, occasion.now
    Account.objects.bulk_update(
        [account for account in accounts.values() if account.pk in placed], ["parent", "updated_at"], batch_size=1000
    )
    return placed


def _tell_owners(updated: Iterable[tuple[Account, Values]], occasion: Occasion) -> None:
    """Write down which accounts got another owner, whom their open work follows."""
    moves = [(account, before["owner_id"]) for account, before in updated if "owner_id" in before]
    people = {person for account, before in moves for person in (before, account.owner_id) if person}
    names = dict(User.objects.filter(pk__in=people).values_list("pk", "name")) if people else {}
    record_many(
        [
            Event(
                account=account,
                kind="account.assigned",
                happened_at=occasion.now,
                data=handed(before, account.owner_id, names, work=FOLLOWS),
            )
            for account, before in moves
        ]
    )


def _enter_stages(accounts: dict[str, Account], rows: Sequence[Row], occasion: Occasion) -> set[int]:
    """Move accounts into the stages that the rows name; returns the ids of those that moved."""
    keys = dict(Stage.objects.values_list("pk", "key"))
    entries: dict[int, StageEntry] = {}
    events = []
    for row in rows:
        account, stage = accounts[row.values["external_id"]], row.values["stage"]
        if stage is None or stage == account.stage_id:
            continue
        entered_at = row.values.get("stage_entered_at") or occasion.now
        entries[account.pk] = StageEntry(account=account, stage_id=stage, entered_at=entered_at)
        data = {"stage": keys[stage], "from": keys.get(account.stage_id or 0), "reason": ""}
        events.append(Event(account=account, kind="stage.entered", happened_at=entered_at, data=data))
        account.stage_id, account.stage_entered_at, account.updated_at = stage, entered_at, occasion.now
    left = list(StageEntry.objects.filter(account__in=entries, left_at=None))
    for stay in left:
        stay.left_at = max(stay.entered_at, entries[stay.account_id].entered_at)
    StageEntry.objects.bulk_update(left, ["left_at"])
    StageEntry.objects.bulk_create(entries.values())
    Account.objects.bulk_update(
        [account for account in accounts.values() if account.pk in entries],
        ["stage", "stage_entered_at", "updated_at"],
    )
    record_many(events, news_since=occasion.news_since)
    return set(entries)
