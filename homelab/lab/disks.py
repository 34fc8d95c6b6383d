"""A small disk of its own under each machine's etcd: a file with ext4 in it, mounted by loop.

So it can be filled without filling the host, and etcd has, as it should, a disk
that nothing else writes to.
"""

import os
from pathlib import Path

from homelab.lab.shell import run

SIZE = 1 << 30
BALLAST = "ballast"


class Disk:
    """The disk of one machine."""

    def __init__(self, state: Path, machine: str) -> None:
        """Name the file and where it is mounted on the host."""
        self.file = state / "disks" / f"{machine}.ext4"
        self.mounted = state / "disks" / machine

    def attach(self) -> None:
        """Make the file if it is missing, and mount it if it is not."""
        if os.path.ismount(self.mounted):
            return
        self.mounted.mkdir(parents=True, exist_ok=True)
        if not self.file.exists():
            part = self.file.with_suffix(".part")
            with part.open("wb") as file:
                os.posix_fallocate(file.fileno(), 0, SIZE)
            run(["mkfs.ext4", "-q", "-m", "0", "-F", part])
            part.rename(self.file)
        run(["mount", "-o", "loop,noatime", self.file, self.mounted])
        if (self.mounted / "lost+found").is_dir():
            (self.mounted / "lost+found").rmdir()  # a fresh etcd's folder is empty
        self.mounted.chmod(0o700)

    def remove(self) -> None:
        """Throw it away: a new machine comes with an empty disk."""
        if self.mounted.is_mount():
            run(["umount", self.mounted])
        self.file.unlink(missing_ok=True)
        if self.mounted.is_dir():
            self.mounted.rmdir()

    def fill(self) -> None:
        """Leave not one free block."""
        free = os.statvfs(self.mounted)
        with (self.mounted / BALLAST).open("ab") as file:
            size = file.tell() + free.f_bavail * free.f_frsize
            while size > 0:
                try:
                    os.posix_fallocate(file.fileno(), 0, size)
                    break
                except OSError:  # the file's own index takes blocks too
                    size -= 64 * free.f_frsize
        with (self.mounted / BALLAST).open("ab", buffering=0) as file:
            try:
                while True:
                    file.write(b"\0" * free.f_frsize)
            except OSError:
                return

    def free(self) -> None:
        """Give the blocks back."""
        (self.mounted / BALLAST).unlink(missing_ok=True)
