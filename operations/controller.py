"""Pinned files on this controller, for its own use: from upstream, a mirror or a bundle."""

from __future__ import annotations

import shutil
import tarfile
import tempfile
from collections.abc import Generator, Sequence
from pathlib import Path
from typing import Any

from pyinfra import host, logger
from pyinfra.api import FunctionCommand, operation

from homelab.artefacts import fetch as fetching
from homelab.artefacts.artefact import Install
from homelab.artefacts.errors import ArtefactError
from homelab.artefacts.verified import Verified, sha256
from operations.artefacts import Pinned


@operation()
def fetch(wanted: Sequence[Pinned], folder: str) -> Generator[FunctionCommand, None, None]:
    """Have the artefacts below ``folder`` on this controller; nothing unverified gets there.

    .. code:: python

        controller.fetch(name="Pod network: helm", wanted=pinned(...), folder=".homelab/rack")
    """
    missing = [item for item in wanted if not in_place(item, Path(folder))]
    if not missing:
        host.noop(f"{', '.join(item.artefact.name for item in wanted)}: in {folder}")
        return
    yield FunctionCommand(_place_here, [missing, Path(folder)], {})


def in_place(item: Pinned, folder: Path) -> bool:
    """Is every file of the artefact there, byte for byte, and executable if it should be?"""
    verified = Verified()
    for place in item.artefact.install:
        target = folder / place.target
        try:
            found = verified.hash(target)
            said = _stamp(target).read_text() if place.member else f"{item.sha256} {item.sha256}"
            mode = target.stat().st_mode & 0o777
        except OSError:
            return False
        if (said.split(), mode) != ([item.sha256, found], place.mode):
            return False
    verified.save()
    return True


def place(item: Pinned, folder: Path) -> None:
    """Fetch, verify, and put each file in place by one rename; ArtefactError, OSError."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    url = item.source if "://" in item.source else Path(item.source).resolve().as_uri()
    with tempfile.TemporaryDirectory(dir=folder, prefix=".fetched-") as temporary:
        fetched = Path(temporary) / "artefact"
        fetching.download(url, fetched, item.sha256)
        for wanted in item.artefact.install:
            file = _member(item, wanted, fetched)
            file.chmod(wanted.mode)
            target = folder / wanted.target
            target.parent.mkdir(mode=0o700, exist_ok=True)
            if wanted.member:  # of an archive: what was in it, for in_place()
                _stamp(target).write_text(f"{item.sha256} {sha256(file)}\n")
            file.replace(target)


def _member(item: Pinned, wanted: Install, fetched: Path) -> Path:
    if not wanted.member:
        return fetched
    file = fetched.with_name(Path(wanted.member).name)
    with tarfile.open(fetched) as archive:
        try:
            source = archive.extractfile(wanted.member)
        except KeyError:
            source = None
        if source is None:
            raise ArtefactError(f"{item.artefact.path} has no file {wanted.member}")
        with source, file.open("wb") as out:
            shutil.copyfileobj(source, out)
    return file


def _stamp(target: Path) -> Path:
    """Beside the file: the SHA-256 of the archive that it is from, and its own."""
    return target.with_name(f"{target.name}.sha256")


# pyinfra gives "state" and "host" by name, and then takes False for a failure; an exception would
# come with a traceback.
def _place_here(state: Any, host: Any, missing: Sequence[Pinned], folder: Path) -> bool:
    try:
        for item in missing:
            place(item, folder)
    except (ArtefactError, OSError, tarfile.TarError) as error:
        logger.error(f"{host.print_prefix}{error}")
        return False
    return True
