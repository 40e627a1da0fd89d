"""Health over the REST API: what scores are computed from, its versions, and the explained health of accounts."""

from health.api.accounts import AccountHealthChangesView, AccountHealthHistoryView, AccountHealthView
from health.api.definitions import MeasureViewSet, NamedScoreViewSet, ProfileViewSet
from health.api.overrides import AccountOverrideViewSet, OverrideViewSet
from health.api.simulations import SimulationView
from health.api.versions import VersionViewSet

__all__ = [
    "AccountHealthChangesView",
    "AccountHealthHistoryView",
    "AccountHealthView",
    "AccountOverrideViewSet",
    "MeasureViewSet",
    "NamedScoreViewSet",
    "OverrideViewSet",
    "ProfileViewSet",
    "SimulationView",
    "VersionViewSet",
]
