"""Collect all that a site needs into one folder, which is then a bundle and a mirror at once."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor, as_completed
from contextlib import contextmanager
from pathlib import Path

from homelab.artefacts import fetch, kubeadm, location, oci
from homelab.artefacts import manifest as manifests
from homelab.artefacts.artefact import Artefact
from homelab.artefacts.errors import ArtefactError
from homelab.artefacts.images import image, needed_images
from homelab.artefacts.location import UPSTREAM, agreed
from homelab.artefacts.manifest import Entry, Manifest
from homelab.artefacts.progress import Progress, megabytes
from homelab.artefacts.table import needed, needed_on_controller
from homelab.artefacts.verified import Verified
from homelab.artefacts.verify import fault, verify
from homelab.site.derived import nodes
from homelab.site.model import Site

__all__ = ["collect", "everything", "verify"]

JOBS = 4  # downloads at once


class Incomplete(ArtefactError):
    """Some artefacts could not be had; ``failures`` has one line for each."""

    def __init__(self, folder: Path, failures: list[str]) -> None:
        super().__init__(f"{folder} is not complete", f"{len(failures)} artefacts are missing")
        self.failures = failures


def everything(site: Site, manifest: Manifest | None = None) -> tuple[Artefact, ...]:
    """All artefacts of all machines, of the controller, and the images; each once."""
    held = location.manifest(site) if manifest is None else manifest
    found = [artefact for item in nodes(site) for artefact in needed(site, item, held)]
    found += [*needed_on_controller(site), *needed_images(site, held)]
    return tuple({artefact.path: artefact for artefact in found}.values())


def collect(
    site: Site,
    folder: Path,
    base: str = UPSTREAM,
    *,
    quiet: bool = False,
    pauses: tuple[float, ...] = fetch.PAUSES,
) -> Manifest:
    """Fill ``folder`` from ``base`` and write its manifest.

    ``base`` is ``https://`` for upstream (images then come from their registries), or a mirror or
    another bundle (``http://mirror.lan/``, ``file:///srv/bundle/``), whose manifest is read.
    What is there and sound is kept, so an interrupted run goes on where it was. Incomplete if
    something could not be had: all the rest is there and listed then. ArtefactError if another
    run is at work in ``folder``, or a base that should be a bundle is none.
    """
    folder.mkdir(parents=True, exist_ok=True)
    folder = folder.resolve()
    source = manifests.EMPTY if base == UPSTREAM else location.ask(base)
    with _alone(folder):
        return _Collection(site, folder, base, source, quiet, pauses).run()


class _Collection:
    """One run of :func:`collect`."""

    def __init__(
        self,
        site: Site,
        folder: Path,
        base: str,
        source: Manifest,
        quiet: bool,
        pauses: tuple[float, ...],
    ) -> None:
        self.site, self.folder, self.base, self.source = site, folder, base, source
        self.pauses = pauses
        self.held = dict(_known(folder).entries)
        self.verified = Verified()
        self.progress = Progress("collect", 0, quiet=quiet)
        self.failures: list[str] = []

    def run(self) -> Manifest:
        """Programs and charts first: kubeadm is asked for its images."""
        for left in self.folder.rglob(".*.part"):
            left.unlink()
        wanted = everything(self.site, self.source)
        files = [artefact for artefact in wanted if artefact.kind != "image"]
        self.progress.files = len(wanted)
        self._all(files)
        images = self._images([artefact for artefact in wanted if artefact.kind == "image"], files)
        self.progress.files = len(files) + len(images)
        self._all(images)
        self.verified.save()
        done = self._write()
        if self.failures:
            raise Incomplete(self.folder, self.failures)
        return done

    def _all(self, artefacts: Iterable[Artefact]) -> None:
        """Several at once; the manifest follows each file, so that nothing is fetched twice."""
        with ThreadPoolExecutor(JOBS) as pool:
            running = {pool.submit(self._one, artefact): artefact for artefact in artefacts}
            try:
                for future in as_completed(running):
                    self._note(running[future], future)
            except BaseException:
                pool.shutdown(cancel_futures=True)  # Ctrl-C: only what is on its way is waited for
                raise

    def _note(self, artefact: Artefact, future: Future[tuple[Entry, str]]) -> None:
        try:
            entry, verb = future.result()
        except (ArtefactError, OSError) as error:  # OSError: a full disk under a tar
            line = f"{artefact.path}: {error}" if isinstance(error, OSError) else str(error)
            self.failures.append(line)
            self.progress.finished(line)
            return
        self.held[artefact.path] = entry
        self._write()
        self.progress.finished(f"{verb} {artefact.path} ({megabytes(entry.size)})")

    def _one(self, artefact: Artefact) -> tuple[Entry, str]:
        dest = self.folder / artefact.path
        held = self.held.get(artefact.path)
        theirs = self.source.get(artefact.path)
        pin = artefact.sha256 or (theirs.sha256 if theirs else None)
        digest = held.more.get("digest") if held and self.base == UPSTREAM else artefact.digest
        if held and pin in (None, held.sha256) and artefact.digest in (None, digest):
            known = Manifest({artefact.path: held}, str(self.folder))
            if not fault(self.folder, artefact, known, self.verified, self.progress):
                return held, "kept"
        more = dict(theirs.more) if theirs else {}
        if artefact.kind == "image" and self.base == UPSTREAM:
            pulled = oci.pull(
                artefact.name,
                artefact.version,
                artefact.digest,
                dest,
                self.progress.moved,
                self.pauses,
            )
            more = {"image": artefact.reference, "digest": pulled.index}
        else:
            sha256 = agreed(artefact, self.source)
            url = self.base + artefact.path
            fetch.download(url, dest, sha256, self.progress.moved, self.pauses)
        return Entry(self.verified.hash(dest), dest.stat().st_size, more), "fetched"

    def _images(self, images: list[Artefact], files: list[Artefact]) -> list[Artefact]:
        """kubeadm's own list in place of the table's; the table's others stay."""
        (program,) = {a.path for a in files if a.name == "kubeadm"}
        if self.base != UPSTREAM or program not in self.held:
            return images
        listed = kubeadm.listed(self.folder / program, self.site)
        if listed is None:
            self.progress.say("this machine can't run kubeadm: taking the table's list of images")
            return images
        names = {reference.rpartition(":")[0] for reference in listed}
        return [image(r) for r in listed] + [a for a in images if a.name not in names]

    def _write(self) -> Manifest:
        there = {path: e for path, e in self.held.items() if (self.folder / path).is_file()}
        manifest = Manifest(there, str(self.folder / manifests.NAME))
        manifests.write(self.folder, manifest)
        return manifest


def _known(folder: Path) -> Manifest:
    """What an earlier run wrote down; a broken manifest is written anew."""
    try:
        return manifests.read(folder)
    except ArtefactError:
        return manifests.EMPTY


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """One run at a time in a folder; the lock dies with its process."""
    handle = os.open(folder / ".lock", os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            what = f"{folder} is being collected by another run"
            raise ArtefactError(what, mend="wait for it, or name another folder") from None
        yield
    finally:
        os.close(handle)
