"""Whether a request can have had an effect, decided against a real TLS server."""

from __future__ import annotations

import datetime
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from homelab.probe.access import Access
from homelab.probe.api import Api, NeverSentError, RefusedError, UnknownError

NAME = "api.lab.test"


@pytest.fixture(scope="module")
def identity() -> tuple[str, str]:
    """A self-signed certificate and its key, PEM; good for server and client."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, NAME)])
    now = datetime.datetime.now(datetime.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(NAME)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    return (
        certificate.public_bytes(serialization.Encoding.PEM).decode(),
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        ).decode(),
    )


@contextmanager
def serving(identity: tuple[str, str], folder: Path, *answers: str) -> Iterator[Api]:
    """An API that gives one connection per answer; an empty answer hangs up after the request."""
    (folder / "both.pem").write_text("\n".join(identity))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "both.pem")
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        for answer in answers:
            plain, _ = listener.accept()
            with context.wrap_socket(plain, server_side=True) as connection:
                receive(connection)
                connection.sendall(answer.encode())

    thread = threading.Thread(target=serve)
    thread.start()
    port = listener.getsockname()[1]
    api = Api(Access(NAME, port, identity[0], *identity), "127.0.0.1")
    try:
        yield api
    finally:
        api.close()
        thread.join(5)
        listener.close()


def receive(connection: ssl.SSLSocket) -> None:
    """A whole request: a server that closes before it has read all resets the connection."""
    with connection.makefile("rb") as file:
        length = 0
        while (line := file.readline()) not in (b"\r\n", b""):
            name, _, value = line.partition(b":")
            length = int(value) if name.lower() == b"content-length" else length
        file.read(length)


def http(status: str, body: str) -> str:
    return f"HTTP/1.1 {status}\r\nConnection: close\r\nContent-Length: {len(body)}\r\n\r\n{body}"


def test_success_is_decoded_and_a_closed_connection_made_anew(
    identity: tuple[str, str], tmp_path: Path
) -> None:
    with serving(identity, tmp_path, http("200 OK", '{"a": 1}'), http("201 C", "{}")) as api:
        assert api.request("GET", "/") == {"a": 1}
        assert api.request("POST", "/", {}) == {}


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (http("409 Conflict", '{"message": "it already exists"}'), RefusedError),
        (http("500 Internal", '{"message": "etcdserver: request timed out"}'), UnknownError),
        (http("200 OK", "{not json"), UnknownError),
        ("", UnknownError),
    ],
)
def test_errors_say_whether_the_request_can_have_had_an_effect(
    answer: str, error: type[Exception], identity: tuple[str, str], tmp_path: Path
) -> None:
    with serving(identity, tmp_path, answer) as api, pytest.raises(error):
        api.request("POST", "/", {})


def test_a_request_that_found_nobody_was_never_sent(identity: tuple[str, str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    with pytest.raises(NeverSentError):
        Api(Access(NAME, port, identity[0], *identity), "127.0.0.1").request("GET", "/")
