"""The node image: Debian, the artefacts, and a container store that is already filled.

Three stages, each cached by its own inputs, so that a changed artefact does not
fetch Debian again: the bare root, the node's root, its import into a daemon.
"""

import shutil
from collections.abc import Sequence
from pathlib import Path

from homelab.lab import cache
from homelab.lab.debian import SUITE, Apt, architecture, sources
from homelab.lab.paths import cache_root, ssh_key
from homelab.lab.progress import step
from homelab.lab.recipes.bundle import Bundle
from homelab.lab.shell import run

FILES = Path(__file__).with_name("node")
PACKAGES = (
    *("systemd", "systemd-sysv", "systemd-timesyncd", "dbus", "udev", "kmod", "procps", "psmisc"),
    *("openssh-server", "sudo", "ca-certificates", "curl", "openssl", "python3-minimal", "jq"),
    *("iproute2", "iputils-ping", "nftables", "iptables", "ebtables", "conntrack", "ethtool"),
    *("socat", "netcat-openbsd", "tcpdump", "less", "fio", "e2fsprogs", "adduser"),
    *("containerd", "runc", "containernetworking-plugins", "haproxy", "keepalived"),
)
EXCLUDED = ("/usr/share/man/*", "/usr/share/locale/*", "/usr/share/doc/*")
OPTIONS = [f"--dpkgopt=path-exclude={pattern}" for pattern in EXCLUDED]
USUAL_BASE = 90.0  # seconds, with a mirror near by
ROOT = "root.tar"


def public_key() -> str:
    """The public half of the labs' SSH key; the pair is made once."""
    private = ssh_key()
    with cache.locked("ssh"):
        if not private.exists():
            private.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "homelab-lab", "-f", private])
    return private.with_suffix(".pub").read_text()


def base_place(apt: Apt, kind: str = "node-base", packages: Sequence[str] = PACKAGES) -> Path:
    """Where in the cache the bare root is, or will be."""
    facts = {"options": " ".join(OPTIONS), "architecture": architecture()}
    return cache.place(kind, cache.key([], {**apt.versions(packages), **facts}))


def base(apt: Apt, kind: str = "node-base", packages: Sequence[str] = PACKAGES) -> Path:
    """A tar of Debian with the packages of a node, and nothing of ours."""

    def build(folder: Path) -> None:
        mmdebstrap = ["mmdebstrap", "--quiet", "--variant=minbase", "--mode=root"]
        apt_options = ['APT::Install-Recommends "false"', 'Acquire::Languages "none"']
        log = cache_root() / "mmdebstrap.log"
        log.unlink(missing_ok=True)
        with step("make a bare Debian root", usual=USUAL_BASE):
            run(
                [
                    *mmdebstrap,
                    *(f"--aptopt={option}" for option in apt_options),
                    *OPTIONS,
                    f"--include={','.join(packages)}",
                    *(SUITE, folder / ROOT),
                    *(line for line in sources() if line.startswith("deb ")),
                ],
                log=log,
                env={"TMPDIR": str(folder)},  # half a gigabyte; and gone with a killed build
            )

    return cache.built(base_place(apt, kind, packages), build) / ROOT


def node(bare: Path, bundle: Bundle) -> Path:
    """A tar of the node's root: the bare one, the bundle, our settings, a filled store."""
    public = public_key()
    facts = {"base": bare.parent.name, "bundle": bundle.folder.name, "key": public}

    def build(folder: Path) -> None:
        root = folder / "root"
        root.mkdir()
        log = cache_root() / "node.log"
        log.unlink(missing_ok=True)
        with step("put the node's root together", usual=30):
            run(["tar", "-C", root, "--numeric-owner", "--xattrs", "-xf", bare])
            place(bundle, root)
            copy(FILES / "entry", root / "sbin/lab-entry")
            (root / "root" / "authorized_keys").write_text(public)
            for name in ("install.sh", "container.sh"):
                run(["chroot", root, "sh", "-eu", "-c", (FILES / name).read_text()], log=log)
            run([FILES / "seed.sh", root, bundle.folder / "images"], log=log)
            run(["tar", "-C", root, "--numeric-owner", "--xattrs", "-cf", folder / ROOT, "."])
            shutil.rmtree(root)

    files = [*FILES.iterdir(), Path(__file__)]
    return cache.built(cache.place("node", cache.key(files, facts)), build) / ROOT


def place(bundle: Bundle, root: Path) -> None:
    """Copy the programs and the CNI plugins into a root."""
    for program in bundle.programs:
        copy(program, root / "usr/local/bin" / program.name)
    for plugin in bundle.plugins:
        copy(plugin, root / "opt/cni/bin" / plugin.name)


def copy(source: Path, dest: Path) -> None:
    """Install a program."""
    dest.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(source, dest)
    dest.chmod(0o755)
