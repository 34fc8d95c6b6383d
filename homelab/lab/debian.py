"""Debian's packages: those this machine needs, and those the artefacts are made of.

The artefacts come from bookworm whatever this machine runs, so they are looked
up with an apt configuration of the lab's own; /etc/apt is not touched.
"""

import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from homelab.lab.cache import locked
from homelab.lab.errors import LabError
from homelab.lab.paths import cache_root
from homelab.lab.progress import say, step
from homelab.lab.shell import run

SUITE = "bookworm"
KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg"
FRESH = 7 * 86400.0  # seconds that a list of packages is believed without asking again
POLICY = Path("/usr/sbin/policy-rc.d")
FORBID = b"#!/bin/sh\n# homelab.lab, while it installs packages\nexit 101\n"
NEEDED = (
    *("docker.io", "vagrant", "iproute2", "nftables", "openssh-client", "e2fsprogs"),
    *("curl", "kmod"),
    *("mmdebstrap", "debian-archive-keyring", "ca-certificates", "xz-utils"),  # the node image
    *("golang-go", "golang-github-modern-go-reflect2-dev", "dpkg-dev", "gcc", "libc6-dev"),
    *("make", "jq", "rsync", "patch"),  # with the line above: Kubernetes
)
# What these packages would start at the next boot; the lab and the tests start their own.
UNWANTED = {
    "docker.io": ("docker.service", "docker.socket", "containerd.service"),
    "containerd": ("containerd.service",),
    "libvirt-daemon-system": (
        *("libvirtd.service", "libvirtd.socket", "libvirtd-ro.socket", "libvirtd-admin.socket"),
        *("virtlogd.socket", "virtlockd.socket", "libvirt-guests.service"),
    ),
    "openvswitch-switch": ("openvswitch-switch.service",),
    "etcd-server": ("etcd.service",),
    "haproxy": ("haproxy.service",),
    "keepalived": ("keepalived.service",),
}


def sources() -> list[str]:
    """The package sources of the node and of the artefacts, as lines of a sources.list."""
    mirror = os.environ.get("HOMELAB_DEBIAN_MIRROR", "http://deb.debian.org/debian").rstrip("/")
    security = os.environ.get("HOMELAB_DEBIAN_SECURITY", f"{mirror}-security").rstrip("/")
    signed = f"[signed-by={KEYRING}]"
    return [
        f"deb {signed} {mirror} {SUITE} main",
        f"deb {signed} {mirror} {SUITE}-updates main",
        f"deb {signed} {security} {SUITE}-security main",
        f"deb-src {signed} {mirror} {SUITE} main",
    ]


def architecture() -> str:
    """Debian's name of this machine's architecture; for amd64 and arm64 it is Go's too."""
    return run(["dpkg", "--print-architecture"]).strip()


