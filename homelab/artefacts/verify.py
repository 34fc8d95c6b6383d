"""Is a bundle whole and unchanged? Every fault, by the name of its file."""

from __future__ import annotations

from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from homelab.artefacts import manifest as manifests
from homelab.artefacts.artefact import Artefact
from homelab.artefacts.errors import ArtefactError
from homelab.artefacts.location import agreed
from homelab.artefacts.manifest import Manifest
from homelab.artefacts.progress import Progress
from homelab.artefacts.verified import Verified

JOBS = 4  # hashing leaves Python's lock; more than four only wait for the disk


def verify(
    folder: Path,
    artefacts: Iterable[Artefact],
    *,
    full: bool = False,
    quiet: bool = True,
    cache: Path | None = None,
) -> list[str]:
    """Compare files with their pins; one line for each fault, none for a sound bundle.

    ``full`` reads every byte, else files that did not change since they were last read are
    trusted (:mod:`homelab.artefacts.verified`). ``quiet=False`` shows progress on stderr.
    Raises nothing for a bad bundle: a missing or malformed manifest is a fault too.
    """
    folder = folder.resolve()
    try:
        held = manifests.read(folder)
    except ArtefactError as error:
        return [str(error)]
    wanted = tuple({artefact.path: artefact for artefact in artefacts}.values())
    sizes = [entry.size for a in wanted if (entry := held.get(a.path))]
    progress = Progress("verify", len(wanted), sum(sizes), quiet)
    verified = Verified(cache, full)

    def check(artefact: Artefact) -> str | None:
        found = fault(folder, artefact, held, verified, progress)
        progress.finished()
        return found

    with ThreadPoolExecutor(JOBS) as pool:
        faults = [line for line in pool.map(check, wanted) if line]
    verified.save()
    return faults


def fault(
    folder: Path, artefact: Artefact, held: Manifest, verified: Verified, progress: Progress
) -> str | None:
    """What is wrong with one file; None if nothing is."""
    path = folder / artefact.path
    entry = held.get(artefact.path)
    try:
        if not path.is_file():
            listed = "" if entry else f", and {manifests.NAME} does not list it"
            return f"{artefact.path}: missing in {folder}{listed}; {manifests.MEND}"
        if not path.resolve().is_relative_to(folder):
            return f"{artefact.path}: leads out of the bundle to {path.resolve()}"
        wanted = agreed(artefact, held)
        size = path.stat().st_size
        expected = artefact.size if artefact.size is not None else entry.size if entry else size
        if size != expected:
            return f"{artefact.path}: {size} bytes instead of {expected}; {manifests.MEND}"
        found = verified.hash(path, progress.moved)
    except ArtefactError as error:
        return str(error)
    except OSError as error:
        return f"{artefact.path}: can't be read: {error.strerror or error}"
    if found != wanted:
        return f"{artefact.path}: its SHA-256 is {found} instead of {wanted}; {manifests.MEND}"
    return None
