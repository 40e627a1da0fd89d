"""Ready playbooks to begin with. A module here is one; adding one touches nothing else."""

from importlib import import_module
from pkgutil import iter_modules

from playbooks.ready.base import READY, Ready

for _module in iter_modules(__path__, f"{__name__}."):
    import_module(_module.name)


def ready_playbooks() -> list[Ready]:
    """Every ready playbook, in the order in which they are offered."""
    return sorted(READY.values(), key=lambda ready: ready.place)


__all__ = ["Ready", "ready_playbooks"]
