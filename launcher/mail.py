"""A mail server for the demo: it takes every message over SMTP and writes it to a folder as an .eml file."""

import signal
import sys
import threading
from datetime import UTC, datetime
from itertools import count
from pathlib import Path

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session


class Folder:
    """Keeps what arrives: one file a message, named by when it came and for whom."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.numbers = count(1)

    async def handle_DATA(self, _server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802  # aiosmtpd's name
        """Write one message and accept it."""
        content = envelope.content or b""
        data = content if isinstance(content, bytes) else content.encode()
        moment = datetime.now(UTC).strftime("%Y%m%d-%H%M%S")
        first = "".join(char if char.isalnum() or char in "@.-" else "_" for char in envelope.rcpt_tos[0])
        path = self.folder / f"{moment}-{next(self.numbers):04}-{first[:80]}.eml"
        path.write_bytes(data)
        return "250 Message accepted"


def main() -> None:
    """Serve on the port of the first argument, into the folder of the second, until told to stop."""
    port, folder = int(sys.argv[1]), Path(sys.argv[2])
    folder.mkdir(parents=True, exist_ok=True)
    stopped = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopped.set())
    controller = Controller(Folder(folder), hostname="127.0.0.1", port=port)
    controller.start()
    stopped.wait()
    controller.stop()


if __name__ == "__main__":
    main()