class Apt:
    """Ask about and fetch bookworm's packages without a trace in this machine's apt."""

    def __init__(self) -> None:
        """Write the configuration and fetch the lists if they are missing or old."""
        self.folder = cache_root() / "apt"
        self.config = self.folder / "apt.conf"
        self._configure()
        stamp = self.folder / "updated"
        if stamp.exists() and time.time() - stamp.stat().st_mtime < FRESH:
            return
        try:
            with step("fetch Debian's package lists"):
                self._apt("apt-get", "update", "--error-on=any")
            stamp.touch()
        except LabError as error:
            if not stamp.exists():
                raise
            say(f"the package lists of last time serve on: {error}")

    def _configure(self) -> None:
        for needed in ("lists/partial", "archives/partial"):
            (self.folder / needed).mkdir(parents=True, exist_ok=True)
        lines = "\n".join(sources()) + "\n"
        listed = self.folder / "sources.list"
        if not listed.exists() or listed.read_text() != lines:
            listed.write_text(lines)
            (self.folder / "updated").unlink(missing_ok=True)
        self.config.write_text(
            f'Dir::Etc::sourcelist "{listed}";\n'
            'Dir::Etc::sourceparts "/dev/null";\n'
            f'Dir::State::lists "{self.folder}/lists";\n'
            f'Dir::Cache::archives "{self.folder}/archives";\n'
            f'Dir::Cache::pkgcache "{self.folder}/pkgcache.bin";\n'
            f'Dir::Cache::srcpkgcache "{self.folder}/srcpkgcache.bin";\n'
            'APT::Sandbox::User "root";\n'
        )

    def _apt(self, *argv: str, cwd: Path | None = None) -> str:
        return run(argv, env={"APT_CONFIG": str(self.config)}, cwd=cwd)

    def versions(self, packages: Iterable[str]) -> dict[str, str]:
        """The versions that bookworm has now."""
        wanted = sorted(packages)
        found = parse_policy(self._apt("apt-cache", "policy", *wanted))
        missing = [package for package in wanted if package not in found]
        if missing:
            why = "is HOMELAB_DEBIAN_MIRROR a mirror of bookworm?"
            raise LabError(f"Debian has no package {', '.join(missing)}", why)
        return found

    def source_version(self, package: str) -> str:
        """The newest version of a source package."""
        shown = self._apt("apt-cache", "showsrc", "--only-source", package)
        found: list[str] = re.findall(r"^Version: (\S+)$", shown, re.MULTILINE)
        if not found:
            raise LabError(f"Debian has no source package {package}")
        return found[-1]

    def source(self, package: str, version: str, folder: Path) -> Path:
        """Fetch, verify and unpack a source package; return the tree."""
        self._apt("apt-get", "source", "--download-only", f"{package}={version}", cwd=folder)
        (description,) = folder.glob("*.dsc")
        run(["dpkg-source", "--extract", description, folder / "source"])
        return folder / "source"

    def unpack(self, packages: Iterable[str], folder: Path, root: Path) -> None:
        """Fetch binary packages and lay their files into `root`, nothing configured."""
        folder.mkdir(parents=True, exist_ok=True)
        self._apt("apt-get", "download", *packages, cwd=folder)
        for package in sorted(folder.glob("*.deb")):
            run(["dpkg-deb", "--extract", package, root])


def parse_policy(text: str) -> dict[str, str]:
    """Read `apt-cache policy`: package to candidate; packages without one are left out."""
    pairs = re.findall(r"^(\S+):\n.*\n  Candidate: (\S+)$", text, re.MULTILINE)
    return {package: version for package, version in pairs if version != "(none)"}


def install_needed(needed: Sequence[str] = NEEDED) -> None:
    """Install what this machine lacks, said beforehand, without a service being started."""
    status = subprocess.run(
        ["dpkg-query", "-W", "-f", "${db:Status-Status} ${Package}\n", *needed],
        capture_output=True,
        text=True,
        check=False,
    ).stdout.splitlines()
    missing = [package for package in needed if f"installed {package}" not in status]
    if not missing:
        return
    say(f"this machine lacks Debian packages, they are installed now: {' '.join(missing)}")
    wait = ["--option", "DPkg::Lock::Timeout=300"]  # for somebody else's apt
    install = ["apt-get", "install", "--yes", "--no-install-recommends", *wait, *missing]
    quiet = {"DEBIAN_FRONTEND": "noninteractive"}
    with locked("packages"), step("install packages", usual=40), services_kept_still():
        try:
            run(install, env=quiet)
        except LabError:  # most often the lists are old
            subprocess.run(["apt-get", "update"], capture_output=True, check=False)
            run(install, env=quiet, then="run `apt-get update` by hand and look at what it says")
    units = [unit for package in missing for unit in UNWANTED.get(package, ())]
    if units and shutil.which("systemctl"):
        run(["systemctl", "disable", *units])


@contextmanager
def services_kept_still() -> Iterator[None]:
    """Forbid packages to start their services, by Debian's own means (invoke-rc.d(8))."""
    before = POLICY.read_bytes() if POLICY.exists() else None
    if before == FORBID:  # what a killed run of this left behind
        before = None
    mode = POLICY.stat().st_mode if before is not None else 0o755
    POLICY.write_bytes(FORBID)
    POLICY.chmod(0o755)
    try:
        yield
    finally:
        if before is None:
            POLICY.unlink()
        else:
            POLICY.write_bytes(before)
            POLICY.chmod(mode)


if __name__ == "__main__":
    install_needed(sys.argv[1:])
