"""Many requests at once: by wrk where it is installed, else by as many threads of Python."""

from __future__ import annotations

import http.client
import shutil
import statistics
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from tempfile import TemporaryDirectory

CONNECTIONS = 8
SECONDS = 4

SCRIPT = """
done = function(summary, latency, requests)
    local wrong = summary.errors.status + summary.errors.read + summary.errors.connect + summary.errors.timeout
    io.write(string.format("p95=%f wrong=%d\\n", latency:percentile(95) / 1000, wrong))
end
"""


def p95(port: int, path: str, *, cookie: str) -> float:
    """The 95th percentile in milliseconds of getting `path` over and over, on eight connections at once.

    Raises RuntimeError when an answer was not the page.
    """
    return _by_wrk(port, path, cookie) if shutil.which("wrk") else _by_threads(port, path, cookie)


def _by_wrk(port: int, path: str, cookie: str) -> float:
    with TemporaryDirectory() as folder:
        script = Path(folder) / "p95.lua"
        script.write_text(SCRIPT)
        said = subprocess.run(
            ["wrk", "--threads=1", f"--connections={CONNECTIONS}", f"--duration={SECONDS}s", "--latency",
             f"--script={script}", f"--header=Cookie: {cookie}", f"http://127.0.0.1:{port}{path}"],
            check=True, capture_output=True, text=True,
        ).stdout  # fmt: skip
    figures = dict(part.split("=") for part in said.splitlines()[-1].split())
    if int(figures["wrong"]):
        raise RuntimeError(said)
    return float(figures["p95"])


def _by_threads(port: int, path: str, cookie: str) -> float:
    until = time.perf_counter() + SECONDS

    def ask(_place: int) -> list[float]:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
        taken = []
        while (started := time.perf_counter()) < until:
            connection.request("GET", path, headers={"Cookie": cookie})
            answer = connection.getresponse()
            answer.read()
            taken.append((time.perf_counter() - started) * 1000)
            if answer.status != 200:
                raise RuntimeError(f"{path} answered {answer.status}")
        connection.close()
        return taken

    with ThreadPoolExecutor(CONNECTIONS) as pool:
        every = [one for taken in pool.map(ask, range(CONNECTIONS)) for one in taken]
    return statistics.quantiles(every, n=20)[-1]
