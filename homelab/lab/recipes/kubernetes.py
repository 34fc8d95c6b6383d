"""Kubernetes from Debian bookworm's source package: seven minutes on two cores, once."""

import re
from dataclasses import dataclass
from pathlib import Path

from homelab.lab import cache
from homelab.lab.debian import Apt
from homelab.lab.paths import cache_root
from homelab.lab.progress import step
from homelab.lab.shell import run

USUAL = 415.0  # seconds on two cores
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
            run([SCRIPT, source, folder, version, epoch], log=log)
            # Go's module cache is read-only, which would stop a plain removal.
            run(["chmod", "-R", "u+w", work])
            run(["rm", "-rf", work])

    return Kubernetes(version, cache.built(place(apt), build))
