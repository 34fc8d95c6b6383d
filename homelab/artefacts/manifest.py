"""``manifest.json``: what a bundle or a mirror holds, with checksums and sizes.

``{"artefacts": {"<relative path>": {"sha256": "<hex>", "size": <bytes>}}}``, sorted by path.
Other keys of an entry are kept for people and ignored here.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from homelab.artefacts.artefact import safe
from homelab.artefacts.errors import ArtefactError

NAME = "manifest.json"
HEX = re.compile(r"[0-9a-f]{64}\Z")
MEND = "collect the bundle again: nox -s bundle -- INVENTORY"


@dataclass(frozen=True)
class Entry:
    """What is known of one file; ``size`` in bytes."""

    sha256: str
    size: int
    more: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Manifest:
    """Relative path to entry; ``where`` is for messages."""

    entries: Mapping[str, Entry] = field(default_factory=dict)
    where: str = "(no manifest)"

    def get(self, path: str) -> Entry | None:
        return self.entries.get(path)

    def below(self, folder: str) -> Iterator[str]:
        """The paths in ``folder`` and its folders, sorted."""
        return (path for path in sorted(self.entries) if path.startswith(folder + "/"))


EMPTY = Manifest()


def parse(text: str | bytes, where: str) -> Manifest:
    """Read a manifest; ArtefactError says which entry is wrong, e.g. a path that climbs out."""
    try:
        raw = json.loads(text)["artefacts"]
        items = dict(raw).items()
    except (ValueError, KeyError, TypeError) as error:
        raise ArtefactError(f"{where} is no bundle manifest", repr(error), MEND) from None
    return Manifest({path: _entry(path, entry, where) for path, entry in items}, where)


def _entry(path: str, raw: Any, where: str) -> Entry:
    if not safe(path):
        raise ArtefactError(f"{where} is refused", f"{path!r} is no safe relative path", MEND)
    sha256, size = (raw.get("sha256"), raw.get("size")) if isinstance(raw, dict) else (None, None)
    if not isinstance(sha256, str) or not HEX.match(sha256):
        raise ArtefactError(f"{where} is refused", f"{path}: sha256 is {sha256!r}", MEND)
    if not isinstance(size, int) or isinstance(size, bool) or size < 0:
        raise ArtefactError(f"{where} is refused", f"{path}: size is {size!r}", MEND)
    more = {k: str(v) for k, v in raw.items() if k not in ("sha256", "size")}
    return Entry(sha256, size, more)


def read(folder: Path) -> Manifest:
    """The manifest of a bundle; ArtefactError if there is none."""
    path = folder / NAME
    try:
        return parse(path.read_bytes(), str(path))
    except OSError as error:
        why = error.strerror or str(error)
        raise ArtefactError(f"no bundle in {folder}", f"{NAME}: {why}", MEND) from None


def write(folder: Path, manifest: Manifest) -> None:
    """Replace the manifest in one step."""
    listed = {
        path: {"sha256": entry.sha256, "size": entry.size, **entry.more}
        for path, entry in sorted(manifest.entries.items())
    }
    part = folder / f".{NAME}.part"
    with part.open("w") as file:
        file.write(json.dumps({"artefacts": listed}, indent=2) + "\n")
        file.flush()
        os.fsync(file.fileno())
    part.rename(folder / NAME)
