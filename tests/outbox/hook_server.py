"""A real HTTP server whose answer is chosen by the path; it keeps what it was sent."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ssl import SSLContext
from typing import Any


@dataclass(frozen=True)
class Post:
    path: str
    headers: dict[str, str]
    body: bytes


class Receiver(ThreadingHTTPServer):
    """Answers 200; ``/500`` and the like that status; ``/later`` 429 with Retry-After; ``/moved`` sends to ``/ok``.

    ``/trickles`` sends a header that never ends a byte at a time, ``/dribbles`` such a body, ``/endless`` a body
    without an end; ``/hangs`` says nothing until the test is over.
    """

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.posts: list[Post] = []
        self.connections = 0
        self.over = threading.Event()
        self.hanging = threading.Event()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"

    def process_request(self, request: Any, client_address: Any) -> None:
        self.connections += 1
        super().process_request(request, client_address)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Clients that leave are the point of some tests."""


class _Handler(BaseHTTPRequestHandler):
    server: Receiver

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.server.posts.append(Post(self.path, {k.lower(): v for k, v in self.headers.items()}, body))
        name = self.path.strip("/")
        match name:
            case "later":
                self._answer(429, {"Retry-After": "3600"}, b"slow down")
            case "moved":
                self._answer(302, {"Location": f"{self.server.url}/ok"}, b"")
            case "hangs":
                self.server.hanging.set()
                self.server.over.wait()
            case "trickles":
                self._forever(b"HTTP/1.1 200 OK\r\nX-Slow: ", b"x", pause=0.02)
            case "dribbles":
                self._forever(b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n\r\n", b"x", pause=0.02)
            case "endless":
                self._forever(b"HTTP/1.1 200 OK\r\n\r\n", b"x" * 65_536, pause=0)
            case _:
                self._answer(int(name) if name.isdigit() else 200, {}, b"said")

    def _answer(self, status: int, headers: dict[str, str], body: bytes) -> None:
        self.send_response(status)
        for key, text in {**headers, "Content-Length": str(len(body))}.items():
            self.send_header(key, text)
        self.end_headers()
        self.wfile.write(body)

    def _forever(self, first: bytes, piece: bytes, *, pause: float) -> None:
        self.close_connection = True
        with suppress(OSError):
            self.wfile.write(first)
            while not self.server.over.wait(pause):
                self.wfile.write(piece)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        """Say nothing."""


@contextmanager
def receiver(tls: SSLContext | None = None) -> Iterator[Receiver]:
    """Run a server of one's own."""
    with Receiver() as server:
        if tls is not None:
            server.socket = tls.wrap_socket(server.socket, server_side=True)
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            yield server
        finally:
            server.over.set()
            server.shutdown()
            thread.join()
