"""Customers that belong together: three parent companies, and the accounts below them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import islice

from demo.shapes import Shape
from demo.stories import CSM


@dataclass(frozen=True, slots=True)
class Family:
    """A parent company and its parts; ``owner`` looks after all of them, or whoever has the parent already."""

    parent: str
    industry: str
    children: tuple[str, ...]
    owner: str = ""


FAMILIES = (
    Family("Calloway Group", "Retail", ("Calloway Stores", "Calloway Logistics", "Calloway Energy"), CSM),
    Family("Merrow Care Group", "Healthcare", ("Merrow Clinics North", "Merrow Clinics South")),
    Family(
        "Aurelian Foods Group",
        "Retail",
        ("Aurelian Foods Baltics", "Aurelian Foods Benelux", "Aurelian Foods Iberia", "Aurelian Foods Nordics"),
    ),
)


def gather(shapes: list[Shape]) -> list[Shape]:
    """The shapes with some customers that have no story turned into the members of ``FAMILIES``."""
    found = list(shapes)
    free = (
        at
        for at, shape in enumerate(shapes)
        if not shape.story and shape.touch_model != "self_service" and shape.ended_days_ago is None
    )
    for family in FAMILIES:
        places = list(islice(free, 1 + len(family.children)))
        owner = family.owner or (shapes[places[0]].owner if places else "")
        for place, name in zip(places, (family.parent, *family.children), strict=False):
            above = "" if name == family.parent else family.parent
            found[place] = replace(shapes[place], name=name, industry=family.industry, owner=owner, parent=above)
    return found
