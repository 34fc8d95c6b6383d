"""Kernel modules that the nodes need and can't load: a container may not, so the host does.

Those that `up` loaded are removed by the last `down`. Netfilter's and nftables' own
are loaded by the kernel when a rule asks for them.
"""

import subprocess
from collections.abc import Iterable
from pathlib import Path

LIST = Path("/proc/modules")  # missing where the kernel has no modules at all
WANTED = ("loop", "overlay", "bridge", "veth", "br_netfilter", "nf_conntrack", "vxlan")
FOR_VMS = ("tun", "bridge")
BRIDGED = Path("/proc/sys/net/bridge")


def absent(listed: str, wanted: Iterable[str] = WANTED) -> list[str]:
    """Which of the wanted modules are not in the text of /proc/modules."""
    loaded = {line.split()[0] for line in listed.splitlines() if line}
    return [name for name in wanted if name not in loaded]


def load(wanted: Iterable[str] = WANTED) -> list[str]:
    """Load what is missing (if it is not built in); return what was loaded."""
    if not LIST.exists():
        return []
    before = absent(LIST.read_text(), wanted)
    subprocess.run(["modprobe", "--quiet", "--all", *before], check=False)
    now = absent(LIST.read_text(), before)
    loaded = [name for name in before if name not in now]
    if "br_netfilter" in loaded:
        # From now on the host's own bridges would be filtered, too. Each network
        # namespace has settings of its own, so the nodes keep the default, "on".
        for setting in BRIDGED.glob("bridge-nf-call-*"):
            setting.write_text("0")
    return loaded


def unload(loaded: Iterable[str]) -> None:
    """Remove them again; one that somebody else uses by now stays."""
    for name in reversed([*loaded]):
        subprocess.run(["modprobe", "--quiet", "--remove", name], check=False)
