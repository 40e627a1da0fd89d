"""How long the database may keep each kind of process.

They are given as the connection begins, so `options` in `DATABASE_URL` come later and win.
"""

from typing import Any

EVERYWHERE = {
    # A process that stands still in a transaction (a paused machine, a forgotten shell) gives its locks back.
    "idle_in_transaction_session_timeout": "10min",
}
"""Workers and commands have no other limit: a sweep, an import or a migration takes the time that it takes."""

WEB = {
    # SDKs wait 10 to 15 seconds for an answer, and gunicorn ends a request after 60.
    "lock_timeout": "5s",
    "statement_timeout": "20s",
    "idle_in_transaction_session_timeout": "30s",
}
"""Somebody waits for the web process: it says that it cannot rather than queue behind a lock."""


def limited(database: dict[str, Any], limits: dict[str, str]) -> dict[str, Any]:
    """Return the settings of `database` with the limits on each of its connections."""
    words = [f"-c {name}={value}" for name, value in limits.items()]
    options = {"connect_timeout": 5, **database["OPTIONS"]}
    options["options"] = " ".join([*words, options.get("options", "")]).strip()
    return {**database, "OPTIONS": options}
