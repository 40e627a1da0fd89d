import socket
import ssl
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from pytest_django import Settings

from common import outgoing
from common.outgoing import MOST_BYTES, Blocked, NoAnswer, check_url, request
from tests.house.processes import free_port
from tests.outbox.hook_server import Receiver, receiver

INSIDE = [
    "127.0.0.1",
    "127.1",
    "2130706433",
    "0x7f000001",
    "0177.0.0.1",
    "127.0.0.1.",
    "0",
    "0.0.0.0",
    "10.1.2.3",
    "100.64.0.1",
    "169.254.169.254",
    "172.16.0.1",
    "192.0.0.1",
    "192.168.0.1",
    "198.18.0.1",
    "224.0.0.1",
    "240.0.0.1",
    "255.255.255.255",
    "[::]",
    "[::1]",
    "[::127.0.0.1]",
    "[::ffff:127.0.0.1]",
    "[::ffff:7f00:1]",
    "[64:ff9b::127.0.0.1]",
    "[64:ff9b::a00:1]",
    "[64:ff9b:1::7f00:1]",
    "[2002:7f00:1::]",
    "[2002:808:808::1]",
    "[2001::7f00:1]",
    "[2001:db8::1]",
    "[fc00::1]",
    "[fe80::1]",
    "[fec0::1]",
    "[ff02::1]",
]


@pytest.fixture
def server(settings: Settings) -> Iterator[Receiver]:
    settings.OUTGOING_PRIVATE = ["127.0.0.0/8"]
    with receiver() as running:
        yield running


def post(url: str, seconds: float = 10) -> outgoing.Answer:
    return request("POST", url, headers={"X-Kind": "test"}, body=b"{}", seconds=seconds)


Names = Callable[[dict[str, list[str]]], list[str]]


@pytest.fixture
def names(monkeypatch: pytest.MonkeyPatch) -> Names:
    """A name server: a name's next address at each question, the last one for ever; returns which were asked."""
    real = socket.getaddrinfo

    def serve(book: dict[str, list[str]]) -> list[str]:
        asked: list[str] = []

        def answer(host: str, port: Any, *args: Any, **named: Any) -> Any:
            if host not in book or named.get("flags", 0) & socket.AI_NUMERICHOST:
                return real(host, port, *args, **named)
            asked.append(host)
            addresses = book[host]
            address = addresses.pop(0) if len(addresses) > 1 else addresses[0]
            return [entry for one in address.split(",") for entry in real(one, port, type=socket.SOCK_STREAM)]

        monkeypatch.setattr(socket, "getaddrinfo", answer)
        return asked

    return serve


@pytest.mark.parametrize("host", INSIDE)
def test_no_packet_leaves_when_an_address_is_inside(host: str) -> None:
    with receiver() as server, pytest.raises(Blocked, match="inside a network"):
        post(f"https://{host}:{server.server_port}/ok")

    assert server.connections == 0


@pytest.mark.parametrize("host", ["127.0.0.1", "10.1.2.3", "169.254.169.254", *INSIDE[18:]])
def test_no_packet_leaves_when_a_name_resolves_to_an_address_inside(names: Names, host: str) -> None:
    names({"hooks.example": [host.strip("[]")]})
    with receiver() as server, pytest.raises(Blocked):
        post(f"https://hooks.example:{server.server_port}/ok")

    assert server.connections == 0


def test_no_packet_leaves_when_one_of_a_names_addresses_is_inside(names: Names) -> None:
    names({"hooks.example": ["93.184.216.34,127.0.0.1"]})
    with receiver() as server, pytest.raises(Blocked):
        post(f"https://hooks.example:{server.server_port}/ok")

    assert server.connections == 0


@pytest.mark.parametrize("host", ["93.184.216.34", "[2606:4700::1111]", "[64:ff9b::5db8:d822]", "hooks.example"])
def test_an_address_is_good_when_it_is_public(host: str) -> None:
    check_url(f"https://{host}/customers?token=a")


@pytest.mark.parametrize(
    "url",
    [
        "",
        "hooks.example/x",
        "ftp://hooks.example/x",
        "file:///etc/passwd",
        "https://",
        "https://:443/",
        "https://hooks.example:0/",
        "https://hooks.example:99999/",
        "https://name:word@hooks.example/",
        "https://hooks.example/a b",
        "https://hooks.example/\r\nHost: inside",
        "https://①②⑦.⓪.⓪.①/",
        "https://bücher.example/",
        "https://[::1/",
        f"https://hooks.example/{'x' * 2000}",
        "http://hooks.example/plain",
    ],
)
def test_an_address_is_refused_with_a_remedy_when_it_cannot_be_one(url: str) -> None:
    with pytest.raises(Blocked) as refused:
        check_url(url)

    assert refused.value.code == "blocked_address"


