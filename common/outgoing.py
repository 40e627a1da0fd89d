"""The one way out: every request to an address that a person typed goes through ``request``.

A name is resolved once, each of its addresses is checked, and the connection goes to the very address that was
checked, so that a name which changes its mind reaches nothing inside. Nothing is followed, no proxy is asked, time is
bounded over all and not only between two bytes, and no more of an answer is read than somebody would look at.
"""

from __future__ import annotations

import socket
import ssl
import time
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Any
from urllib.parse import urlsplit

import httpcore
from django.conf import settings
from django.utils.translation import gettext as _

from common.errors import DomainError

SECONDS = 10.0
"""For the whole request: connecting, TLS, sending, and reading the answer."""
MOST_BYTES = 16_384
"""Of an answer's body; the rest is left unread."""
MOST_ADDRESSES = 3
PIECE = 16_384
LONGEST_URL = 2000

Address = IPv4Address | IPv6Address

_PUBLIC_6 = ip_network("2000::/3")
_NAT64 = IPv6Network("64:ff9b::/96")
_RESERVED = tuple(
    ip_network(network)
    for network in (
        # The registry of special-purpose addresses (RFC 6890), and multicast.
        *("0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12"),
        *("192.0.0.0/24", "192.0.2.0/24", "192.88.99.0/24", "192.168.0.0/16", "198.18.0.0/15", "198.51.100.0/24"),
        *("203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4"),
        # Protocol assignments with Teredo, documentation, and 6to4: none of them is anybody's server.
        *("2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20"),
    )
)


class Blocked(DomainError):
    """An address that requests may not go to."""

    code = "blocked_address"


class NoAnswer(Exception):
    """The other side was not reached, broke off, or was too slow; the message is for the operator."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back: the status, the headers by lower-case name, and the beginning of the body."""

    status: int
    headers: Mapping[str, str]
    body: bytes


def check_url(url: str) -> None:
    """Raise Blocked, with a sentence for who typed it, when ``url`` cannot be an address that requests may go to.

    A name is not looked up here, since it may mean something else tomorrow: ``request`` does that each time.
    """
    host, port, is_tls = _parts(url)
    for address in _literal(host, port):
        _check_address(host, address)
    if not (is_tls or _is_trusted(host)):
        raise Blocked(_("Use an address that begins with https://, so that nobody reads along."))


def request(
    method: str, url: str, *, headers: Mapping[str, str], body: bytes = b"", seconds: float = SECONDS
) -> Answer:
    """Send one request and return its answer, whatever the status; redirects are answers like any other.

    Raises Blocked, without having sent a packet, for what must not be reached, and NoAnswer for what was not.
    """
    check_url(url)
    way = _Way(deadline=time.monotonic() + seconds)
    sent = {"User-Agent": "CS-Platform", "Accept-Encoding": "identity", "Connection": "close", **headers}
    if body:
        sent["Content-Length"] = str(len(body))
    try:
        with (
            httpcore.ConnectionPool(ssl_context=_tls(), network_backend=way) as pool,
            pool.stream(method, url, headers=list(sent.items()), content=body or None) as response,
        ):
            return Answer(response.status, _named(response.headers), _beginning(response.iter_stream()))
    except (httpcore.TimeoutException, TimeoutError) as error:
        raise NoAnswer(f"no answer within {seconds:g} seconds") from error
    except (httpcore.NetworkError, httpcore.ProtocolError, OSError) as error:
        raise NoAnswer(str(error) or type(error).__name__) from error


def _parts(url: str) -> tuple[str, int, bool]:
    try:
        parts = urlsplit(url)
        host, port = (parts.hostname or "").rstrip("."), parts.port
    except ValueError:
        host, port, parts = "", None, urlsplit("")
    if (
        parts.scheme not in {"http", "https"}
        or not host
        or port == 0
        or len(url) > LONGEST_URL
        or not url.isascii()
        or not url.isprintable()
        or " " in url
    ):
        raise Blocked(_("Enter a whole address, such as https://hooks.example.com/customers."))
    if "@" in parts.netloc:
        raise Blocked(_("Leave the name and the password out of the address."))
    is_tls = parts.scheme == "https"
    return host, port or (443 if is_tls else 80), is_tls


