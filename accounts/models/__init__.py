from accounts.models.account import Account, AccountTeamMember, CustomField, Offboarding, Plan
from accounts.models.contact import Contact
from accounts.models.event import Event, EventInbox, Touched
from accounts.models.keys import ApiKey
from accounts.models.leave import Leave
from accounts.models.rating import Rating
from accounts.models.segment import Segment
from accounts.models.setting_change import SettingChange
from accounts.models.stage import Stage, StageEntry
from accounts.models.ticket import Ticket
from accounts.models.touchpoint import Touchpoint
from accounts.models.user import User
from accounts.models.workspace import Heartbeat, Workspace

__all__ = [
    "Account",
    "AccountTeamMember",
    "ApiKey",
    "Contact",
    "CustomField",
    "Event",
    "EventInbox",
    "Heartbeat",
    "Leave",
    "Offboarding",
    "Plan",
    "Rating",
    "Segment",
    "SettingChange",
    "Stage",
    "StageEntry",
    "Ticket",
    "Touched",
    "Touchpoint",
    "User",
    "Workspace",
]
