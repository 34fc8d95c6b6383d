"""What a lab could change on the host, recorded before and put back after.

Control groups, mounts and namespaces are named after the lab and removed with it.
Settings of the kernel outside of the network have no owner: kubelet writes a few,
so the lab sets them itself (nodes can't), and the last lab to end puts them back.
The same goes for kernel modules.
"""

import contextlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from homelab.lab import cache, modules, netns
from homelab.lab.paths import state_root

SYS = Path("/proc/sys")
# What kubelet 1.20 insists on: pkg/kubelet/cm/container_manager_linux.go, setupKernelTunables.
# It writes them unless they are so already.
KUBELET = {
    "vm/overcommit_memory": "1",
    "vm/panic_on_oom": "0",
    "kernel/panic": "10",
    "kernel/panic_on_oops": "1",
    "kernel/keys/root_maxkeys": "1000000",
    "kernel/keys/root_maxbytes": "25000000",
}
# Five machines with a kubelet and a systemd each watch more files than a desktop.
LEAST = {"fs/inotify/max_user_instances": 1024, "fs/inotify/max_user_watches": 524288}

# A record of an earlier version, or none: what is not known to be ours stays as it is.
UNKNOWN: dict[str, Any] = {"before": {}, "users": [], "modules": [], "namespaces": "mounted"}


def _record() -> Path:
    return state_root() / "sysctls.json"


def wanted(now: Mapping[str, str]) -> dict[str, str]:
    """The settings to write, given those that are."""
    to_set = {name: value for name, value in KUBELET.items() if now.get(name, value) != value}
    for name, least in LEAST.items():
        if int(now.get(name, least)) < least:
            to_set[name] = str(least)
    return to_set


def read() -> dict[str, str]:
    """The settings that could change, as they are."""
    names = [*KUBELET, *LEAST]
    return {name: (SYS / name).read_text().strip() for name in names if (SYS / name).exists()}


def prepare(lab: str, vms: bool = False) -> None:
    """Record the settings (the first lab does) and set what the nodes need; VMs set their own."""
    with cache.locked("host"):
        record = _load()
        if not record["users"]:
            record["before"] = read()
            record["namespaces"] = netns.folder_is()
        record["users"] = sorted({*record["users"], lab})
        needed = modules.FOR_VMS if vms else modules.WANTED
        record["modules"] = [*record["modules"], *modules.load(needed)]
        _save(record)
        if not vms:
            for name, value in wanted(read()).items():
                (SYS / name).write_text(value)


def restore(lab: str) -> None:
    """Put the settings back as they were, if no other lab needs them."""
    with cache.locked("host"):
        record = _load()
        record["users"] = [user for user in record["users"] if user != lab and _alive(user)]
        if record["users"]:
            _save(record)
            return
        now = read()
        for name, value in record["before"].items():
            if now.get(name) != value:
                (SYS / name).write_text(value)
        modules.unload(record["modules"])
        netns.restore_folder(record["namespaces"])
        _record().unlink(missing_ok=True)
    with contextlib.suppress(OSError):  # not empty, or never made
        state_root().rmdir()


def _alive(lab: str) -> bool:
    """A lab whose folder is gone needs nothing any more, however it ended."""
    return (state_root() / lab).is_dir()


def _load() -> dict[str, Any]:
    if _record().exists():
        record: dict[str, Any] = json.loads(_record().read_text())
        return {**UNKNOWN, **record}
    return dict(UNKNOWN)


def _save(record: Mapping[str, object]) -> None:
    _record().parent.mkdir(parents=True, exist_ok=True)
    part = _record().with_suffix(".part")
    part.write_text(json.dumps(record, indent=2) + "\n")
    part.replace(_record())
