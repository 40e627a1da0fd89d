"""Ready measures: what most companies begin with, each a declaration that can be added to a draft as it is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

FEATURE = "{feature}"
"""Stands in an attribute for the key of the feature that is chosen when the measure is added."""


@dataclass(frozen=True, slots=True)
class ReadyMade:
    """One ready measure. The fields are those of ``health.models.Measure``.

    With ``is_fitted`` the values of the curve depend on the company and its product: they are laid over its own
    accounts when the measure is added (see ``health.queries.fitting``), and ``curve`` stands where there are too few.
    """

    key: str
    label: str | Promise
    description: str | Promise
    group: Literal["usage", "relationship", "outcome", "support", "money"]
    attribute: str
    curve: Any
    direction: Literal["higher", "lower", "middle"] = "higher"
    missing: Literal["leave_out", "neutral", "worst"] = "leave_out"
    stale_after_days: int | None = None
    applies_when: Any = None
    is_fitted: bool = False

    @property
    def needs_feature(self) -> bool:
        """Whether a feature is chosen when it is added."""
        return FEATURE in self.attribute

    def attribute_of(self, feature: str) -> str:
        """The key of the attribute, with the feature of this key."""
        return self.attribute.replace(FEATURE, feature)


LIBRARY: tuple[ReadyMade, ...] = (
    ReadyMade(
        "adoption-breadth",
        _("Breadth of use"),
        _("How many of the features that they pay for are in use: who uses more of them leaves less easily."),
        "usage",
        "usage.breadth",
        [[10, 0], [30, 40], [60, 80], [85, 100]],
        missing="worst",
        stale_after_days=14,
    ),
    ReadyMade(
        "adoption-depth",
        _("Depth of use"),
        _("How much each active person does: many who only look in are less than a few who work in it."),
        "usage",
        "usage.depth",
        [[5, 0], [40, 50], [150, 100]],
        stale_after_days=14,
        is_fitted=True,
    ),
    ReadyMade(
        "seats-in-use",
        _("Seats in use"),
        _("How many of the seats that they pay for are in use. Empty seats go first when a contract is renewed."),
        "usage",
        "seats.active_share",
        [[20, 0], [50, 40], [75, 75], [95, 100]],
        stale_after_days=14,
    ),
    ReadyMade(
        "login-recency",
        _("Last use"),
        _("Days since anybody there used the product. Long silence is the plainest sign of all."),
        "usage",
        "usage.days_since",
        {"below": 100, "steps": [[3, 80], [7, 40], [14, 0]]},
        direction="lower",
        missing="worst",
    ),
    ReadyMade(
        "usage-trend",
        _("Trend of use"),
        _("Their use in the last 28 days against their own 28 days before: it warns while the level still looks fine."),
        "usage",
        "usage.change_28d",
        [[-40, 0], [-15, 40], [0, 70], [25, 100]],
        stale_after_days=14,
    ),
    ReadyMade(
        "essential-features",
        _("Essential features"),
        _("How many of the essential features in their plan they used. Nobody has the product's worth without these."),
        "usage",
        "usage.essential_share",
        [[0, 0], [50, 30], [100, 100]],
        missing="worst",
        stale_after_days=14,
    ),
    ReadyMade(
        "feature-use",
        _("Use of one feature"),
        _("How often one feature was used in 28 days. Accounts whose plan does not include it are left out."),
        "usage",
        f"usage.{FEATURE}.28d",
        [[0, 0], [10, 50], [100, 100]],
        missing="worst",
        stale_after_days=14,
        is_fitted=True,
    ),
    ReadyMade(
        "feature-trend",
        _("Trend of one feature"),
        _("The use of one feature against the 28 days before, where it was used then."),
        "usage",
        f"usage.{FEATURE}.change_28d",
        [[-60, 0], [-25, 40], [0, 70], [30, 100]],
        stale_after_days=14,
    ),
    ReadyMade(
        "onboarding-progress",
        _("Onboarding progress"),
        _("How many of the essential features they have tried at all, in their first three months as a customer."),
        "usage",
        "onboarding.progress",
        [[0, 0], [50, 40], [100, 100]],
        missing="worst",
        stale_after_days=14,
        applies_when={"attribute": "customer_days", "operator": "lte", "value": 90},
    ),
    ReadyMade(
        "days-since-touch",
        _("Last touch"),
        _("Days since somebody spoke with them. It applies where a CSM looks after the account."),
        "relationship",
        "touch.days_since",
        [[14, 100], [45, 60], [90, 0]],
        direction="lower",
        missing="worst",
        applies_when={"attribute": "touch_model", "operator": "is_not", "value": "self_service"},
    ),
    ReadyMade(
        "sponsor-lost",
        _("Sponsor lost"),
        _("Whether the last champion or decision maker left within 90 days: who bought it can no longer defend it."),
        "relationship",
        "contacts.sponsor_lost",
        {"true": 0, "false": 100},
    ),
    ReadyMade(
        "champions",
        _("Champions"),
        _("How many people there speak for the product. One is good, two are safe."),
        "relationship",
        "contacts.champions",
        {"below": 0, "steps": [[1, 70], [2, 100]]},
        missing="worst",
    ),
    ReadyMade(
        "csm-rating",
        _("CSM's own rating"),
        _("How the CSM felt the account was doing when they last said so. It sees what no number does."),
        "relationship",
        "rating.csm",
        [[1, 0], [3, 50], [5, 100]],
        stale_after_days=60,
    ),
    ReadyMade(
        "nps",
        _("Last NPS answer"),
        _("The last answer to whether they would recommend the product, from 0 to 10."),
        "outcome",
        "nps.last",
        [[0, 0], [6, 20], [8, 65], [10, 100]],
        stale_after_days=365,
    ),
    ReadyMade(
        "csat",
        _("Last CSAT answer"),
        _("How satisfied they were when they were last asked, from 1 to 5."),
        "outcome",
        "csat.last",
        [[1, 0], [3, 35], [5, 100]],
        stale_after_days=180,
    ),
    ReadyMade(
        "tickets-open",
        _("Open tickets"),
        _("How many requests for support wait for an answer. One or two are everyday; many at once are trouble."),
        "support",
        "tickets.open",
        {"below": 100, "steps": [[1, 85], [3, 50], [6, 0]]},
        direction="lower",
        missing="neutral",
    ),
    ReadyMade(
        "tickets-urgent",
        _("Urgent tickets"),
        _("Open tickets that somebody there called urgent."),
        "support",
        "tickets.open_urgent",
        {"below": 100, "steps": [[1, 35], [2, 0]]},
        direction="lower",
        missing="neutral",
    ),
    ReadyMade(
        "tickets-reopened",
        _("Reopened tickets"),
        _("How often a ticket had to be opened again in 90 days. What was said to be solved was not."),
        "support",
        "tickets.reopened_90d",
        {"below": 100, "steps": [[1, 60], [2, 30], [3, 0]]},
        direction="lower",
        missing="neutral",
    ),
    ReadyMade(
        "tickets-slow",
        _("Slow tickets"),
        _("Tickets that have been open for more than five days: they hurt more than many quick ones."),
        "support",
        "tickets.slow_open",
        {"below": 100, "steps": [[1, 50], [2, 20], [3, 0]]},
        direction="lower",
        missing="neutral",
    ),
    ReadyMade(
        "invoices-overdue",
        _("Overdue invoices"),
        _("Invoices past their date. Who stops paying has often decided already."),
        "money",
        "invoices.overdue",
        {"below": 100, "steps": [[1, 40], [2, 0]]},
        direction="lower",
        missing="neutral",
    ),
    ReadyMade(
        "renewal-nearness",
        _("Renewal nearness"),
        _("Days until the contract ends. Close to the date the same signs weigh more."),
        "money",
        "days_to_renewal",
        [[0, 30], [60, 60], [120, 100]],
    ),
)

BY_KEY = {entry.key: entry for entry in LIBRARY}
