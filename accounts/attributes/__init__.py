"""Attributes: what is true of an account now. Every app declares its own in its ``attributes.py``."""

from accounts.attributes import own as own
from accounts.attributes import people as people
from accounts.attributes import support as support
from accounts.attributes.registry import (
    ACCOUNT,
    Attribute,
    Catalogue,
    Column,
    Context,
    Family,
    Ratio,
    Source,
    Type,
    register,
    register_family,
)
from accounts.attributes.relation import Facts, Scope, facts_relation, read_facts

__all__ = [
    "ACCOUNT",
    "Attribute",
    "Catalogue",
    "Column",
    "Context",
    "Facts",
    "Family",
    "Ratio",
    "Scope",
    "Source",
    "Type",
    "facts_relation",
    "read_facts",
    "register",
    "register_family",
]
