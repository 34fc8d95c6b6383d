"""What a machine is before anything is changed: one record, read in one round trip."""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Literal

from homelab.documents.traits import Traits

Membership = Literal["none", "ours-unfinished", "ours", "foreign"]

# Where a machine remembers which site it serves, and how far it got ("joining", "member").
CLAIM = "/var/lib/homelab/cluster.json"

MADE = ("bond", "vlan", "bridge")  # kinds of ports that no cable goes into

CAP_SYS_RESOURCE = 24  # capabilities(7)

SCRIPT = r"""
echo "@began $(date +%s.%N)"
echo "@user $(id -un) $(id -u)"
. /etc/os-release; echo "@os $ID ${VERSION_ID:-0}"
echo "@kernel $(uname -m) $(uname -r)"
echo "@cgroup $(stat -f -c %T /sys/fs/cgroup)"
echo "@virt $(systemd-detect-virt --container 2>/dev/null || true)"
echo "@capabilities $(sed -n 's/^CapBnd:\s*//p' /proc/1/status)"
echo "@cores $(nproc)"
echo "@memory $(sed -n 's/^MemTotal: *\([0-9]*\).*/\1/p' /proc/meminfo)"
for p in /var/lib/etcd /var/lib/containerd /var/lib/containers /var; do
  d=$p; while [ ! -e "$d" ]; do d=$(dirname "$d"); done
  echo "@free $p $(df -Pk "$d" | awk 'NR==2{print $4}')"
done
echo "@hostname $(hostname)"
echo "@machine-id $(cat /etc/machine-id 2>/dev/null)"
echo "@product-uuid $(cat /sys/class/dmi/id/product_uuid 2>/dev/null)"
sed -n '2,$s/^\([^ \t]*\).*/@swap \1/p' /proc/swaps
ss -Hltnp 2>/dev/null |
  awk '{split($6,a,"\""); n=split($4,b,":"); print "@listens " b[n] " " a[2]}' | sort -u
echo "@addresses $(ip -j -4 addr show | tr -d '\n')"
echo "@links $(ip -j -d link show | tr -d '\n')"
echo "@claim $(cat /var/lib/homelab/cluster.json 2>/dev/null | tr -d '\n')"
for p in /etc/kubernetes/pki/ca.crt /etc/kubernetes/*.conf /etc/kubernetes/manifests/*.yaml \
         /var/lib/etcd/member /var/lib/rancher/k3s /var/lib/rancher/rke2 \
         /etc/rancher/k3s /etc/rancher/rke2; do
  [ ! -e "$p" ] || echo "@remains $p"
done
ca=/etc/kubernetes/pki/ca.crt
[ ! -s $ca ] ||
  echo "@ca $(openssl x509 -in $ca -noout -fingerprint -sha256 2>/dev/null | sed 's/.*=//')"
tasks=/run/containerd/io.containerd.runtime.v2.task/k8s.io
echo "@sandboxes $(ls $tasks 2>/dev/null | wc -l) $(ls /run/crio 2>/dev/null | wc -l)"
dpkg-query -W -f '@package ${Package} ${Version} ${db:Status-Abbrev}\n' 2>/dev/null |
  sed -n 's/ ii $//p'
made=/etc/kubernetes/homelab/kubeadm.yaml
for key in kubernetesVersion controlPlaneEndpoint podSubnet serviceSubnet dnsDomain \
           api.vip kubernetes.cni kubernetes.kube_proxy kubernetes.coredns; do
  echo "@made-with $key $(sed -n "s/^[# ]*$key: *//p" $made 2>/dev/null | head -n 1)"
done
echo "@etcd-initial $(cat /var/lib/homelab/etcd-initial 2>/dev/null)"
echo "@disk $(cat /var/lib/homelab/etcd-disk-p99 2>/dev/null)"
# A digest tells whether two machines have the same key, and nothing of the key. A file alone may be
# of an earlier cluster.
key=$(sed -n 's/^ *secret: *//p' /etc/kubernetes/encryption/config.yaml 2>/dev/null)
[ -z "$key" ] || ! grep -qs encryption-provider-config $made ||
  echo "@encrypts $(echo "$key" | sha256sum | cut -c1-16)"
if [ -e /var/lib/homelab/applied/haproxy ] ||
   grep -qs '^# Written by deploys/cluster.py ' /etc/haproxy/haproxy.cfg; then echo "@balances"; fi
for name in net.bridge.bridge-nf-call-iptables \
            fs.inotify.max_user_instances fs.inotify.max_user_watches; do
  echo "@sysctl $name $(cat "/proc/sys/$(echo $name | tr . /)" 2>/dev/null)"
done
echo "@filesystems $(sed 's/^nodev//' /proc/filesystems | tr -d '\t' | tr '\n' ' ')"
# Who answers for the VIP? Anything that is sent makes the kernel ask by ARP; port 9 discards.
# What it remembers is no answer: it may be somebody's who is dead by now.
if [ -n "${VIP:-}" ] && ! ip -4 addr show | grep -q " $VIP/"; then
  ip -4 neigh flush to "$VIP" >/dev/null 2>&1 || true
  for try in 1 2 3 4 5; do
    timeout 1 bash -c "echo > /dev/udp/$VIP/9" 2>/dev/null || true
    mac=$(ip -4 neigh show to "$VIP" |
      sed -n 's/.* lladdr \([0-9a-f:]*\) .*REACHABLE.*/\1/p' | head -n 1)
    [ -z "$mac" ] || { echo "@vip-held-by $mac"; break; }
    sleep 0.1
  done
fi
echo "@time $(date +%s.%N)"
"""


