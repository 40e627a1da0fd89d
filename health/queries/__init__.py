"""What is known of health: the definitions in force, scores and their explanation, history."""

from health.queries.definitions import Definitions, Problem, definitions_in_force, load_definitions
from health.queries.explain import (
    DayOfHealth,
    ExplainedMeasure,
    HealthExplanation,
    LeftOut,
    explain_health,
    health_history,
)

__all__ = [
    "DayOfHealth",
    "Definitions",
    "ExplainedMeasure",
    "HealthExplanation",
    "LeftOut",
    "Problem",
    "definitions_in_force",
    "explain_health",
    "health_history",
    "load_definitions",
]
