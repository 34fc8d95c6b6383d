"""Pull one image from a registry, for linux/amd64, every byte held against its digest.

The protocol: https://github.com/opencontainers/distribution-spec/blob/v1.1.0/spec.md (pull) and
https://distribution.github.io/distribution/spec/auth/token/ (anonymous tokens). It was run
against a registry-speaking server on loopback (tests/unit/artefacts), never against upstream's:
where this was written no registry can be reached.
"""

from __future__ import annotations

import hashlib
import json
import re
import urllib.error
import urllib.parse
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, BinaryIO

from homelab.artefacts import fetch
from homelab.artefacts.errors import ArtefactError
from homelab.artefacts.fetch import Damaged, Moved

INDEXES = (
    "application/vnd.oci.image.index.v1+json",
    "application/vnd.docker.distribution.manifest.list.v2+json",
)
MANIFESTS = (
    "application/vnd.oci.image.manifest.v1+json",
    "application/vnd.docker.distribution.manifest.v2+json",
)
LOOPBACK = re.compile(r"(localhost|127(\.\d+){3})(:\d+)?\Z")
DIGEST = re.compile(r"sha256:[0-9a-f]{64}\Z")
LARGEST_MANIFEST = 4 << 20  # bytes; the specification asks registries to take that much


@dataclass(frozen=True)
class Blob:
    """A descriptor: ``digest`` as ``sha256:…``, ``size`` in bytes."""

    digest: str
    size: int
    media_type: str


@dataclass(frozen=True)
class Pulled:
    """An image's manifest as it came, and what it names. ``index`` is the digest that was asked."""

    manifest: bytes
    descriptor: Blob
    index: str
    config: Blob
    layers: tuple[Blob, ...]

    @property
    def blobs(self) -> tuple[Blob, ...]:
        """All blobs, each once."""
        return tuple({blob.digest: blob for blob in (self.config, *self.layers)}.values())


class Repository:
    """One repository of one registry, ``registry.k8s.io/kube-proxy``."""

    def __init__(self, name: str, pauses: tuple[float, ...] = fetch.PAUSES) -> None:
        host, _, path = name.partition("/")
        if not path or not ("." in host or ":" in host or host == "localhost"):
            host, path = "docker.io", name if "/" in name else f"library/{name}"
        self.name, self.pauses = path, pauses
        host = "registry-1.docker.io" if host == "docker.io" else host
        scheme = "http" if LOOPBACK.match(host) else "https"  # as containerd and Docker do
        self.root = f"{scheme}://{host}/v2/{path}"
        self.token: str | None = None

    def image(self, reference: str) -> Pulled:
        """The image at a tag or digest; ArtefactError if it can't be had for linux/amd64."""
        what = f"{self.root}/manifests/{reference}"
        try:
            body, kind = self._manifest(reference)
            index = digest(body)
            if kind in INDEXES:
                body, kind = self._manifest(_for_linux_amd64(json.loads(body)["manifests"], what))
            if kind not in MANIFESTS:
                mend = "pin an image of schema 2 or OCI"
                raise ArtefactError(f"{what} is no image", f"media type {kind!r}", mend)
            parsed = json.loads(body)
            layers = tuple(_blob(layer) for layer in parsed["layers"])
            found = Blob(digest(body), len(body), kind)
            return Pulled(body, found, index, _blob(parsed["config"]), layers)
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise ArtefactError(f"{what} is malformed", repr(error)) from None

    def blob(self, blob: Blob, dest: BinaryIO, moved: Moved = lambda count: None) -> None:
        """Append a blob to ``dest``, proven; a failed try is cut off again."""
        start = dest.tell()

        def attempt() -> None:
            dest.seek(start)
            dest.truncate()
            with self._open(f"blobs/{blob.digest}") as source:
                found, size = fetch.copy(source, dest, moved)
            if f"sha256:{found}" != blob.digest or size != blob.size:
                raise Damaged(f"{size} bytes with sha256:{found}, {blob.size} were promised")

        fetch.tried(f"{self.root}/blobs/{blob.digest}", attempt, self.pauses)

    def _manifest(self, reference: str) -> tuple[bytes, str]:
        """A manifest's bytes and media type, proven if it was asked for by digest."""

        def attempt() -> tuple[bytes, str]:
            accept = {"Accept": ", ".join((*INDEXES, *MANIFESTS))}
            with self._open(f"manifests/{reference}", accept) as answer:
                body = answer.read(LARGEST_MANIFEST)
                kind = answer.headers.get_content_type()
            if DIGEST.match(reference) and digest(body) != reference:
                raise Damaged(f"its digest is {digest(body)} instead of {reference}")
            return body, json.loads(body).get("mediaType", kind)

        return fetch.tried(f"{self.root}/manifests/{reference}", attempt, self.pauses)

    def _open(self, path: str, headers: dict[str, str] | None = None) -> Any:
        """GET below the repository, with a token where the registry wants one."""
        url = f"{self.root}/{path}"
        try:
            return fetch.opened(url, self._headers(headers))
        except urllib.error.HTTPError as error:
            if error.code != 401:
                raise
            challenge = error.headers.get("WWW-Authenticate", "")
            error.close()
        self.token = _token(challenge, self.name)
        return fetch.opened(url, self._headers(headers))

    def _headers(self, headers: dict[str, str] | None) -> dict[str, str]:
        token = {"Authorization": f"Bearer {self.token}"} if self.token else {}
        return {**(headers or {}), **token}


def digest(body: bytes) -> str:
    return f"sha256:{hashlib.sha256(body).hexdigest()}"


def _token(challenge: str, name: str) -> str:
    """An anonymous pull token, as the challenge of a 401 tells where to get it."""
    scheme, _, rest = challenge.partition(" ")
    said = dict(re.findall(r'(\w+)="([^"]*)"', rest))
    if scheme.lower() != "bearer" or "realm" not in said:
        what = f"the registry of {name} wants a login"
        raise ArtefactError(what, challenge or "HTTP 401", "name a mirror that lets everyone read")
    query = {"scope": said.get("scope", f"repository:{name}:pull")}
    if "service" in said:
        query["service"] = said["service"]
    separator = "&" if "?" in said["realm"] else "?"
    with fetch.opened(f"{said['realm']}{separator}{urllib.parse.urlencode(query)}") as answer:
        found = json.loads(answer.read(LARGEST_MANIFEST))
    token = found.get("token") or found.get("access_token")
    if not isinstance(token, str):
        raise ArtefactError(f"{said['realm']} gave no token", f"for {name}")
    return token


def _for_linux_amd64(manifests: Iterable[dict[str, Any]], name: str) -> str:
    """The digest of the image for our machines, in an index of many."""
    for entry in manifests:
        platform = entry.get("platform", {})
        if platform.get("os") == "linux" and platform.get("architecture") == "amd64":
            return _blob(entry).digest
    raise ArtefactError(f"{name} has no image for linux/amd64", mend="pin another version")


def _blob(raw: dict[str, Any]) -> Blob:
    if not DIGEST.match(str(raw.get("digest"))):  # it becomes a file name
        raise ArtefactError("a registry's manifest is refused", f"digest {raw.get('digest')!r}")
    return Blob(raw["digest"], int(raw["size"]), str(raw.get("mediaType", "")))
