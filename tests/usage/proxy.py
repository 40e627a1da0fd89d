"""A proxy that loses connections the way networks do: before the request arrived, or after it was carried out."""

import socket
import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any


@dataclass
class Losses:
    """Which requests are lost, counted from one, and how many were."""

    every: int
    requests: int = 0
    before: int = 0
    after: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)

    def fate(self) -> str:
        """Decide what becomes of the next request."""
        with self.lock:
            self.requests += 1
            if self.requests % self.every == 0:
                self.after += 1
                return "after"
            if self.requests % self.every == self.every // 2:
                self.before += 1
                return "before"
            return "none"


@contextmanager
def lossy_proxy(target: Path, *, every: int) -> Iterator[tuple[int, Losses]]:
    """Forward requests to the Unix socket `target`; yields the port and what was lost.

    Of `every` requests one is dropped unread, and one when its answer is there, which nobody gets to see.
    """
    losses = Losses(every)

    class Handler(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            request = _read_request(self.request)
            if not request:
                return
            fate = losses.fate()
            if fate == "before":
                return
            with socket.socket(socket.AF_UNIX) as upstream:
                upstream.connect(str(target))
                upstream.sendall(request)
                answer = b"".join(iter(lambda: upstream.recv(65_536), b""))
            if fate == "none":
                self.request.sendall(answer)

    class Server(socketserver.ThreadingTCPServer):
        daemon_threads = True

    with Server(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield server.server_address[1], losses
        server.shutdown()
        thread.join()


def _read_request(client: Any) -> bytes:
    """One whole request with a length, asking the server to close the connection after it."""
    data = b""
    while b"\r\n\r\n" not in data:
        part = client.recv(65_536)
        if not part:
            return b""
        data += part
    head, _blank, body = data.partition(b"\r\n\r\n")
    lines = [line for line in head.split(b"\r\n") if not line.lower().startswith(b"connection:")]
    length = next(int(line.split(b":")[1]) for line in lines if line.lower().startswith(b"content-length:"))
    while len(body) < length:
        body += client.recv(65_536)
    return b"\r\n".join([*lines, b"Connection: close"]) + b"\r\n\r\n" + body