def script(vip: str) -> str:
    """:data:`SCRIPT`, which also looks for whoever holds ``vip`` (an IPv4 address)."""
    return f"VIP={shlex.quote(vip)}\n{SCRIPT}"


@dataclass
class Survey:
    """Times in seconds, sizes in KiB; ``None``/empty where the machine did not say.

    ``began`` and ``time`` are the machine's clock at the first and the last line; ``asked`` and
    ``answered`` the controller's, before and after both.
    """

    user: str = ""
    uid: int = -1
    os: str = ""
    os_version: str = "0"
    arch: str = ""
    kernel: str = ""
    cgroup: str = ""
    virt: str = ""
    capabilities: int = 0
    cores: int = 0
    memory: int = 0
    free: dict[str, int] = field(default_factory=dict)
    hostname: str = ""
    machine_id: str = ""
    product_uuid: str = ""
    swap: list[str] = field(default_factory=list)
    listens: dict[int, str] = field(default_factory=dict)
    addresses: dict[str, str] = field(default_factory=dict)  # IPv4 -> interface
    macs: dict[str, str] = field(default_factory=dict)  # permanent MAC -> interface
    claim: dict[str, str] = field(default_factory=dict)
    remains: list[str] = field(default_factory=list)
    ca: str = ""
    containerd_pods: int = 0
    crio_pods: int = 0
    packages: dict[str, str] = field(default_factory=dict)
    made_with: dict[str, str] = field(default_factory=dict)  # kubeadm's field -> value, as applied
    etcd_initial: str = ""  # initial-cluster of this machine's own start; "" for the first one
    disk_p99_ms: float | None = None
    vip_held_by: str = ""  # MAC of another machine that answers for the VIP
    encrypts: str = ""  # a digest of the key with which this API server encrypts Secrets
    balances: bool = False  # its HAProxy is ours
    sysctls: dict[str, str] = field(default_factory=dict)
    filesystems: list[str] = field(default_factory=list)
    began: float = 0.0
    time: float = 0.0
    asked: float = 0.0
    answered: float = 0.0

    @property
    def ahead(self) -> tuple[float, float] | None:
        """The machine's clock is ahead of the controller's by something between these two."""
        if not (self.began and self.time and self.asked and self.answered):
            return None
        return self.time - self.answered, self.began - self.asked

    @property
    def is_container(self) -> bool:
        return self.virt not in ("", "none")

    def membership(self, site_name: str) -> Membership:
        """Whose cluster this machine belongs to, as far as it can tell by itself."""
        if self.claim:
            if self.claim.get("site") != site_name:
                return "foreign"
            return "ours" if self.claim.get("phase") == "member" else "ours-unfinished"
        return "foreign" if self.remains else "none"

    def traits(self, address: str) -> Traits:
        return Traits(
            container=self.is_container,
            sys_resource=bool(self.capabilities >> CAP_SYS_RESOURCE & 1),
            cgroup2=self.cgroup == "cgroup2fs",
            swap_on=bool(self.swap) and self.is_container,
            debian=int(self.os_version.split(".")[0] or 0),
            interface=self.addresses.get(address, "eth0"),
        )

    def to_json(self) -> dict[str, Any]:
        return vars(self)


