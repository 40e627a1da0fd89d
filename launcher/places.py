"""Where the launcher keeps things: pure arithmetic on paths, so that settings can name a server before it runs."""

import hashlib
import os
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
LOCAL = ROOT / ".local"

TEST_REDIS_DATABASES = 16_384
"""How many databases the shared test server has: a pytest process uses the one of its process id."""

_SOCKET_LIMIT = 100
"""A Unix socket's path is at most 107 bytes on Linux, 103 on macOS."""


def short_folder(folder: Path, purpose: str) -> Path:
    """Return the folder under /tmp that stands in for `folder` where that is too deep or too closed."""
    digest = hashlib.sha256(os.fsencode(folder)).hexdigest()[:16]
    return Path("/tmp") / f"csp-{digest}-{purpose}"  # noqa: S108


@dataclass(frozen=True, kw_only=True)
class Place:
    """One PostgreSQL and one Valkey: their data and the addresses under which they answer."""

    folder: Path

    @property
    def postgres_data(self) -> Path:
        """The folder of PostgreSQL's files."""
        return self.folder / "postgres"

    @property
    def redis_data(self) -> Path:
        """The folder of Valkey's append-only file."""
        return self.folder / "redis"

    @property
    def sockets(self) -> Path:
        """The folder of both servers' sockets; under /tmp where the checkout's own path is too long for one."""
        near = self.folder / "run"
        if len(os.fsencode(near / ".s.PGSQL.5432.lock")) <= _SOCKET_LIMIT:
            return near
        return short_folder(self.folder, "run")

    @property
    def database_url(self) -> str:
        """The address of the database for Django and for libpq."""
        return f"postgres:///cs?host={self.sockets}&user=postgres"

    @property
    def redis_url(self) -> str:
        """The address of Valkey for redis-py, without a database number."""
        return f"unix://{self.sockets / 'redis.sock'}"


DEVELOPMENT = Place(folder=LOCAL)
TESTS = Place(folder=LOCAL / "test-servers")
