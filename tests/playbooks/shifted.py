"""The product's Celery application by a clock that a test moves: the file CLOCK says by how many seconds it is off."""

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path
from unittest.mock import patch

from common import clock
from cs_platform.celery import app

__all__ = ["app"]

OFF_BY = Path(os.environ["CLOCK"])


def shifted() -> datetime:
    return datetime.now(UTC) + timedelta(seconds=float(OFF_BY.read_text()))


patch.object(clock, "now", shifted).start()
