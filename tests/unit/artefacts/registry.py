"""A registry on loopback: the pull half of the distribution API, out of memory.

https://github.com/opencontainers/distribution-spec/blob/v1.1.0/spec.md
"""

from __future__ import annotations

import hashlib
import io
import json
import tarfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

OCI = "application/vnd.oci.image"
TOKEN = "a-token-for-everyone"


def digest(body: bytes) -> str:
    return f"sha256:{hashlib.sha256(body).hexdigest()}"


class Registry(ThreadingHTTPServer):
    """``manifests`` by (repository, tag or digest), ``blobs`` by digest.

    ``token``: pulls need a bearer token, which /token gives. ``store``: blobs are redirected to
    that server, as registry.k8s.io and quay.io do. ``asked`` has path and Authorization of every
    request. ``bad``: digests whose next answers are cut short, once for each mention.
    """

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.manifests: dict[tuple[str, str], tuple[str, bytes]] = {}
        self.blobs: dict[str, bytes] = {}
        self.asked: list[tuple[str, str | None]] = []
        self.bad: list[str] = []
        self.token = False
        self.challenge = ""
        self.store: Registry | None = None

    @property
    def host(self) -> str:
        return f"127.0.0.1:{self.server_port}"

    def put_image(self, repository: str, tag: str, platform: str = "linux/amd64") -> str:
        """An image of two layers under its own tag; its digest."""
        layers = [self._blob(_layer(f"{repository} {platform} {n}")) for n in (1, 2)]
        system, architecture = platform.split("/")
        rootfs = {"type": "layers", "diff_ids": [layer["digest"] for layer in layers]}
        about = {"os": system, "architecture": architecture, "rootfs": rootfs}
        config = self._blob(json.dumps(about).encode())
        manifest = {
            "schemaVersion": 2,
            "mediaType": f"{OCI}.manifest.v1+json",
            "config": config | {"mediaType": f"{OCI}.config.v1+json"},
            "layers": [layer | {"mediaType": f"{OCI}.layer.v1.tar"} for layer in layers],
        }
        return self.put_manifest(repository, tag, f"{OCI}.manifest.v1+json", manifest)

    def put_index(self, repository: str, tag: str, platforms: list[str]) -> str:
        """An index over images of several platforms; its digest."""
        entries = []
        for platform in platforms:
            system, architecture = platform.split("/")
            found = self.put_image(repository, f"{tag}-{architecture}", platform)
            entries.append(
                {
                    "mediaType": f"{OCI}.manifest.v1+json",
                    "digest": found,
                    "size": len(self.manifests[repository, found][1]),
                    "platform": {"os": system, "architecture": architecture},
                }
            )
        index = {"schemaVersion": 2, "manifests": entries}
        return self.put_manifest(repository, tag, f"{OCI}.index.v1+json", index)

    def put_manifest(self, repository: str, tag: str, kind: str, manifest: object) -> str:
        body = json.dumps(manifest).encode()
        for reference in (tag, digest(body)):
            self.manifests[repository, reference] = (kind, body)
        return digest(body)

    def _blob(self, body: bytes) -> dict[str, object]:
        self.blobs[digest(body)] = body
        return {"digest": digest(body), "size": len(body)}


def _layer(text: str) -> bytes:
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w") as tar:
        info = tarfile.TarInfo("etc/motd")
        info.size = len(text)
        tar.addfile(info, io.BytesIO(text.encode()))
    return file.getvalue()


class _Handler(BaseHTTPRequestHandler):
    server: Registry

    def do_GET(self) -> None:
        server, where = self.server, urlsplit(self.path)
        said = self.headers.get("Authorization")
        server.asked.append((self.path, said))
        if where.path == "/token":
            scope = parse_qs(where.query).get("scope", [""])[0]
            allowed = scope.startswith("repository:") and scope.endswith(":pull")
            answer = {"token": TOKEN} if allowed else {}
            return self._answer(200, "application/json", json.dumps(answer).encode())
        if server.token and said != f"Bearer {TOKEN}":
            return self._answer(401, "application/json", b"{}")
        repository, _, rest = where.path.removeprefix("/v2/").rpartition("/")
        repository, _, kind = repository.rpartition("/")
        if kind == "manifests" and (repository, rest) in server.manifests:
            found, body = server.manifests[repository, rest]
            accepted = found in (self.headers.get("Accept") or "")
            return self._answer(200 if accepted else 406, found, body)
        if kind == "blobs" and server.store:
            self.send_response(307)
            self.send_header("Location", f"http://{server.store.host}{where.path}")
            self.send_header("Content-Length", "0")
            return self.end_headers()
        if kind == "blobs" and rest in server.blobs:
            return self._answer(200, "application/octet-stream", server.blobs[rest], rest)
        return self._answer(404, "application/json", b'{"errors": []}')

    def _answer(self, code: int, kind: str, body: bytes, blob: str = "") -> None:
        self.send_response(code)
        if code == 401:
            realm = f'realm="http://{self.server.host}/token",service="{self.server.host}"'
            self.send_header("WWW-Authenticate", self.server.challenge or f"Bearer {realm}")
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if blob in self.server.bad:
            self.server.bad.remove(blob)
            body = body[: len(body) // 2]
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Quiet."""


@contextmanager
def registry() -> Iterator[Registry]:
    """The server, while the block runs."""
    with Registry() as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()
