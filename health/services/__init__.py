"""What changes health: computing it, setting it by hand, and defining and publishing what it is computed from."""

from health.services.compute import compute_health, compute_touched
from health.services.counting import define_measure
from health.services.definitions import (
    DefinitionError,
    create_measure,
    create_profile,
    delete_measure,
    delete_profile,
    problems_of_measure,
    update_measure,
    update_profile,
)
from health.services.drops import tell_drops
from health.services.named import create_named_score, update_named_score
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
    "create_named_score",
    "create_profile",
    "define_measure",
    "delete_measure",
    "delete_profile",
    "discard_draft",
    "end_override",
    "expire_overrides",
    "open_draft",
    "override_score",
    "problems_of_measure",
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
    "update_named_score",
    "update_profile",
    "withdraw",
]
