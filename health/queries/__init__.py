"""What is known of health: the definitions in force, scores and their explanation, history."""

from health.queries.changes import Cause, HealthChange, MeasureChange, Split, what_changed
from health.queries.definitions import Definitions, Problem, definitions_in_force, load_definitions
from health.queries.explain import DayOfHealth, explain_health, health_history
from health.queries.explained import ExplainedGroup, ExplainedMeasure, HealthExplanation, LeftOut
from health.queries.sentences import explanation_sentences
from health.queries.sentences_of_change import change_sentences

__all__ = [
    "Cause",
    "DayOfHealth",
    "Definitions",
    "ExplainedGroup",
    "ExplainedMeasure",
    "HealthChange",
    "HealthExplanation",
    "LeftOut",
    "MeasureChange",
    "Problem",
    "Split",
    "change_sentences",
    "definitions_in_force",
    "explain_health",
    "explanation_sentences",
    "health_history",
    "load_definitions",
    "what_changed",
]
