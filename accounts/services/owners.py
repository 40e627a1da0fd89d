"""What the ledger says of an account that changes hands."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

FOLLOWS = "follows"


def handed(
    before: int | None, after: int | None, names: Mapping[int, str], *, reason: str = "", **more: Any
) -> dict[str, Any]:
    """The data of ``account.assigned``: who had the account and who has it, by ids and by ``names``.

    Where ``work`` is ``FOLLOWS``, its open work is still to go along, which the playbooks see to.
    """
    return {
        "from": before,
        "to": after,
        "from_name": names.get(before or 0, ""),
        "name": names.get(after or 0, ""),
        "reason": reason,
        **more,
    }
