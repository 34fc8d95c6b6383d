"""All logs of all machines into one folder, also of machines that are off, frozen or cut."""

import contextlib
import shutil
import subprocess
from pathlib import Path

from homelab.lab.access import Access
from homelab.lab.docker import Docker
from homelab.lab.progress import step

UNITS = ("containerd", "haproxy", "keepalived", "kubelet", "ssh")
PODS = "log/pods"


def collect(docker: Docker, lab: Access, dest: Path) -> None:
    """Write `<dest>/<machine>/…`, and the lab's own logs to `<dest>/lab/`."""
    with step(f"collect the logs in {dest}"):
        dest.mkdir(parents=True, exist_ok=True)
        if lab.paths.logs.is_dir():
            shutil.copytree(lab.paths.logs, dest / "lab", dirs_exist_ok=True)
        for machine in lab.machines():
            found = docker.inspect(f"{lab.name}-{machine.name}")
            if found:
                of_disk(var(found), dest / machine.name)


def var(container: dict[str, list[dict[str, str]]]) -> Path:
    """Where a machine's /var lies on the host; the machine need not run."""
    (source,) = (m["Source"] for m in container["Mounts"] if m["Destination"] == "/var")
    return Path(source)


def of_disk(disk: Path, dest: Path) -> None:
    """What is worth reading of a machine's /var."""
    dest.mkdir(parents=True, exist_ok=True)
    journal = ["journalctl", f"--directory={disk / 'log/journal'}", "--no-pager", "--quiet"]
    exact = ["--output=short-iso-precise"]
    _write(dest / "journal.log", [*journal, *exact])
    for unit in UNITS:
        _write(dest / f"{unit}.log", [*journal, *exact, f"--unit={unit}"])
    if (disk / PODS).is_dir():
        for log in sorted((disk / PODS).glob("*/*/*.log*")):
            # <namespace>_<pod>_<uid>/<container>/<times restarted>.log
            with contextlib.suppress(OSError):  # kubelet removes logs meanwhile
                shutil.copyfile(log, dest / pod_log(log))


def pod_log(log: Path) -> str:
    """A flat name; with the uid, as a changed manifest makes another pod of the same name."""
    namespace, pod, uid = log.parent.parent.name.split("_", 2)
    return f"{namespace}_{pod}_{uid[:8]}_{log.parent.name}_{log.name}"


def _write(dest: Path, argv: list[str]) -> None:
    done = subprocess.run(argv, capture_output=True, check=False)
    if done.stdout:
        dest.write_bytes(done.stdout)
