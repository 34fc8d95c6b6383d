"""How a probe gets at the API: an admin kubeconfig, by way of one address."""

from __future__ import annotations

import base64
import ssl
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import yaml


@dataclass(frozen=True)
class Access:
    """The API's name and port, and PEM texts of its CA and of a client; ``key`` stays secret."""

    name: str
    port: int
    ca: str
    certificate: str
    key: str = field(repr=False)

    def server(self) -> ssl.SSLContext:
        """Trusts the cluster's CA and nobody else; says nothing about who asks."""
        return ssl.create_default_context(cadata=self.ca)

    def client(self) -> ssl.SSLContext:
        """As :meth:`server`, and shows the admin's certificate."""
        context = self.server()
        # ssl takes certificates from files only; NamedTemporaryFile makes them 0600.
        with tempfile.NamedTemporaryFile("w", suffix=".pem") as file:
            file.write(f"{self.certificate}\n{self.key}\n")
            file.flush()
            context.load_cert_chain(file.name)
        return context


def from_kubeconfig(path: Path) -> Access:
    """The access that the current context of a kubeconfig with embedded certificates grants.

    Raises KeyError or StopIteration if it is none that kubeadm wrote.
    """
    config = yaml.safe_load(path.read_text())
    context = _named(config["contexts"], config["current-context"])["context"]
    cluster = _named(config["clusters"], context["cluster"])["cluster"]
    user = _named(config["users"], context["user"])["user"]
    server = urlsplit(cluster["server"])
    return Access(
        name=server.hostname or "",
        port=server.port or 443,
        ca=_decoded(cluster["certificate-authority-data"]),
        certificate=_decoded(user["client-certificate-data"]),
        key=_decoded(user["client-key-data"]),
    )


def _named(entries: list[dict[str, Any]], name: str) -> dict[str, Any]:
    return next(entry for entry in entries if entry["name"] == name)


def _decoded(data: str) -> str:
    return base64.b64decode(data).decode()
