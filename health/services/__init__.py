"""What changes health: computing it, and defining what it is computed from."""

from health.services.compute import compute_health, compute_touched
from health.services.definitions import (
    DefinitionError,
    create_measure,
    create_profile,
    delete_measure,
    delete_profile,
    update_measure,
    update_profile,
)
from health.services.sweeps import compute_chunk, sweep_anew, sweep_if_due

__all__ = [
    "DefinitionError",
    "compute_chunk",
    "compute_health",
    "compute_touched",
    "create_measure",
    "create_profile",
    "delete_measure",
    "delete_profile",
    "sweep_anew",
    "sweep_if_due",
    "update_measure",
    "update_profile",
]
