"""What changes usage: tracking calls, counts from elsewhere, and the day's turn."""

from usage.services.rollup import add_active_users, add_daily_usage, turn_windows

__all__ = ["add_active_users", "add_daily_usage", "turn_windows"]
