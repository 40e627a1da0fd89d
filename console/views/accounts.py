"""The list of accounts: its address says what it shows, so that every view of it can be kept and sent."""

from __future__ import annotations

from typing import Any

from django.http import HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.utils.cache import patch_vary_headers
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from accounts.attributes import Catalogue
from accounts.conditions import ConditionError
from accounts.models import Account, CustomField
from common import clock
from console.queries.accounts import (
    DEFAULT_COLUMNS,
    KEPT_WHEN_NARROW,
    OFFERED_COLUMNS,
    PAGE,
    Listing,
    Wanted,
    list_accounts,
    read_wanted,
    sentence,
)
from console.queries.saved_views import views_bar
from console.staff import StaffRequest, staff_page


@staff_page
@require_GET
def accounts(request: StaffRequest) -> HttpResponse:
    """One page of the accounts that this person may see."""
    views = views_bar("accounts", request.GET, user=request.user)
    if not request.GET and views.default_url:
        return redirect(f"{request.path}{views.default_url}")
    catalogue = Catalogue()
    wanted = read_wanted(request.GET, catalogue=catalogue, user=request.user)
    listing = Listing([], 0)
    if not wanted.problem:
        visible = Account.objects.visible_to(request.user)
        try:
            listing = list_accounts(visible, wanted, catalogue=catalogue, now=clock.now())
        except ConditionError as error:
            wanted.problem = sentence(error)
    address = _address(request, wanted)
    part = request.htmx and request.htmx.target == "accounts"
    context = {**_context(address, wanted, listing, catalogue), "is_part": part}
    context["views"] = views
    response = render(request, "console/_accounts.html" if part else "console/accounts.html", context)
    patch_vary_headers(response, ["HX-Request"])
    if part:
        response["HX-Push-Url"] = f"{request.path}{_url(address)}"
    return response


def _address(request: StaffRequest, wanted: Wanted) -> QueryDict:
    """The address that says the same with the fewest words: what is empty or usual is left out."""
    query = request.GET.copy()
    query.pop("column", None)
    query["columns"] = ",".join(attribute.key for attribute in wanted.columns)
    if query["columns"] == ",".join(DEFAULT_COLUMNS):
        del query["columns"]
    for name in [name for name, value in query.items() if not value]:
        del query[name]
    return query


def _context(address: QueryDict, wanted: Wanted, listing: Listing, catalogue: Catalogue) -> dict[str, Any]:
    shown = {attribute.key for attribute in wanted.columns}
    offered = [catalogue[key] for key in OFFERED_COLUMNS if key in catalogue]
    custom = [catalogue[f"custom.{key}"] for key in CustomField.objects.values_list("key", flat=True)]
    extra = [attribute for attribute in wanted.columns if attribute not in offered and attribute not in custom]
    return {
        "wanted": wanted,
        "listing": listing,
        "name_heading": _heading(address, wanted, catalogue["name"], _("Account")),
        "headings": [_heading(address, wanted, attribute) for attribute in wanted.columns],
        "choices": [(attribute, attribute.key in shown) for attribute in [*offered, *custom, *extra]],
        "sort": address.get("sort", ""),
        "all_url": _url(address, sort="", columns="", **{"from": ""}),
        "first": wanted.offset + 1,
        "last": wanted.offset + len(listing.rows),
        "previous_url": _url(address, **{"from": str(max(wanted.offset - PAGE, 0))}) if wanted.offset else "",
        "next_url": _url(address, **{"from": str(wanted.offset + PAGE)})
        if wanted.offset + len(listing.rows) < listing.total
        else "",
    }


def _heading(address: QueryDict, wanted: Wanted, attribute: Any, label: str = "") -> dict[str, Any]:
    is_sorted = wanted.order_by.key == attribute.key
    # Numbers are mostly looked at from the largest down, words from the first letter on.
    down_first = attribute.type.is_numeric and attribute.key != "health"
    descending = not wanted.descending if is_sorted else down_first
    return {
        "label": label or attribute.label,
        "number": attribute.type.is_numeric and attribute.key != "health",
        "stays": attribute.key in KEPT_WHEN_NARROW,
        "url": _url(address, sort=f"{'-' if descending else ''}{attribute.key}", **{"from": ""}),
        "sorted": ("descending" if wanted.descending else "ascending") if is_sorted else "",
    }


def _url(address: QueryDict, **changes: str) -> str:
    query = address.copy()
    for name, value in changes.items():
        if value:
            query[name] = value
        else:
            query.pop(name, None)
    return f"?{query.urlencode()}"
