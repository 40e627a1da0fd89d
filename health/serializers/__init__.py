from health.serializers.definitions import (
    MeasureSerializer,
    NamedScoreSerializer,
    ProfileSerializer,
    PublishVersionSerializer,
    RollBackSerializer,
    VersionSerializer,
)
from health.serializers.explained import (
    ChangeDaysSerializer,
    HealthChangeSerializer,
    HealthSerializer,
    HistoryDaysSerializer,
    HistorySerializer,
)
from health.serializers.overrides import OverrideSerializer
from health.serializers.simulations import SimulationSerializer

__all__ = [
    "ChangeDaysSerializer",
    "HealthChangeSerializer",
    "HealthSerializer",
    "HistoryDaysSerializer",
    "HistorySerializer",
    "MeasureSerializer",
    "NamedScoreSerializer",
    "OverrideSerializer",
    "ProfileSerializer",
    "PublishVersionSerializer",
    "RollBackSerializer",
    "SimulationSerializer",
    "VersionSerializer",
]
