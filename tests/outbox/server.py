"""A real SMTP server whose answer to a recipient is chosen by the name before the @."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any, cast

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

ANSWERS = {
    "busy": "421 4.3.2 Come back later",
    "full": "450 4.2.2 Mailbox full",
    "nobody": "550 5.1.1 No such user",
    "relay": "550 5.7.1 Relaying denied",
}


class Postmaster:
    """Keeps what arrives. ``drops@`` loses the connection after the whole mail, ``hangs@`` never gets an answer."""

    def __init__(self) -> None:
        self.mails: list[EmailMessage] = []
        self.connections = 0
        self.hanging = threading.Event()

    async def handle_EHLO(  # noqa: N802
        self, server: SMTP, session: Session, envelope: Envelope, hostname: str, responses: list[str]
    ) -> list[str]:
        self.connections += 1
        session.host_name = hostname
        return responses

    async def handle_RCPT(  # noqa: N802
        self, server: SMTP, session: Session, envelope: Envelope, address: str, rcpt_options: list[str]
    ) -> str:
        answer = ANSWERS.get(address.partition("@")[0])
        if answer:
            return answer
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        mail = message_from_bytes(cast("bytes", envelope.content), policy=policy.default)
        name = envelope.rcpt_tos[0].partition("@")[0]
        if name == "hangs":
            self.hanging.set()
            await asyncio.Event().wait()
        if name == "spam":
            return "554 5.6.0 Not this text"
        self.mails.append(mail)
        if name == "drops":
            cast("Any", server.transport).abort()
        return "250 OK"


class _BoundController(Controller):
    """A controller on a socket that is bound already, so that nobody else can have its port."""

    def __init__(self, handler: Postmaster, bound: socket.socket) -> None:
        super().__init__(handler, hostname="127.0.0.1", port=bound.getsockname()[1])
        self._bound = bound

    def _create_server(self) -> Any:
        return self.loop.create_server(self._factory_invoker, sock=self._bound)


@contextmanager
def smtp_server() -> Iterator[tuple[Postmaster, int]]:
    """Run a server of one's own; yields what it keeps and its port."""
    postmaster = Postmaster()
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        controller = _BoundController(postmaster, bound)
        controller.start()
        try:
            yield postmaster, controller.port
        finally:
            controller.stop()
