"""What playbooks can do. A module here declares one action; adding one touches nothing else."""

from importlib import import_module
from pkgutil import iter_modules

from playbooks.actions.base import REGISTRY, Action, Moment, Names, Shown

for _module in iter_modules(__path__, f"{__name__}."):
    import_module(_module.name)

__all__ = ["REGISTRY", "Action", "Moment", "Names", "Shown"]
