"""The named conditions of all gates, each with its probe and where to look further."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from deploys.kubernetes import manifests
from homelab.documents import kept
from homelab.site import derived
from homelab.site.model import Machine, Site
from operations.condition import Condition
from operations.etcd import all_sound, etcdctl
from operations.kubeadm import KUBECTL

CURL = "curl -sk --max-time 5 -o /dev/null -w '%{http_code}'"


def own_api(site: Site) -> Condition:
    return Condition(
        "this machine's API server is ready",
        f"code=$({CURL} https://127.0.0.1:6443/readyz); "
        'echo "/readyz says $code"; [ "$code" = 200 ]',
        "sudo tail -n 30 /var/log/pods/kube-system_kube-apiserver-*/*/*.log",
    )


def balanced_api(site: Site) -> Condition:
    url = f"https://{site.api.vip}:{derived.balanced_port(site)}/readyz"
    return Condition(
        "the API answers on the VIP",
        f'code=$({CURL} {url}); echo "{url} says $code"; [ "$code" = 200 ]',
        "ip -br addr; sudo systemctl status haproxy keepalived",
    )


def runtime(site: Site) -> Condition:
    service = "crio" if site.kubernetes.runtime == "cri-o" else "containerd"
    return Condition(
        f"{service} runs",
        f"systemctl is-active {service}",
        f"sudo journalctl -u {service} -n 50",
    )


def balancer(site: Site, machine: Machine) -> list[Condition]:
    port = derived.balanced_port(site)
    return [
        Condition(
            "HAProxy listens",
            f"ss -Hltn 'sport = :{port}' | grep -q . && echo listening "
            f"|| {{ echo 'port {port} is closed'; exit 1; }}",
            "sudo journalctl -u haproxy -n 50",
        ),
        Condition(
            "keepalived runs",
            "systemctl is-active keepalived",
            "sudo journalctl -u keepalived -n 50",
        ),
        Condition(
            "somebody holds the VIP",
            f"ip -4 addr show | grep -q ' {site.api.vip}/' "
            f"|| ping -c 1 -W 1 {site.api.vip} >/dev/null "
            f"|| {{ echo '{site.api.vip} does not answer'; exit 1; }}",
            "sudo journalctl -u keepalived -n 50",
        ),
    ]


def kubelet() -> Condition:
    return Condition(
        "kubelet is healthy",
        "curl -s --max-time 5 http://127.0.0.1:10248/healthz | grep -x ok",
        "sudo journalctl -u kubelet -n 50",
    )


def node_registered(machine: Machine) -> Condition:
    """Ask from any control plane."""
    return Condition(
        f"node {machine.name} is registered",
        f"{KUBECTL} get node {machine.name} -o name",
        f"{KUBECTL} get nodes; sudo journalctl -u kubelet -n 50",
    )


def sound(site: Site, machine: Machine) -> list[Condition]:
    """What a machine needs to join: asked by the post-mortem of one that did not."""
    vip, port = site.api.vip, derived.balanced_port(site)
    found = [
        runtime(site),
        kubelet(),
        replace(
            balanced_api(site),
            look=f"ip route get {vip}; ping -c 3 {vip}; sudo nft list table inet homelab",
        ),
        Condition(
            "the API's name leads to the VIP",
            f"got=$(getent ahostsv4 {site.api.name} | awk '{{print $1; exit}}'); "
            f'echo "it leads to ${{got:-nowhere}}"; [ "$got" = {vip} ]',
            f"getent hosts {site.api.name}; cat /etc/hosts",
        ),
        Condition(
            "its clock is the cluster's, within 30 s",
            f"there=$(curl -skI --max-time 5 https://{vip}:{port}/healthz "
            "| sed -n 's/^[Dd]ate: //p' | tr -d '\\r'); "
            '[ -n "$there" ] || { echo "the API did not tell its time"; exit 1; }; '
            'off=$(( $(date +%s) - $(date -d "$there" +%s) )); echo "$off s off"; '
            '[ "${off#-}" -le 30 ]',
            "timedatectl; timedatectl timesync-status",
        ),
        Condition(
            "there is room on its disk",
            "full=$(df --output=pcent,target /var/lib/kubelet /var/lib/containerd /run "
            "| awk '$1 + 0 > 95 {print $2, \"is full to\", $1}'); "
            'echo "${full:-yes}"; [ -z "$full" ]',
            "df -h; sudo du -xsh /var/lib/*",
        ),
    ]
    if machine in derived.control_planes(site):
        others = [m for m in derived.control_planes(site) if m != machine]
        found += [
            Condition(
                f"etcd of {other.name} is within reach",
                f"timeout 3 bash -c 'for p in 2379 2380; do : < /dev/tcp/{other.address}/$p; done'",
                f"ping -c 3 {other.address}; on {other.name}: sudo ss -ltnp 'sport = :2380'",
            )
            for other in others
        ]
    return found


def etcd(site: Site, members: int) -> list[Condition]:
    """``members`` voters, all healthy, one leader that all agree on, no alarm."""
    ctl = f"{etcdctl(['127.0.0.1'])} --command-timeout=8s"
    look = f"sudo {ctl} endpoint status --cluster -w table"
    return [
        Condition(
            f"etcd has {members} members, all voters",
            f"list=$({ctl} member list); echo \"$list\" | awk -F', ' '"
            '$2 != "started" || $6 != "false" '
            '{bad = bad " " $3 "(" $2 (($6 == "true") ? ", learner" : "") ")"} '
            'END {print NR " members," (bad ? " not voting:" bad : " all vote"); '
            f"exit !(NR == {members} && !bad)}}'",
            look,
        ),
        Condition(
            "every etcd member is healthy and they agree on one leader",
            f"{ctl} endpoint health --cluster >/dev/null 2>&1 "
            f"|| {{ {ctl} endpoint health --cluster 2>&1 | tail -n 1; exit 1; }}; "
            f"{ctl} endpoint status --cluster -w fields | "
            'awk \'$1 == "\\"Leader\\"" {l[$3]} '
            'END {n = 0; for (i in l) n++; print n " leaders"; exit n != 1}\'',
            look,
        ),
        Condition(
            "etcd raises no alarm",
            f'alarms=$({ctl} alarm list) || exit 1; echo "${{alarms:-none}}"; [ -z "$alarms" ]',
            f"sudo {ctl} alarm list",
        ),
    ]


def own_etcd(machine: Machine) -> Condition:
    """A linearizable read of this machine's member: the leader and a majority are within reach."""
    ctl = f"{etcdctl([machine.address])} --command-timeout=5s"
    return Condition(
        "this machine's etcd reaches a majority",
        f"{ctl} endpoint health 2>&1 | grep 'is healthy' || {{ echo 'it does not'; exit 1; }}",
        f"sudo {ctl} endpoint status --cluster -w table",
    )


