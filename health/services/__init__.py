"""What changes health: computing it, and defining what it is computed from."""

from health.services.compute import compute_health, compute_touched

__all__ = ["compute_health", "compute_touched"]
