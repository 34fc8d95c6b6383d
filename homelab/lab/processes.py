"""Find the lab's own processes, and end them: by what they are, never by a stored number alone."""

import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from homelab.lab.errors import LabError

PATIENCE = 10.0


def running() -> Iterator[int]:
    """All process ids but our own."""
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and int(entry.name) != os.getpid():
            yield int(entry.name)


def words(pid: int) -> list[str]:
    """The command line of a process; empty if it is gone."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().decode(errors="replace").split("\0")
    except OSError:
        return []


def mentions(pid: int, program: str, folder: Path) -> bool:
    """Whether a process is `program` started for `folder` (or for a path below it)."""
    line = words(pid)
    if not line or Path(line[0]).name != program:
        return False
    inside = f"{folder}/"
    return any(f"{word}/".startswith(inside) or f"={inside}" in f"{word}/" for word in line[1:])


def started_for(pid: int, folder: Path) -> bool:
    """Whether a process was started with Vagrant's home in that folder."""
    try:
        variables = Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")
    except OSError:
        return False
    return f"VAGRANT_HOME={folder}".encode() in variables


def in_cgroup(pid: int, cgroup: str) -> bool:
    """Whether a process lies in a control group, or below it, in any hierarchy."""
    try:
        lines = Path(f"/proc/{pid}/cgroup").read_text().splitlines()
    except OSError:
        return False
    groups = [line.split(":", 2)[2] for line in lines]
    return any(group == cgroup or group.startswith(f"{cgroup}/") for group in groups)


def in_netns(pid: int, netns: Path) -> bool:
    """Whether a process lives in the network namespace that is mounted at that path."""
    try:
        its, ours = Path(f"/proc/{pid}/ns/net").stat(), netns.stat()
    except OSError:
        return False
    return (its.st_dev, its.st_ino) == (ours.st_dev, ours.st_ino)


def start_daemon(
    failure: str, argv: Sequence[str], log: Path, alive: Callable[[], bool], patience: float
) -> None:
    """Start a daemon that outlives this command, and wait until it answers.

    Raises LabError with ``failure`` and the last line of ``log`` if it ends, or takes longer than
    ``patience`` seconds.
    """
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("ab") as file:
        child = subprocess.Popen(
            argv,
            stdin=subprocess.DEVNULL,
            stdout=file,
            stderr=file,
            start_new_session=True,  # Ctrl-C ends the command, not the lab
            cwd="/",
        )
    deadline = time.monotonic() + patience
    while not alive():
        if child.poll() is not None or time.monotonic() > deadline:
            last = log.read_text(errors="replace").strip().rpartition("\n")[2]
            raise LabError(failure, last, f"read {log}")
        time.sleep(0.05)


def end(mine: Callable[[int], bool], first: int = signal.SIGTERM) -> int:
    """End the processes that are `mine`, hard if they take too long; return how many."""
    found = {pid for pid in running() if mine(pid)}
    _signal(found, first)
    deadline = time.monotonic() + PATIENCE
    while any(mine(pid) and not _dead(pid) for pid in found):
        if time.monotonic() > deadline:
            _signal({pid for pid in found if mine(pid)}, signal.SIGKILL)
            deadline += PATIENCE
        time.sleep(0.02)
    return len(found)


def _dead(pid: int) -> bool:
    """A zombie is dead, though it still has a name until its parent looks."""
    try:
        return ") Z " in Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return True


def _signal(pids: set[int], number: int) -> None:
    for pid in pids:
        try:
            os.kill(pid, number)
        except ProcessLookupError:
            continue
