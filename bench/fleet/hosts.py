"""Many small hosts on one machine: an SSH server each, in namespaces of its own.

Every host sees the node image's root, read-only below an overlay in memory, in its own mount, PID,
UTS and network namespace; there is no systemd in it, so its layers are documents without services.
Namespaces end with their first process: nothing is left but what :func:`stop` removes.
"""

from __future__ import annotations

import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from ipaddress import IPv4Network
from pathlib import Path
from typing import IO

from bench.errors import BenchError
from homelab.lab import cache, image, netns
from homelab.lab.lifecycle import artefacts
from homelab.lab.paths import ssh_key

# The controller's: the bridge of all hosts is in it. Not "homelab-": so begin those of labs.
NETNS = "bench-fleet"
KIND = "fleet-root"  # of the cache
SUBNET = IPv4Network("10.78.0.0/24")
BRIDGE = "fleet0"
PATIENCE = 30.0  # and a second more for each host: they all start on the same cores

# $1 root, $2 name. A host's changes live in memory, as long as the host does.
HOST = """set -eu
mount -t tmpfs -o size=64m tmpfs /mnt
mkdir /mnt/upper /mnt/work /mnt/root
mount -t overlay overlay -o "lowerdir=$1,upperdir=/mnt/upper,workdir=/mnt/work" /mnt/root
cd /mnt/root
mount -t proc proc proc
mount --rbind /dev dev
mount -t tmpfs tmpfs run
mkdir -p run/sshd
hostname "$2"
echo "$2" > etc/hostname
ssh-keygen -q -t ed25519 -N '' -f etc/ssh/ssh_host_ed25519_key
sed -i '/ecdsa/d' etc/ssh/sshd_config.d/lab.conf
exec chroot . /usr/sbin/sshd -D -e
"""


@dataclass(frozen=True)
class Host:
    """One host of the fleet."""

    name: str
    address: str


def hosts(count: int) -> tuple[Host, ...]:
    """``h1`` at .11, and so on; ValueError if they don't fit."""
    if not 1 <= count <= 200:
        raise ValueError(f"{count} hosts: 1 to 200 fit into {SUBNET}")
    return tuple(Host(f"h{n}", str(SUBNET[10 + n])) for n in range(1, count + 1))


def run(*argv: str) -> None:
    """Run a command; BenchError with its own words if it fails."""
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise BenchError(f"{' '.join(argv)}: {done.stderr.strip()}")


def root() -> Path:
    """The node image's root, unpacked; what hosts write goes to memory, so it stays as it is."""
    made, bare = artefacts()
    tar = image.node(bare, made)
    store = "--exclude=./var/lib/containerd"

    def build(folder: Path) -> None:
        run("tar", "-C", str(folder), "--numeric-owner", store, "-xf", str(tar))

    return cache.built(cache.place(KIND, tar.parent.name.rpartition("-")[2]), build)


@contextmanager
def fleet(folder: Path, count: int) -> Iterator[tuple[Host, ...]]:
    """That many hosts, up and answering; gone afterwards."""
    wanted = hosts(count)
    remove()
    before = netns.folder_is()
    started: list[subprocess.Popen[bytes]] = []
    with tempfile.TemporaryDirectory(prefix="bench-fleet-") as logs:
        try:
            bridge()
            for host in wanted:
                with (Path(logs) / host.name).open("wb") as log:
                    started.append(start(folder, host, log))
            for host, process in zip(wanted, started, strict=True):
                wait(host, process, Path(logs) / host.name, PATIENCE + count)
            yield wanted
        finally:
            for process in started:
                process.kill()  # --kill-child: the host's first process, and so its namespaces
                process.wait()
            remove()
            netns.restore_folder(before)


def bridge() -> None:
    """The controller's namespace and the bridge in it."""
    run("ip", "netns", "add", NETNS)
    inside = ("ip", "-n", NETNS)
    run(*inside, "link", "set", "lo", "up")
    run(*inside, "link", "add", BRIDGE, "type", "bridge")
    run(*inside, "address", "add", f"{SUBNET[1]}/{SUBNET.prefixlen}", "dev", BRIDGE)
    run(*inside, "link", "set", BRIDGE, "up")


def start(folder: Path, host: Host, log: IO[bytes]) -> subprocess.Popen[bytes]:
    """A host: network first, then its other namespaces and its SSH server."""
    own, port = f"{NETNS}-{host.name}", f"v{host.name}"
    run("ip", "netns", "add", own)
    run("ip", "-n", own, "link", "set", "lo", "up")
    run(
        "ip", "-n", NETNS, "link", "add", port, "type", "veth", "peer", "name", "eth0", "netns", own
    )
    run("ip", "-n", NETNS, "link", "set", port, "master", BRIDGE, "up")
    run("ip", "-n", own, "address", "add", f"{host.address}/{SUBNET.prefixlen}", "dev", "eth0")
    run("ip", "-n", own, "link", "set", "eth0", "up")
    unshare = ("unshare", "--mount", "--uts", "--pid", "--fork", "--kill-child")
    return subprocess.Popen(
        [
            "nsenter",
            f"--net=/run/netns/{own}",
            *unshare,
            "sh",
            "-c",
            HOST,
            "host",
            str(folder),
            host.name,
        ],
        stdin=subprocess.DEVNULL,
        stdout=log,
        stderr=log,
    )


def ssh(host: Host, *command: str) -> list[str]:
    """The command line of a command on a host."""
    settings = ("BatchMode=yes", "StrictHostKeyChecking=no", "UserKnownHostsFile=/dev/null")
    options = [word for setting in (*settings, "ConnectTimeout=5") for word in ("-o", setting)]
    where = ["-q", "-i", str(ssh_key()), f"vagrant@{host.address}"]
    return [*enter("ssh"), *options, *where, *command]


def enter(*argv: str) -> list[str]:
    """The command line of a command in the controller's namespace."""
    return ["nsenter", f"--net=/run/netns/{NETNS}", "--", *argv]


def wait(host: Host, process: subprocess.Popen[bytes], log: Path, patience: float) -> None:
    """Until the host answers; BenchError with its last words if it does not, or has ended."""
    end = time.monotonic() + patience
    while subprocess.run(ssh(host, "true"), capture_output=True, check=False).returncode != 0:
        if process.poll() is not None or time.monotonic() > end:
            said = " ".join(log.read_text(errors="replace").splitlines()[-2:])
            raise BenchError(f"{host.name} of the fleet does not answer SSH: {said}")
        time.sleep(0.1)


def remove() -> None:
    """Namespaces of this or an earlier fleet; their links go with them."""
    for path in Path("/run/netns").glob(f"{NETNS}*"):
        run("ip", "netns", "delete", path.name)