def test_the_request_arrives_when_the_operator_named_the_network(server: Receiver) -> None:
    answer = post(f"{server.url}/ok")

    assert (answer.status, answer.body) == (200, b"said")
    [got] = server.posts
    assert got.body == b"{}"
    assert got.headers["x-kind"] == "test"
    assert got.headers["user-agent"] == "CS-Platform"


def test_the_request_arrives_when_the_operator_named_the_host(settings: Settings, names: Names) -> None:
    settings.OUTGOING_PRIVATE = ["Chat.Intra.example"]
    names({"chat.intra.example": ["127.0.0.1"], "other.intra.example": ["127.0.0.1"]})
    with receiver() as server:
        assert post(f"http://chat.intra.example:{server.server_port}/ok").status == 200
        with pytest.raises(Blocked):
            post(f"https://other.intra.example:{server.server_port}/ok")

    assert server.connections == 1


def test_the_checked_address_is_used_when_a_name_changes_between_check_and_use(
    settings: Settings, names: Names
) -> None:
    settings.OUTGOING_PRIVATE = ["hooks.example"]
    asked = names({"hooks.example": ["127.0.0.1", "127.0.0.2"]})
    with receiver() as server:
        assert post(f"http://hooks.example:{server.server_port}/ok").status == 200

    assert asked == ["hooks.example"]
    assert server.posts[0].headers["host"] == f"hooks.example:{server.server_port}"


def test_a_redirect_is_an_answer_when_a_server_sends_one(server: Receiver) -> None:
    assert post(f"{server.url}/moved").status == 302
    assert [got.path for got in server.posts] == ["/moved"]


def test_the_request_ends_when_headers_trickle(server: Receiver) -> None:
    with pytest.raises(NoAnswer, match=r"no answer within 0\.5 seconds"):
        post(f"{server.url}/trickles", seconds=0.5)


def test_the_request_ends_when_nothing_is_said(server: Receiver) -> None:
    with pytest.raises(NoAnswer, match="no answer within"):
        post(f"{server.url}/hangs", seconds=0.3)


def test_the_status_counts_when_the_body_trickles(server: Receiver) -> None:
    answer = post(f"{server.url}/dribbles", seconds=0.5)

    assert answer.status == 200
    assert len(answer.body) < MOST_BYTES


def test_only_the_beginning_is_read_when_the_body_never_ends(server: Receiver) -> None:
    answer = post(f"{server.url}/endless")

    assert (answer.status, len(answer.body)) == (200, MOST_BYTES)


def test_the_request_fails_in_words_when_nobody_listens(settings: Settings) -> None:
    settings.OUTGOING_PRIVATE = ["127.0.0.0/8"]
    with pytest.raises(NoAnswer, match="refused"):
        post(f"http://127.0.0.1:{free_port()}/ok")


def test_the_request_fails_in_words_when_a_name_is_nobodys(names: Names) -> None:
    with pytest.raises(NoAnswer, match=r"the name nobody\.invalid was not found"):
        post("https://nobody.invalid/ok")


def test_no_proxy_is_asked_when_the_environment_names_one(server: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, f"http://127.0.0.1:{free_port()}")

    assert post(f"{server.url}/ok").status == 200


def certificate(folder: Path, name: str) -> Path:
    """A certificate for ``name`` that signs itself, with its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .sign(key, hashes.SHA256())
    )
    path = folder / f"{name}.pem"
    path.write_bytes(
        made.public_bytes(serialization.Encoding.PEM)
        + key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return path


@pytest.mark.parametrize(("host", "passes"), [("hooks.example", True), ("other.example", False)])
def test_the_certificate_must_be_for_the_name_when_the_address_is_what_we_connect_to(
    names: Names, settings: Settings, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, host: str, passes: bool
) -> None:
    settings.OUTGOING_PRIVATE = ["127.0.0.0/8"]
    pem = certificate(tmp_path, "hooks.example")
    names({"hooks.example": ["127.0.0.1"], "other.example": ["127.0.0.1"]})
    trusting = ssl.create_default_context(cafile=str(pem))
    monkeypatch.setattr(outgoing, "_tls", lambda: trusting)
    serving = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    serving.load_cert_chain(pem)

    with receiver(serving) as server:
        url = f"https://{host}:{server.server_port}/ok"
        if passes:
            assert post(url).status == 200
        else:
            with pytest.raises(NoAnswer, match="certificate"):
                post(url)

    assert len(server.posts) == int(passes)
