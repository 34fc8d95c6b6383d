"""A room in which scripts that change a machine can run for real, and reach nothing outside.

A room has a network, mounts and processes of its own. Each machine in it is a folder with this
machine's programs (``/usr``) and with ``/etc``, ``/var`` and ``/run`` of its own. No root is
needed where users may have namespaces of their own.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

# /bin and its like are links into /usr since Debian 12.
LINKS = ("bin", "sbin", "lib", "lib32", "lib64", "libx32")
FOLDERS = ("usr", "proc", "dev", "etc", "run", "tmp", "root", "var/lib", "var/log")
PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
SECONDS = 120  # no script of these tests takes more than a few, but the machine may be busy


def tool(name: str) -> str:
    """The program's path. Without it the test is skipped, but CI has them all."""
    found = shutil.which(name, path=PATH)
    if found is None and not os.environ.get("CI"):
        pytest.skip(f"{name} is not installed")
    assert found, f"{name} is not installed; the unit session of noxfile.py names the packages"
    return found


@dataclass(frozen=True)
class Said:
    """What a script printed, and how it ended."""

    code: int
    out: str
    err: str


class Room:
    """See the module. Use as a context manager; whatever still runs in it ends with it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.user = [] if os.geteuid() == 0 else ["--user"]

    def __enter__(self) -> Room:
        own_user = [*self.user, "--map-root-user"] if self.user else []
        self._holder = subprocess.Popen(
            [tool("unshare"), *own_user, "--mount", "--net", "--pid", "--mount-proc", "--fork",
             "--kill-child", "sh", "-c", "ip link set lo up; echo ready; read end"],
            env={"PATH": PATH}, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        assert self._holder.stdout
        if self._holder.stdout.readline() != "ready\n":
            self.__exit__()
            pytest.skip("this user may not make namespaces")
        children = Path(f"/proc/{self._holder.pid}/task/{self._holder.pid}/children")
        (self._inside,) = children.read_text().split()
        return self

    def __exit__(self, *_: object) -> None:
        self._holder.kill()
        self._holder.communicate()

    def run(self, *words: str, stdin: str = "") -> Said:
        """Run a program in the room, among this machine's own files."""
        preserve = ["--preserve-credentials"] if self.user else []
        done = subprocess.run(
            [tool("nsenter"), f"--target={self._inside}", *self.user, *preserve, "--mount",
             "--net", "--pid", "--", *words],
            env={"PATH": PATH, "HOME": "/root"}, input=stdin, capture_output=True, text=True,
            timeout=SECONDS, cwd="/",
        )  # fmt: skip
        return Said(done.returncode, done.stdout, done.stderr)

    def machine(self, name: str, address: str = "") -> Machine:
        """A new machine; with an address on the room's loopback, where all of them can reach it."""
        root = self.folder / name
        for folder in FOLDERS:
            (root / folder).mkdir(parents=True)
        for link in LINKS:
            if Path("/", link).is_symlink():
                (root / link).symlink_to(Path("/", link).readlink())
        for file in ("passwd", "group", "os-release"):
            shutil.copy(f"/etc/{file}", root / "etc" / file)
        shutil.copytree("/etc/alternatives", root / "etc/alternatives", symlinks=True)
        mounts = [f"mount --rbind /{where} {root}/{where}" for where in ("usr", "dev", "proc")]
        # no containerd runs here, and its client would wait for one
        mounts.append(f"[ ! -e /usr/bin/ctr ] || mount --bind /dev/null {root}/usr/bin/ctr")
        if address:
            mounts.append(f"ip addr add {address}/32 dev lo")
        said = self.run("sh", "-ec", "\n".join(mounts))
        assert said.code == 0, said.err
        return Machine(self, name, address, root)


@dataclass(frozen=True)
class Machine:
    """``root`` is its ``/``, to be looked into from the test."""

    room: Room
    name: str
    address: str
    root: Path

    def sh(self, script: str, stdin: str = "") -> Said:
        """Run shell on the machine, as pyinfra does: as root, by ``sh -c``."""
        return self.room.run("chroot", str(self.root), "sh", "-c", script, stdin=stdin)

    def does(self, script: str, stdin: str = "") -> str:
        """As :meth:`sh`, for what must succeed; what it printed."""
        said = self.sh(script, stdin)
        assert said.code == 0, f"exit code {said.code}\n{said.out}\n{said.err}"
        return said.out

    def program(self, name: str, text: str) -> None:
        """A program of this machine alone; the first one hides those of ``/usr/local``."""
        self.does(
            "mountpoint -q /usr/local || mount -t tmpfs none /usr/local; mkdir -p /usr/local/bin\n"
            f"cat > /usr/local/bin/{name}; chmod 755 /usr/local/bin/{name}",
            stdin=text,
        )

    def path(self, path: str) -> Path:
        return self.root / path.lstrip("/")

    def read(self, path: str) -> str:
        return self.path(path).read_text()

    def write(self, path: str, text: str = "x\n", mode: int = 0o644) -> None:
        target = self.path(path)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text)
        target.chmod(mode)

    def files(self, *folders: str) -> set[str]:
        """All files below the folders, by their full paths on the machine."""
        return {
            "/" + str(file.relative_to(self.root))
            for folder in folders
            for file in self.path(folder).rglob("*")
            if not file.is_dir()
        }


def eventually(met: Callable[[], bool], what: str, seconds: float = 60) -> None:
    """Wait until it holds."""
    end = time.monotonic() + seconds
    while not met():
        assert time.monotonic() < end, f"not within {seconds} s: {what}"
        time.sleep(0.05)
