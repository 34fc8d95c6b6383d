"""Which processes are the lab's: those that say so on their own command line."""

import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from homelab.lab import processes

SLEEP = "import time; time.sleep(60)"


@pytest.fixture
def child(tmp_path: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A process that names a folder on its command line, as dockerd does."""
    argv = [sys.executable, "-c", SLEEP, f"--data-root={tmp_path}/docker"]
    with subprocess.Popen(argv) as process:
        while SLEEP not in processes.words(process.pid):  # until the child's exec
            time.sleep(0.01)
        yield process
        process.kill()


def test_found_by_program_and_folder(child: subprocess.Popen[bytes], tmp_path: Path) -> None:
    program = Path(processes.words(child.pid)[0]).name
    assert processes.mentions(child.pid, program, tmp_path)
    assert not processes.mentions(child.pid, "dockerd", tmp_path)
    assert not processes.mentions(child.pid, program, tmp_path / "other")
    assert not processes.mentions(child.pid, program, Path(f"{tmp_path}/dock"))


def test_ended_and_only_those(child: subprocess.Popen[bytes], tmp_path: Path) -> None:
    program = Path(processes.words(child.pid)[0]).name
    assert processes.end(lambda pid: processes.mentions(pid, program, tmp_path / "other")) == 0
    assert child.poll() is None
    assert processes.end(lambda pid: processes.mentions(pid, program, tmp_path)) == 1
    assert child.wait(5) == -15


def test_a_process_that_is_gone_is_nobodys(tmp_path: Path) -> None:
    gone = 2**22 + 1  # above the kernel's largest process id
    assert processes.words(gone) == []
    assert not processes.mentions(gone, "dockerd", tmp_path)
    assert not processes.in_cgroup(gone, "/homelab-lab-x")
