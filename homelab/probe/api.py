"""The least client of the Kubernetes API that a probe needs: one connection, JSON in, JSON out.

The kubernetes package takes half a second of CPU to import and hides connections in a pool; a
probe must know which connection it uses and what each one costs.
"""

from __future__ import annotations

import http.client
import json
import socket
from typing import Any

from homelab.probe.access import Access


class NeverSentError(Exception):
    """No connection could be made, so the request surely had no effect."""


class RefusedError(Exception):
    """The API answered with an error that says the request had no effect."""


class UnknownError(Exception):
    """The request was sent, and whether it took effect can't be told from here."""


class Api:
    """Requests over one TLS connection, made anew after any error.

    ``connect_timeout`` covers TCP and TLS, ``timeout`` each wait for an answer; seconds.
    """

    def __init__(
        self, access: Access, address: str, *, connect_timeout: float = 0.5, timeout: float = 1.0
    ) -> None:
        self.access = access
        self.address = address
        self.connect_timeout = connect_timeout
        self.timeout = timeout
        self._context = access.client()
        self._connection: http.client.HTTPConnection | None = None

    def request(self, method: str, path: str, body: object = None) -> Any:
        """The decoded answer; raises NeverSentError, RefusedError or UnknownError."""
        connection = self._connection
        if connection is None or connection.sock is None:  # None: the server asked to close
            connection = self._connect()
        try:
            text = None if body is None else json.dumps(body)
            connection.request(method, path, text, {"Content-Type": "application/json"})
            response = connection.getresponse()
            answer = json.loads(response.read() or b"{}")
        except (OSError, http.client.HTTPException, ValueError) as error:
            self.close()
            raise UnknownError(f"{type(error).__name__}: {error}") from error
        if response.status < 300:
            return answer
        said = f"HTTP {response.status} {str(answer.get('message', ''))[:120]}"
        # A 5xx may come after the write: "etcdserver: request timed out" says nothing about it.
        if response.status >= 500:
            self.close()
            raise UnknownError(said)
        raise RefusedError(said)

    def close(self) -> None:
        """Drop the connection; the next request makes a new one."""
        if self._connection:
            self._connection.close()
        self._connection = None

    def _connect(self) -> http.client.HTTPConnection:
        connection = http.client.HTTPConnection(self.access.name, self.access.port)
        try:
            plain = socket.create_connection((self.address, self.access.port), self.connect_timeout)
            plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            try:
                secure = self._context.wrap_socket(plain, server_hostname=self.access.name)
            except OSError:
                plain.close()
                raise
        except OSError as error:
            raise NeverSentError(f"{type(error).__name__}: {error}") from error
        secure.settimeout(self.timeout)
        connection.sock = secure
        self._connection = connection
        return connection
