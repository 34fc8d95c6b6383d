"""What makes a machine a member of its cluster, taken away: killed at any moment, it goes on."""

from __future__ import annotations

from collections.abc import Generator

from pyinfra.api import StringCommand, operation

from homelab.preflight.survey import CLAIM
from operations.step import script

# Undo whatever an unfinished run left here; images and the machine's own settings stay.
# As a power cut does it (``ctr tasks delete`` was seen to wait for ever), then what a boot would
# find: containers without processes, which can be deleted.
WIPE = f"""unmount() {{  # one may go with another; what stays stops the rm below
    awk -v below="^$1" '$2 ~ below {{print $2}}' /proc/mounts | sort -ru |
        xargs -r umount -l 2>/dev/null || :
}}
systemctl stop kubelet 2>/dev/null || :
if command -v crictl >/dev/null; then timeout 60 crictl rmp --all --force >/dev/null 2>&1 || :; fi
for try in 1 2 3; do
    find /sys/fs/cgroup -path '*kubepods*' -name cgroup.procs -exec cat {{}} + 2>/dev/null |
        sort -u | xargs -r kill -KILL 2>/dev/null || :
    pkill -KILL -f '^/usr/.*containerd-shim.* -namespace k8s.io ' || :
done
if command -v ctr >/dev/null && systemctl is-active -q containerd; then
    systemctl stop containerd
    unmount /run/containerd/io.containerd
    rm -rf /run/containerd/io.containerd.runtime.v2.task/k8s.io
    systemctl start containerd
    for container in $(timeout 20 ctr -n k8s.io containers ls -q); do
        timeout 20 ctr -n k8s.io containers delete "$container" >/dev/null 2>&1 || :
    done
    systemctl restart containerd
fi
unmount /var/lib/kubelet/pods/
# A dead pod's network lives on in its namespace, and would share its address with a new pod.
for namespace in /run/netns/cni-*; do
    [ ! -e "$namespace" ] || ip netns delete "${{namespace##*/}}" || :
done
rm -rf /var/lib/cni /var/lib/etcd/member /var/lib/kubelet/pods /var/lib/kubelet/pki \\
    /var/lib/kubelet/cpu_manager_state /var/lib/kubelet/memory_manager_state \\
    /var/lib/kubelet/config.yaml /var/lib/kubelet/kubeadm-flags.env \\
    /etc/kubernetes/pki /etc/kubernetes/manifests /etc/kubernetes/*.conf \\
    /var/lib/homelab/etcd-initial {CLAIM}"""


# What a machine that is to join anew keeps, and one that is given up does not: its configuration,
# the key of the cluster's Secrets, and what its users did.
REMAINS = (
    "rm -rf /etc/kubernetes/homelab /etc/kubernetes/encryption /etc/kubernetes/audit "
    "/etc/kubernetes/tmp /var/log/kubernetes/audit"
)


def reset_script() -> str:
    """All that makes a machine a member of its cluster, and what was written for that."""
    stop = "systemctl disable --now {} 2>/dev/null || :"
    services = ("keepalived", "haproxy", "homelab-serving-csrs.timer", "kubelet")
    # From here on it is no finished member: a deploy after a reset that was killed makes it anew.
    unfinished = f'[ ! -e {CLAIM} ] || sed -i \'s/"member"/"joining"/\' {CLAIM}'
    return script(unfinished, *(stop.format(name) for name in services), WIPE, REMAINS)


@operation()
def reset() -> Generator[StringCommand, None, None]:
    """Take this machine out of its cluster: see :func:`reset_script`."""
    yield StringCommand(reset_script())
