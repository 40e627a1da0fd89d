"""What changes health: computing it, setting it by hand, and defining and publishing what it is computed from."""

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
from health.services.drops import tell_drops
from health.services.overrides import (
    end_override,
    expire_overrides,
    override_score,
    restore_override,
    take_back_override,
)
from health.services.simulations import simulate_chunk, start_simulation
from health.services.sweeps import compute_chunk, sweep_anew, sweep_if_due
from health.services.versions import discard_draft, open_draft, publish, roll_back, withdraw

__all__ = [
    "DefinitionError",
    "compute_chunk",
    "compute_health",
    "compute_touched",
    "create_measure",
    "create_profile",
    "delete_measure",
    "delete_profile",
    "discard_draft",
    "end_override",
    "expire_overrides",
    "open_draft",
    "override_score",
    "publish",
    "restore_override",
    "roll_back",
    "simulate_chunk",
    "start_simulation",
    "sweep_anew",
    "sweep_if_due",
    "take_back_override",
    "tell_drops",
    "update_measure",
    "update_profile",
    "withdraw",
]
