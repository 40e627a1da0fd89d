from health.models.formula import Band, Measure, NamedScore, Profile, ProfileMeasure, Version
from health.models.override import Override
from health.models.score import HealthDay, HealthScore
from health.models.simulation import SimulatedLoss, SimulatedScore, Simulation, SimulationChunk
from health.models.sweep import Sweep, SweepChunk

__all__ = [
    "Band",
    "HealthDay",
    "HealthScore",
    "Measure",
    "NamedScore",
    "Override",
    "Profile",
    "ProfileMeasure",
    "SimulatedLoss",
    "SimulatedScore",
    "Simulation",
    "SimulationChunk",
    "Sweep",
    "SweepChunk",
    "Version",
]
