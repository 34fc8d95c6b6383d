"""What runs on a machine and what lies on its disk, so that two moments can be compared."""

from __future__ import annotations

from collections.abc import Sequence

from tests.e2e.support.rig import Rig

UNITS = ("containerd", "kubelet", "haproxy", "keepalived", "homelab-firewall")
# A unit that is started again gets another InvocationID (systemd.exec(5)); a container that is
# started again gets another task process.
RUNNING = f"""
systemctl show --property=Id,InvocationID,MainPID {" ".join(f"{unit}.service" for unit in UNITS)} |
    paste -s -d' ' | sed 's/  */\\n/g'
ctr -n k8s.io tasks ls | sort
"""
# Everything a deploy could write. Kept out: what running services write by themselves.
FILES = """
find /etc /usr/local /opt /var/lib/homelab /var/lib/kubelet/config.yaml \
     /var/lib/kubelet/kubeadm-flags.env -xdev \
     \\( -type f -o -type l \\) ! -name '*.lock' ! -path '/etc/mtab' 2>/dev/null |
    sort | while read -r file; do
    printf '%s %s %s\\n' "$(stat -c '%a %U:%G' "$file")" \
        "$(sha256sum <"$file" 2>/dev/null | cut -c1-16)" "$file"
done
"""


def running(rig: Rig, names: Sequence[str] = ()) -> dict[str, set[str]]:
    """Units and containers of every node (or of ``names``), with an identity of this very start."""
    return {
        name: set(rig.root(name, RUNNING, timeout=120).splitlines()) for name in names or rig.nodes
    }


def files(rig: Rig, names: Sequence[str] = ()) -> dict[str, set[str]]:
    """Mode, owner and checksum of every file that a deploy could write."""
    found = {name: rig.root(name, FILES, timeout=600) for name in names or rig.nodes}
    return {name: set(text.splitlines()) for name, text in found.items()}


def changed(before: dict[str, set[str]], after: dict[str, set[str]]) -> dict[str, list[str]]:
    """The lines that differ, by machine."""
    found = {name: sorted(before[name] ^ after.get(name, set())) for name in before}
    return {name: lines for name, lines in found.items() if lines}
