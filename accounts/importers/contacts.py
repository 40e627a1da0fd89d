from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.conf import settings
from django.utils.translation import gettext as _

from accounts.models import Contact
from accounts.services.ledger import touch
from common.cells import Choice, Email, Instant, Refusal, Text, TimeZone
from common.importers import Field, Importer, Occasion, Outcome, Row
from common.upserts import upsert


class ContactImporter(Importer):
    """People at customers by their external id; one who is known by the address only gets the id."""

    name = "contacts"
    fields = (
        Field("external_id", Text(200), required=True),
        Field("account", reference="account", required=True),
        Field("name", Text(200), required=True),
        Field("email", Email()),
        Field("phone", Text(40)),
        Field("title", Text(200)),
        Field("role", Choice(Contact.Role.values, empty=Contact.Role.USER)),
        Field("language", Choice([code for code, _name in settings.LANGUAGES])),
        Field("time_zone", TimeZone()),
        Field("last_seen_at", Instant()),
        Field("unsubscribed_at", Instant()),
        Field("left_at", Instant()),
    )

    def apply(self, rows: Sequence[Row], occasion: Occasion) -> Outcome:
        outcome = Outcome()
        taken = _adopt(rows)
        good = []
        for row in rows:
            place = _place(row)
            if place[1] and taken.setdefault(place, row.values["external_id"]) != row.values["external_id"]:
                outcome.refused[row.line] = Refusal(
                    "address_taken",
                    _("Another contact of the account has the address %s already; merge them where they come from.")
                    % place[1],
                    field="email",
                )
            else:
                good.append({**row.values, "account_id": row.values["account"]})
        for values in good:
            del values["account"]
        written = upsert(Contact, key=self.identity, rows=good, also=("updated_at",))
        changed = [*written.created, *(contact for contact, _before in written.updated)]
        touch({contact.account_id for contact in changed})
        outcome.created, outcome.updated = len(written.created), len(written.updated)
        outcome.unchanged = len(written.unchanged)
        return outcome


def _place(row: Row) -> tuple[Any, str]:
    return row.values["account"], row.values.get("email") or ""


def _adopt(rows: Sequence[Row]) -> dict[tuple[Any, str], str]:
    """Give people known by their address alone the id that the file has for them; returns whose each address is."""
    wanted: dict[tuple[Any, str], str] = {}
    for row in rows:
        if _place(row)[1]:
            wanted.setdefault(_place(row), row.values["external_id"])
    known = set(
        Contact.objects.filter(external_id__in=set(wanted.values())).order_by().values_list("external_id", flat=True)
    )
    there = Contact.objects.filter(
        account__in={account for account, _address in wanted}, email__in={address for _account, address in wanted}
    ).order_by("pk")
    taken = {}
    adopted = []
    for contact in there.select_for_update():
        place = (contact.account_id, contact.email)
        if contact.external_id is None and place in wanted and wanted[place] not in known:
            contact.external_id = wanted[place]
            adopted.append(contact)
        taken[place] = contact.external_id or ""
    Contact.objects.bulk_update(adopted, ["external_id"])
    return taken
