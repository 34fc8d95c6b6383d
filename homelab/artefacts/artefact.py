"""One pinned file, and where its contents go."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

Kind = Literal["binary", "archive", "image", "chart"]
# One segment of a path that is the same as a URL, as a file name and in a shell.
SEGMENT = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+-]*\Z")


def safe(path: str) -> bool:
    """Whether a relative path can neither leave its folder nor need quoting."""
    return all(SEGMENT.match(segment) for segment in path.split("/"))


@dataclass(frozen=True)
class Install:
    """Where a file of the artefact goes.

    ``member`` is its path inside an archive, "" for the artefact itself; an archive with
    member "" is unpacked as a whole into the folder ``target``.
    ``target`` is absolute on a machine; on the controller it is relative to the site's own
    folder (:func:`homelab.site.derived.out_folder`).
    """

    member: str
    target: str
    mode: int = 0o755


@dataclass(frozen=True)
class Artefact:
    """A file that a site needs.

    ``path`` is upstream host + upstream path, so ``https://`` + path is where upstream has it, and
    a mirror's or bundle's root + path is where those have it. An image's path is
    ``images/<registry>/<name>_<tag>.tar``, as no server has images as files.

    ``sha256`` is the file's, in hex; None with the reason in ``why``: then the manifest of a
    bundle or mirror must have it. An image's tar is made here, so its hash is never known
    upstream; what upstream does promise is ``digest``, the registry's (``sha256:…``).

    ``optional`` artefacts are left out where the bundle has none.
    """

    name: str
    version: str
    path: str
    kind: Kind
    sha256: str | None = None
    size: int | None = None
    install: tuple[Install, ...] = ()
    why: str = ""
    digest: str | None = None
    optional: bool = False

    def __post_init__(self) -> None:
        if not safe(self.path):
            raise ValueError(f"{self.name}: {self.path!r} is no safe relative path")

    @property
    def reference(self) -> str:
        """An image's full name, ``registry.k8s.io/pause:3.10``."""
        return f"{self.name}:{self.version}"
