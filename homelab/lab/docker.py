"""Docker's HTTP API over its Unix socket.

The `docker` program takes 30 to 100 ms to start; a fault has to take effect now,
and its time has to be known. https://docs.docker.com/engine/api/v1.41/
"""

import http.client
import json
import socket
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

from homelab.lab.errors import LabError

VERSION = "v1.41"  # of Debian bookworm's docker.io; later daemons speak it too


class _Connection(http.client.HTTPConnection):
    """HTTP to a Unix socket."""

    def __init__(self, path: Path, timeout: float) -> None:
        super().__init__("docker", timeout=timeout)
        self.path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(str(self.path))


class Docker:
    """The calls that the lab needs."""

    def __init__(self, path: Path, timeout: float = 60) -> None:
        """Talk to the daemon that listens at `path`."""
        self.path = path
        self.timeout = timeout

    def ask(
        self,
        method: str,
        path: str,
        query: Mapping[str, str] | None = None,
        body: object = None,
        fine: tuple[int, ...] = (),
    ) -> Any:
        """Make one call; `fine` are further status codes that are no error."""
        connection = _Connection(self.path, self.timeout)
        target = f"/{VERSION}{path}" + (f"?{urlencode(query)}" if query else "")
        data = json.dumps(body) if body is not None else None
        headers = {"Content-Type": "application/json"} if data else {}
        try:
            connection.request(method, target, data, headers)
            answer = connection.getresponse()
            content = answer.read()
        except OSError as error:
            then = "is the lab up? look with `lab status`"
            raise LabError(
                f"the Docker daemon at {self.path} does not answer", str(error), then
            ) from error
        finally:
            connection.close()
        said = _decoded(content)
        if answer.status >= 400 and answer.status not in fine:
            why = said.get("message", "") if isinstance(said, dict) else str(said)
            raise LabError(f"Docker refuses {method} {path} ({answer.status})", why)
        return said

    def alive(self) -> bool:
        """Whether the daemon answers."""
        try:
            self.ask("GET", "/_ping")
        except LabError:
            return False
        return True

    def containers(self, label: str) -> list[dict[str, Any]]:
        """All containers with a label, running or not."""
        filters = json.dumps({"label": [label]})
        found: list[dict[str, Any]] = self.ask(
            "GET", "/containers/json", {"all": "true", "filters": filters}
        )
        return found

    def inspect(self, container: str) -> dict[str, Any]:
        """Everything about one container; empty if there is none."""
        found: dict[str, Any] = self.ask("GET", f"/containers/{quote(container)}/json", fine=(404,))
        return found if "Id" in found else {}

    def act(self, container: str, action: str, fine: tuple[int, ...] = ()) -> None:
        """Start, kill, pause or unpause; that it is so already (304) is fine."""
        self.ask("POST", f"/containers/{quote(container)}/{action}", fine=fine)

    def remove(self, container: str) -> None:
        """Remove a container and its volumes without a name, running or not."""
        query = {"force": "true", "v": "true"}
        self.ask("DELETE", f"/containers/{quote(container)}", query, fine=(404,))


def _decoded(content: bytes) -> Any:
    try:
        return json.loads(content)
    except ValueError:
        return content.decode(errors="replace")