def parse(output: Iterable[str]) -> Survey:
    """Lines of :data:`SCRIPT` to a survey; ValueError names the line that makes no sense."""
    survey = Survey()
    for line in output:
        tag, _, rest = line.partition(" ")
        try:
            _take(survey, tag, rest.strip())
        except (ValueError, LookupError, TypeError, AttributeError) as error:
            raise ValueError(f"unreadable line {line!r}: {error}") from error
    return survey


def _take(survey: Survey, tag: str, rest: str) -> None:
    words = rest.split()
    match tag:
        case "@user":
            survey.user, survey.uid = words[0], int(words[1])
        case "@os":
            survey.os, survey.os_version = words[0], words[1]
        case "@kernel":
            survey.arch, survey.kernel = words[0], words[1]
        case "@cgroup" | "@virt" | "@hostname" | "@ca":
            setattr(survey, tag[1:], rest)
        case "@machine-id" | "@product-uuid" | "@etcd-initial" | "@vip-held-by" | "@encrypts":
            setattr(survey, tag[1:].replace("-", "_"), rest)
        case "@capabilities":
            survey.capabilities = int(rest or "0", 16)
        case "@cores" | "@memory":
            setattr(survey, tag[1:], int(rest))
        case "@made-with":
            if len(words) > 1:
                survey.made_with[words[0]] = words[1].strip("'\"")
        case "@free":
            survey.free[words[0]] = int(words[1])
        case "@swap":
            survey.swap.append(rest)
        case "@listens":
            survey.listens[int(words[0])] = words[1] if len(words) > 1 else ""
        case "@addresses":
            for link in json.loads(rest or "[]"):
                for address in link.get("addr_info", []):
                    survey.addresses[address["local"]] = link["ifname"].partition("@")[0]
        case "@links":
            for link in json.loads(rest or "[]"):
                # a bond has the address of its first leg, also when that leg is not there
                if link.get("linkinfo", {}).get("info_kind") not in MADE:
                    mac = link.get("permaddr") or link.get("address", "")
                    survey.macs[mac.lower()] = link["ifname"]
        case "@claim":
            survey.claim = dict(json.loads(rest or "{}"))
        case "@remains":
            survey.remains.append(rest)
        case "@sandboxes":
            survey.containerd_pods, survey.crio_pods = int(words[0]), int(words[1])
        case "@package":
            survey.packages[words[0]] = words[1]
        case "@disk":
            survey.disk_p99_ms = float(rest) if rest else None
        case "@balances":
            survey.balances = True
        case "@sysctl":
            survey.sysctls[words[0]] = " ".join(words[1:])
        case "@filesystems":
            survey.filesystems = words
        case "@began" | "@time":
            setattr(survey, tag[1:], float(rest))
        case _:
            raise ValueError("unknown tag")
