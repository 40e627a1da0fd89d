"""Pieces of pages that are drawn once."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import TypeVar

from django.conf import settings

Drawn = TypeVar("Drawn")


def kept(draw: Callable[..., Drawn]) -> Callable[..., Drawn]:
    """What no page changes is drawn once for each kind of reader; while one works on the templates, each time."""
    return draw if settings.DEBUG else lru_cache(maxsize=512)(draw)
