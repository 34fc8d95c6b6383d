"""A document is the exact text of one file on a machine; a layer is what is applied together."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Document:
    """One file: where, what, and who may read it.

    ``secret`` keeps the text out of diffs, logs and reports; its ``mode`` must then be 0600-like.
    """

    path: str
    text: str = field(repr=False)
    mode: int = 0o644
    owner: str = "root"
    group: str = "root"
    secret: bool = False

    @property
    def sha256(self) -> str:
        return hashlib.sha256(self.text.encode()).hexdigest()


@dataclass(frozen=True)
class Layer:
    """Documents that stand or fall together, their checker, and how they come into force.

    ``check`` runs on the machine before anything is replaced, with ``$STAGE`` set to a folder
    that holds the new files under their full paths (``haproxy -c -f $STAGE/etc/haproxy/...``).
    ``activate`` brings them into force; it runs again until it has succeeded once for exactly
    these documents (a run killed between writing and restarting is finished by the next one).
    ``absent`` are paths that must not exist. ``units`` must be enabled and active (else
    ``activate`` runs again). ``live`` is a cheap read-only shell test that the documents are in
    force now, e.g. after a reboot; it fails (non-zero) when ``activate`` must run again.
    """

    name: str
    documents: tuple[Document, ...]
    check: str = ""
    activate: str = ""
    absent: tuple[str, ...] = ()
    units: tuple[str, ...] = ()
    live: str = ""

    @property
    def digest(self) -> str:
        """Identifies the documents and the way they are activated."""
        parts = [self.name, self.activate, *self.absent, *self.units]
        parts += [f"{d.path} {d.sha256} {d.mode:o}" for d in self.documents]
        return hashlib.sha256("\n".join(parts).encode()).hexdigest()

    @property
    def record(self) -> str:
        """What a machine keeps of a layer that it has brought into force: the digest, then a line
        for each file as it was written. So drift can tell a hand's change from the site's."""
        lines = [self.digest]
        lines += [f"{d.sha256} {d.mode:o} {d.owner} {d.group} {d.path}" for d in self.documents]
        return "\n".join(lines) + "\n"
