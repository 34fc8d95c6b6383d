"""Put pinned files in their places: from upstream, a mirror, or a bundle on the controller."""

from __future__ import annotations

import shlex
from collections.abc import Generator, Sequence
from dataclasses import dataclass

from pyinfra import host
from pyinfra.api import FactBase, FileUploadCommand, StringCommand, operation

from homelab.artefacts.artefact import Artefact
from operations.step import script

STAMPS = "/var/lib/homelab/artefacts"
FETCHED = "/var/lib/homelab/fetched"
STORE = "/var/lib/containerd/io.containerd.metadata.v1.bolt"


@dataclass(frozen=True)
class Pinned:
    """An artefact with its checked hash and where it is: a URL, or a file on the controller."""

    artefact: Artefact
    sha256: str
    source: str

    @property
    def stamp(self) -> str:
        return f"{STAMPS}/{self.artefact.name}"

    @property
    def fetched(self) -> str:
        """By its hash: a part of another version must not be taken for the beginning of this."""
        return f"{FETCHED}/{self.sha256}"


class Installed(FactBase[list[str]]):
    """Names of the artefacts that are in place, byte for byte.

    A binary is hashed where it lies, unless its inode has not changed since it was hashed and put
    there: every write sets ctime, which nobody can set back (stat(2)). Of an archive, what was
    unpacked is not hashed again: its stamp holds the archive's hash, and its targets exist.

    .. code:: python

        host.get_fact(Installed, wanted=[pinned])
    """

    def command(self, wanted: Sequence[Pinned]) -> str:
        lines = []
        for item in wanted:
            targets = [shlex.quote(place.target) for place in item.artefact.install]
            if item.artefact.kind == "binary":
                sums = "".join(
                    f"{item.sha256}  {place.target}\n" for place in item.artefact.install
                )
                test = (
                    f"{{ {_stamp(item)}; }} 2>/dev/null | cmp -s - {item.stamp} || "
                    f"printf %s {shlex.quote(sums)} | sha256sum -c --status - 2>/dev/null"
                )
            else:
                exist = " && ".join(f"[ -e {target} ]" for target in targets)
                test = f'[ "$(cat {item.stamp} 2>/dev/null)" = {item.sha256} ] && {exist}'
            lines.append(f"{{ {test}; }} && echo {shlex.quote(item.artefact.name)}")
        return "\n".join([*lines, "true"])

    @staticmethod
    def default() -> list[str]:
        return []

    def process(self, output: list[str]) -> list[str]:
        return [line.strip() for line in output if line.strip()]


def _stamp(item: Pinned) -> str:
    """Shell that prints the pinned hash and, of a binary, what changes if anybody writes to it."""
    if item.artefact.kind != "binary":
        return f"echo {item.sha256}"
    targets = " ".join(shlex.quote(place.target) for place in item.artefact.install)
    return f"echo {item.sha256}; stat -c '%n %i %s %.9Y %.9Z' {targets}"


def fetch_script(item: Pinned) -> str:
    """Go on where an earlier run was killed; its curl may live on, and two would write one file."""
    curl = f"curl -fsSL --retry 5 --retry-connrefused -C - -o {item.fetched}"
    return script(f"{curl} {shlex.quote(item.source)}")


def place_script(item: Pinned) -> str:
    """Check the hash, then put every target in place by one rename each."""
    fetched = item.fetched
    lines = [
        f"echo '{item.sha256}  {fetched}' | sha256sum -c --status - || "
        f"{{ rm -f {fetched}; echo '{item.artefact.name}: the file from {item.source} "
        f"does not have the pinned SHA-256 {item.sha256}; it was deleted' >&2; exit 1; }}",
    ]
    for place in item.artefact.install:
        target = shlex.quote(place.target)
        if item.artefact.kind == "archive" and not place.member:
            lines.append(f"mkdir -p {target}; tar -x --no-same-owner -f {fetched} -C {target}")
            continue
        get = (
            f"tar -xO -f {fetched} {shlex.quote(place.member)}"
            if place.member
            else f"cat {fetched}"
        )
        lines.append(
            f"mkdir -p $(dirname {target}); {get} > {target}.homelab-new; "
            f"chmod {place.mode:o} {target}.homelab-new; mv -f {target}.homelab-new {target}"
        )
    # Whole or not at all: a torn stamp must not pass for another hash.
    lines.append(
        f"mkdir -p {STAMPS}; {{ {_stamp(item)}; }} > {item.stamp}.new; "
        f"mv -f {item.stamp}.new {item.stamp}; rm -f {fetched}"
    )
    return script(*lines)


@operation()
def install(wanted: Sequence[Pinned]) -> Generator[StringCommand | FileUploadCommand, None, None]:
    """Fetch and place what is missing or differs; nothing unverified is ever put in place.

    .. code:: python

        artefacts.install(name="Artefacts: binaries", wanted=pinned(site, machine))
    """
    there = host.get_fact(Installed, wanted=wanted)
    for item in wanted:
        if item.artefact.name in there:
            continue
        yield StringCommand(f"install -d -m 0700 {FETCHED}")
        if item.source.startswith("http"):
            yield StringCommand(fetch_script(item))
        else:
            yield FileUploadCommand(item.source, item.fetched)
        yield StringCommand(place_script(item))


class Images(FactBase[list[str]]):
    """Names of the images in containerd's store for Kubernetes.

    Before containerd runs (a first ``--dry``), its database is searched for the names instead.

    .. code:: python

        host.get_fact(Images)  # ["registry.k8s.io/pause:3.10", ...]
    """

    def command(self) -> str:
        return (
            "ctr -n k8s.io images ls -q 2>/dev/null || "
            "grep -aoE '[a-z0-9][a-z0-9.-]*(/[a-z0-9._-]+)+:[A-Za-z0-9._-]+' "
            f"{STORE}/meta.db 2>/dev/null | sort -u || true"
        )

    @staticmethod
    def default() -> list[str]:
        return []

    def process(self, output: list[str]) -> list[str]:
        return [line.strip() for line in output if line.strip()]


@operation()
def load_images(
    wanted: Sequence[Pinned],
) -> Generator[StringCommand | FileUploadCommand, None, None]:
    """Import the bundle's image archives that containerd does not have yet."""
    there = host.get_fact(Images)
    for item in wanted:
        if item.artefact.reference in there:
            continue
        yield StringCommand(f"install -d -m 0700 {FETCHED}")
        yield FileUploadCommand(item.source, item.fetched)
        yield StringCommand(
            script(
                f"echo '{item.sha256}  {item.fetched}' | sha256sum -c --status -",
                f"ctr -n k8s.io images import --all-platforms {item.fetched} >/dev/null",
                f"rm -f {item.fetched}",
            )
        )
