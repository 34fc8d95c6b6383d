"""Kubernetes from Debian bookworm's source package: seven minutes on two cores, once."""

import re
import shutil
from dataclasses import dataclass
from pathlib import Path

from homelab.lab import cache
from homelab.lab.debian import Apt
from homelab.lab.paths import cache_root
from homelab.lab.progress import step
from homelab.lab.shell import run

USUAL = 415.0  # seconds on two cores
FIXED = Path("/mnt")  # is there on every Debian
SCRIPT = Path(__file__).with_name("build-kubernetes.sh")
PROGRAMS = (
    *("kubeadm", "kubelet", "kubectl"),
    *("kube-apiserver", "kube-controller-manager", "kube-scheduler", "kube-proxy"),
)


@dataclass(frozen=True)
class Kubernetes:
    """The built programs (and `pause`) in a folder of the cache."""

    version: str
    folder: Path


def upstream(version: str) -> str:
    """Kubernetes' version out of Debian's: 1.20.5+really1.20.2-1.1 is 1.20.2."""
    found = re.search(r"really(\d+\.\d+\.\d+)", version) or re.match(r"(\d+\.\d+\.\d+)", version)
    if found is None:
        raise ValueError(f"no version in {version!r}")
    return found.group(1)


def at_fixed_place(folder: Path, source: Path, version: str, epoch: str) -> list[str]:
    """The command that builds into `folder`, which the build sees under a name of its own.

    Kubernetes' build writes the path it ran in into every program, so this has to be
    the same everywhere, or the same inputs would not give the same checksums. The
    mount is the build's alone and ends with it; its temporary files lie in `folder`.
    """
    work = FIXED / "work"
    shell = 'mount --bind "$1" "$2"; shift 2; mkdir "$TMPDIR"; exec "$@"'
    enter = ["unshare", "--mount", "env", f"TMPDIR={work / 'tmp'}", "sh", "-euc", shell, "sh"]
    build = [work / SCRIPT.name, FIXED / source.relative_to(folder), FIXED]
    return [*enter, *map(str, (folder, FIXED, *build)), version, epoch]


def place(apt: Apt) -> Path:
    """Where in the cache the programs are, or will be."""
    tools = apt.versions(["golang-go", "golang-github-modern-go-reflect2-dev"])
    packaged = apt.source_version("kubernetes")
    return cache.place("kubernetes", cache.key([SCRIPT], {"kubernetes": packaged, **tools}))


def kubernetes(apt: Apt) -> Kubernetes:
    """Build Kubernetes, or take it from the cache."""
    packaged = apt.source_version("kubernetes")
    version = upstream(packaged)

    def build(folder: Path) -> None:
        work = folder / "work"
        work.mkdir()
        with step(f"build Kubernetes {version} from Debian's source", usual=USUAL):
            source = apt.source("kubernetes", packaged, work)
            changelog = source / "debian" / "changelog"
            epoch = run(["dpkg-parsechangelog", "-l", changelog, "-S", "Timestamp"]).strip()
            log = cache_root() / "build-kubernetes.log"
            log.unlink(missing_ok=True)
            shutil.copy(SCRIPT, work)  # the project may lie below the fixed place
            run(at_fixed_place(folder, source, version, epoch), log=log)
            # Go's module cache is read-only, which would stop a plain removal.
            run(["chmod", "-R", "u+w", work])
            run(["rm", "-rf", work])

    return Kubernetes(version, cache.built(place(apt), build))
