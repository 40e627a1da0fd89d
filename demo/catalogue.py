"""What the demo company sells and how it works: plans, features, segments, surveys, staff."""

from dataclasses import dataclass
from typing import Any

COMPANY = "Harbor"
TIME_ZONE = "Europe/Sofia"
CURRENCY = "EUR"
SENDER = "Harbor Customer Success"


@dataclass(frozen=True, slots=True)
class Colleague:
    """One person of the demo company's staff; ``scale`` weighs how many accounts they own in each touch model.

    ``hours`` is how many a week they have for customers.
    """

    email: str
    name: str
    role: str
    scale: dict[str, int]
    hours: int = 30
    is_senior: bool = False


STAFF = (
    Colleague("admin@demo.example", "Nadia Petrova", "admin", {}),
    Colleague("leader@demo.example", "Henrik Solberg", "leader", {}),
    Colleague("csm@demo.example", "Maya Lindholm", "csm", {"high_touch": 3, "low_touch": 2}, is_senior=True),
    Colleague("tomas@demo.example", "Tomás Arrieta", "csm", {"high_touch": 3}),
    Colleague("wei@demo.example", "林 雨桐", "csm", {"high_touch": 2, "low_touch": 2}),
    Colleague("ivana@demo.example", "Ивана Стоева", "csm", {"high_touch": 2, "low_touch": 2}, hours=20),
    Colleague("grace@demo.example", "Grace Achterberg", "csm", {"low_touch": 3}),
    Colleague("yuri@demo.example", "Юрий Климов", "csm", {"low_touch": 3}),
    Colleague("sam@demo.example", "Sam Okonjo", "csm", {"self_service": 1}, hours=12),
    Colleague("support@demo.example", "Beatriz Salas", "viewer", {}),
)

# (key, name, the plans that include it from the smallest on, actions a seat on a working day)
FEATURES = (
    ("tasks", "Tasks", "starter", 1.9),
    ("boards", "Boards", "starter", 0.9),
    ("documents", "Documents", "starter", 1.1),
    ("file-sharing", "File sharing", "starter", 0.6),
    ("comments", "Comments", "starter", 0.8),
    ("search", "Search", "starter", 0.7),
    ("notifications", "Notifications", "starter", 0.5),
    ("calendar", "Calendar", "starter", 0.5),
    ("mobile-app", "Mobile app", "starter", 0.6),
    ("templates", "Templates", "starter", 0.08),
    ("reactions", "Reactions", "starter", 0.3),
    ("email-bridge", "Email bridge", "starter", 0.1),
    ("messaging", "Messaging", "team", 2.2),
    ("video-calls", "Video calls", "team", 0.25),
    ("screen-sharing", "Screen sharing", "team", 0.15),
    ("guest-access", "Guest access", "team", 0.06),
    ("polls", "Polls", "team", 0.04),
    ("wiki", "Wiki", "team", 0.3),
    ("forms", "Forms", "team", 0.1),
    ("dashboards", "Dashboards", "team", 0.2),
    ("integrations", "Integrations", "team", 0.12),
    ("whiteboards", "Whiteboards", "team", 0.1),
    ("time-tracking", "Time tracking", "team", 0.35),
    ("custom-fields", "Custom fields", "team", 0.07),
    ("workflows", "Workflows", "business", 0.25),
    ("automations", "Automations", "business", 0.4),
    ("approvals", "Approvals", "business", 0.15),
    ("goals", "Goals", "business", 0.08),
    ("reports", "Reports", "business", 0.12),
    ("recordings", "Recordings", "business", 0.06),
    ("api", "API", "business", 0.5),
    ("webhooks", "Webhooks", "business", 0.3),
    ("permissions", "Permissions", "business", 0.03),
    ("data-export", "Data export", "business", 0.02),
    ("single-sign-on", "Single sign-on", "enterprise", 0.8),
    ("audit-log", "Audit log", "enterprise", 0.03),
    ("retention-rules", "Retention rules", "enterprise", 0.01),
    ("translations", "Translations", "enterprise", 0.08),
    ("summaries", "Summaries", "enterprise", 0.15),
    ("sandbox", "Sandbox", "enterprise", 0.02),
)
ESSENTIAL = {"tasks", "documents", "notifications"}
DEFINES_VALUE = {"boards", "workflows"}

# (key, name, monthly price of a seat)
PLANS = (
    ("starter", "Starter", 7),
    ("team", "Team", 12),
    ("business", "Business", 19),
    ("enterprise", "Enterprise", 27),
)
PLAN_ORDER = [key for key, _name, _price in PLANS]

# (key, name, target days, is lost)
STAGES = (
    ("onboarding", "Onboarding", 30, False),
    ("adoption", "Adoption", 90, False),
    ("value", "Value", None, False),
    ("renewal", "Renewal", 60, False),
    ("expansion", "Expansion", 60, False),
    ("advocacy", "Advocacy", None, False),
    ("offboarding", "Offboarding", 30, False),
    ("lost", "Lost", None, True),
)


def leaf(attribute: str, operator: str, value: Any = None) -> dict[str, Any]:
    """One leaf of a condition."""
    return {"attribute": attribute, "operator": operator, "value": value}


# (key, name, description, condition), the deciding one first
SEGMENTS = (
    (
        "enterprise",
        "Enterprise",
        "The enterprise plan, or five thousand a month and more.",
        {"any": [leaf("plan", "is", "enterprise"), leaf("mrr", "gte", 5000)]},
    ),
    (
        "mid-market",
        "Mid-market",
        "People look after them, and they pay five hundred a month and more.",
        {"all": [leaf("touch_model", "in", ["high_touch", "low_touch"]), leaf("mrr", "gte", 500)]},
    ),
    (
        "growth",
        "Growth",
        "Smaller customers with a CSM.",
        leaf("touch_model", "in", ["high_touch", "low_touch"]),
    ),
    (
        "self-service",
        "Self-service",
        "Bought on the web and look after themselves.",
        leaf("touch_model", "is", "self_service"),
    ),
)
STAFFED_SEGMENTS = ["enterprise", "mid-market", "growth"]

# Each has a key, a label, a type, the choices and a unit.
CUSTOM_FIELDS: tuple[tuple[str, str, str, list[str], str], ...] = (
    ("invoice_days_late", "Days the last invoice was late", "number", [], "days"),
    ("data_region", "Data region", "choice", ["EU", "US", "Asia"], ""),
    ("goal", "What they want to achieve", "text", [], ""),
    ("has_admin_trained", "An administrator is trained", "boolean", [], ""),
    ("went_live_on", "Went live on", "date", [], ""),
)

# Each has a key, a name and a kind.
SURVEYS = (("nps", "Relationship NPS", "nps", 3), ("csat", "After a ticket", "csat", None))
