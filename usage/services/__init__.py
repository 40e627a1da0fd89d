"""What changes usage: tracking calls, counts from elsewhere, and the day's turn."""

from usage.services.attribution import assign_waiting
from usage.services.ingest import ingest_batch
from usage.services.keys import create_write_key
from usage.services.past import roll_past
from usage.services.rejected import replay_rejected
from usage.services.rollup import add_active_users, add_daily_usage, turn_windows
from usage.services.upkeep import purge

__all__ = [
    "add_active_users",
    "add_daily_usage",
    "assign_waiting",
    "create_write_key",
    "ingest_batch",
    "purge",
    "replay_rejected",
    "roll_past",
    "turn_windows",
]