def _literal(host: str, port: int) -> Iterable[Address]:
    """The address that ``host`` is a spelling of (``127.1``, ``0x7f000001``); nothing for a name."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_NUMERICHOST)
    except (OSError, UnicodeError):
        return ()
    return [ip_address(entry[4][0]) for entry in found]


def _addresses(host: str, port: int) -> list[Address]:
    """What ``host`` resolves to now. A name server that is slow is given up by the system's own limits."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise NoAnswer(f"the name {host} was not found") from error
    return list(dict.fromkeys(ip_address(entry[4][0]) for entry in found))


def _is_trusted(host: str) -> bool:
    """Whether the operator named this host, or the network of this address, as one of their own."""
    address = next(iter(_literal(host, 0)), None)
    return host.casefold() in _own_names() if address is None else _is_own(address)


def _own_names() -> set[str]:
    return {entry.casefold() for entry in settings.OUTGOING_PRIVATE if _network(entry) is None}


def _is_own(address: Address) -> bool:
    networks = (_network(entry) for entry in settings.OUTGOING_PRIVATE)
    return any(address in network for network in networks if network is not None)


@lru_cache
def _network(entry: str) -> Any:
    try:
        return ip_network(entry)
    except ValueError:
        return None


def _check_address(host: str, address: Address) -> None:
    if host.casefold() in _own_names() or _is_own(address):
        return
    if not _is_public(address):
        raise Blocked(
            _("%(host)s is inside a network (%(address)s); requests go only to public addresses.")
            % {"host": host, "address": address}
        )


def _is_public(address: Address) -> bool:
    if isinstance(address, IPv6Address):
        inner = address.ipv4_mapped or (IPv4Address(int(address) & 0xFFFF_FFFF) if address in _NAT64 else None)
        if inner is not None:
            return _is_public(inner)
        if address not in _PUBLIC_6:
            return False
    return not any(address in network for network in _RESERVED)


class _Way(httpcore.NetworkBackend):
    """Connects to what was checked, until the deadline."""

    def __init__(self, deadline: float) -> None:
        self._deadline = deadline
        self._sockets = httpcore.SyncBackend()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.NetworkStream:
        host = host.rstrip(".")
        addresses = _addresses(host, port)
        for address in addresses:
            _check_address(host, address)
        failed: Exception = NoAnswer(f"the name {host} was not found")
        for address in addresses[:MOST_ADDRESSES]:
            try:
                stream = self._sockets.connect_tcp(str(address), port, timeout=_left(self._deadline))
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                failed = error
            else:
                return _Stream(stream, self._deadline)
        raise failed


class _Stream(httpcore.NetworkStream):
    """A connection each of whose steps may last only until the deadline."""

    def __init__(self, inner: httpcore.NetworkStream, deadline: float) -> None:
        self._inner = inner
        self._deadline = deadline

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._inner.read(max_bytes, _left(self._deadline))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        for start in range(0, len(buffer), PIECE):
            self._inner.write(buffer[start : start + PIECE], _left(self._deadline))

    def close(self) -> None:
        self._inner.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        return _Stream(self._inner.start_tls(ssl_context, server_hostname, _left(self._deadline)), self._deadline)

    def get_extra_info(self, info: str) -> Any:
        return self._inner.get_extra_info(info)


def _left(deadline: float) -> float:
    left = deadline - time.monotonic()
    if left <= 0:
        raise TimeoutError
    return left


@lru_cache
def _tls() -> ssl.SSLContext:
    """The system's certificates, to which an operator can add their own."""
    return ssl.create_default_context()


def _named(headers: Iterable[tuple[bytes, bytes]]) -> dict[str, str]:
    return {name.decode("latin-1").lower(): text.decode("latin-1") for name, text in headers}


def _beginning(pieces: Iterable[bytes]) -> bytes:
    # The status is there: a body that trickles, breaks off or never ends changes nothing about it.
    read = b""
    with suppress(httpcore.TimeoutException, httpcore.NetworkError, httpcore.ProtocolError, OSError):
        for piece in pieces:
            read += piece
            if len(read) >= MOST_BYTES:
                break
    return read[:MOST_BYTES]
