"""The lab's own Docker daemon, in the lab's own network namespace.

It needs no Docker on the machine and touches none that is there. With
`--daemon machine` the machine's own serves instead, and only containers, volumes
and a network named after the lab are made in it.
"""

import os
import shutil
import time
from pathlib import Path

from homelab.lab import netns, processes
from homelab.lab.docker import Docker
from homelab.lab.errors import LabError
from homelab.lab.paths import Paths
from homelab.lab.progress import say, step
from homelab.lab.shell import run

MACHINES_SOCKET = Path(
    os.environ.get("DOCKER_HOST", "/var/run/docker.sock").removeprefix("unix://")
)
OVERLAYS = {"overlay", "overlayfs", "tmpfs", "ramfs"}
PATIENCE = 60.0
CGROUPS = Path("/sys/fs/cgroup")


class Daemon:
    """Start, stop and clean up after the daemon of one lab."""

    def __init__(self, paths: Paths, machines_own: bool = False) -> None:
        """Describe the daemon of the lab at `paths`, or the machine's own."""
        self.paths = paths
        self.machines_own = machines_own
        self.docker = Docker(MACHINES_SOCKET if machines_own else paths.socket)

    def enter(self, *argv: str) -> list[str]:
        """The command `argv`, where the lab's machines can be reached."""
        return list(argv) if self.machines_own else netns.inside(self.paths.netns, argv)

    def environment(self) -> dict[str, str]:
        """For programs that talk to the daemon."""
        return {"DOCKER_HOST": f"unix://{self.docker.path}"}

    def start(self) -> None:
        """Start it if it does not run; remains of one that crashed are cleaned first."""
        if self.machines_own:
            if not self.docker.alive():
                raise LabError(
                    f"no Docker daemon at {MACHINES_SOCKET}",
                    "",
                    "start it, or leave out --daemon machine",
                )
            return
        if self._running() and self.docker.alive():
            return
        self.paths.state.mkdir(parents=True, exist_ok=True)
        on_a_disk(self.paths.state)
        if self.clean():
            say("cleaned up what an earlier lab of this name left behind")
        netns.create(self.paths.netns)
        with step("start the lab's Docker daemon"):
            self._start()

    def argv(self) -> list[str]:
        """The daemon's command line."""
        state = self.paths.state
        return self.enter(
            "dockerd",
            f"--data-root={state / 'docker'}",
            f"--exec-root={state / 'exec'}",
            f"--pidfile={state / 'docker.pid'}",
            f"--host=unix://{self.paths.socket}",
            f"--config-file={state / 'daemon.json'}",  # not the machine's own daemon's
            "--storage-driver=overlay2",
            "--exec-opt=native.cgroupdriver=cgroupfs",
            f"--cgroup-parent={self.paths.cgroup}",
            # The machines reach each other over one bridge and nothing else.
            *("--bridge=none", "--iptables=false", "--ip6tables=false", "--ip-masq=false"),
            *("--userland-proxy=false", "--log-level=warn"),
        )

    def _start(self) -> None:
        (self.paths.state / "daemon.json").write_text("{}\n")
        log = self.paths.logs / "dockerd.log"
        failure = "the lab's Docker daemon does not start"
        processes.start_daemon(failure, self.argv(), log, self.docker.alive, PATIENCE)

    def stop(self) -> None:
        """End the daemon and whatever it left; its containers are gone already."""
        if not self.machines_own:
            self.clean()
            netns.remove(self.paths.netns)

    def clean(self) -> bool:
        """End processes and remove mounts and control groups of this lab; say if there were any.

        What belongs to the lab is found by its folder and its control group, so it
        works after any crash, and touches nothing of anybody else's.
        """
        ended = processes.end(self._is_daemon)
        ended += processes.end(lambda pid: processes.in_cgroup(pid, self.paths.cgroup), 9)
        ended += processes.end(self._is_shim)
        unmounted = unmount_below(self.paths.state)
        removed = remove_cgroups(self.paths.cgroup)
        (self.paths.state / "docker.pid").unlink(missing_ok=True)
        self.paths.socket.unlink(missing_ok=True)
        shutil.rmtree(self.paths.state / "exec", ignore_errors=True)
        return bool(ended or unmounted or removed)

    def _running(self) -> bool:
        return any(self._is_daemon(pid) for pid in processes.running())

    def _is_daemon(self, pid: int) -> bool:
        return any(
            processes.mentions(pid, program, self.paths.state)
            for program in ("dockerd", "containerd")
        )

    def _is_shim(self, pid: int) -> bool:
        programs = ("containerd-shim-runc-v2", "containerd-shim", "runc")
        return any(processes.mentions(pid, program, self.paths.state) for program in programs)


def on_a_disk(folder: Path) -> None:
    """Refuse a folder where Docker's overlay could not lie."""
    kind = run(["stat", "--file-system", "--format=%T", folder]).strip()
    if kind in OVERLAYS:
        then = "set HOMELAB_STATE_DIR to a folder on ext4 or xfs"
        raise LabError(f"{folder} lies on {kind}", "the machines' disks can't lie on that", then)


def mounts_below(folder: Path, mountinfo: str) -> list[str]:
    """The mount points in or below a folder, the innermost first."""
    points = [line.split()[4] for line in mountinfo.splitlines()]
    return [p for p in reversed(points) if p == str(folder) or p.startswith(f"{folder}/")]


def unmount_below(folder: Path) -> int:
    """Unmount all in or below a folder; return how many there were."""
    points = mounts_below(folder, Path("/proc/self/mountinfo").read_text())
    for point in points:
        run(["umount", "--lazy", point])
    return len(points)


def remove_cgroups(cgroup: str) -> int:
    """Remove a control group with all below it, in every hierarchy (v1) or the one (v2)."""
    roots = [CGROUPS, *(path for path in CGROUPS.iterdir() if path.is_dir())]
    removed = 0
    for root in roots:
        top = root / cgroup.lstrip("/")
        for path, _, _ in os.walk(top, topdown=False):
            for _ in range(100):  # the kernel takes a moment to see that it is empty
                try:
                    Path(path).rmdir()
                    removed += 1
                    break
                except FileNotFoundError:
                    break
                except OSError:
                    time.sleep(0.02)
    return removed