def others_sound(others: Sequence[str], joining: Sequence[str]) -> Condition:
    """Before a member is announced. ``joining`` are addresses of machines that are none yet: what
    an earlier life has left of them in etcd is for their own announcement to clear away."""
    return Condition(
        "every other etcd member is healthy and votes",
        all_sound(others, joining),
        f"sudo {etcdctl(others)} endpoint status --cluster -w table",
    )


def nodes_ready(site: Site) -> Condition:
    names = sorted(machine.name for machine in derived.nodes(site))
    return Condition(
        "every node is Ready",
        f"{KUBECTL} get nodes --no-headers | awk '$2 ~ /^Ready(,|$)/ {{ready[$1]}} "
        f'END {{n = split("{" ".join(names)}", want, " "); for (i = 1; i <= n; i++) '
        'if (!(want[i] in ready)) missing = missing " " want[i]; '
        'print missing ? "not Ready:" missing : "all Ready"; exit missing != ""}\'',
        f"{KUBECTL} get nodes -o wide; {KUBECTL} describe nodes",
    )


def restarted() -> list[Condition]:
    """After a change of manifests: what runs is what they say, not what ran before.

    The old pods go on being healthy until kubelet gets to them, so health alone proves nothing.
    """
    return [
        Condition(
            f"{name} runs as its manifest says",
            manifests.as_declared(name),
            "sudo journalctl -u kubelet -n 50; sudo crictl ps -a",
        )
        for name in kept.NAMES
    ]


def static_pods(site: Site) -> list[Condition]:
    """This control plane's static pods, asked themselves.

    Not their mirrors in the API: kubelet makes those up to a minute late.
    """
    ports = {"kube-controller-manager": 10257, "kube-scheduler": 10259}
    return [
        own_api(site),
        *(
            Condition(
                f"{name} is healthy",
                f"code=$({CURL} https://127.0.0.1:{port}/healthz); "
                'echo "/healthz says $code"; [ "$code" = 200 ]',
                f"sudo tail -n 30 /var/log/pods/kube-system_{name}-*/*/*.log",
            )
            for name, port in ports.items()
        ),
    ]


def serving_certificates(site: Site) -> Condition:
    """Every kubelet serves with a certificate of the cluster: the API server can reach it."""
    names = " ".join(machine.name for machine in derived.nodes(site))
    return Condition(
        "every kubelet's serving certificate is signed",
        f"for n in {names}; do "
        f"{KUBECTL} get --raw /api/v1/nodes/$n/proxy/healthz --request-timeout=5s >/dev/null 2>&1 "
        '|| bad="$bad $n"; done; echo "${bad:-all}"; [ -z "${bad:-}" ]',
        f"{KUBECTL} get csr; sudo journalctl -u homelab-serving-csrs -n 20",
        nudge="systemctl start homelab-serving-csrs.service",
    )
