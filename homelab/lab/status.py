"""The lab at a glance: machines, who holds the VIP, etcd, nodes, health."""

import json
import subprocess
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from homelab.lab.errors import LabError
from homelab.lab.faults import Lab
from homelab.lab.plan import VIP
from homelab.site.derived import BALANCED_PORT

ANSWERS = ("up",)  # states in which asking a machine makes sense
# One question for all: an ssh and a start of etcdctl each would take longer than it.
QUESTION = """
export ETCDCTL_API=3 KUBECONFIG=/etc/kubernetes/admin.conf
pki=/etc/kubernetes/pki/etcd
[ -e $KUBECONFIG ] || exit 3
etcd="etcdctl --endpoints=127.0.0.1:2379 --dial-timeout=1s --command-timeout=3s -w json
      --cacert=$pki/ca.crt --cert=$pki/server.crt --key=$pki/server.key"
echo members; $etcd member list
echo status; $etcd endpoint status --cluster
echo nodes; kubectl get nodes -o json --request-timeout=3s |
    jq -c '[.items[] | {name: .metadata.name, version: .status.nodeInfo.kubeletVersion,
        ready: (.status.conditions[] | select(.type == "Ready") | .status)}]'
"""


def show(lab: Lab) -> str:
    """Everything as text."""
    machines = lab.machines()
    with ThreadPoolExecutor() as pool:
        states = dict(zip(machines, pool.map(lambda m: lab.state(m.name), machines), strict=True))
    up = [machine.name for machine, state in states.items() if state in ANSWERS]
    holders = [machine.name for machine in machines if holds_vip(lab, machine.name)]
    cluster = ask(lab, [m.name for m in machines if m.name in up and "control-plane" in m.roles])
    etcd = etcd_words(cluster)
    nodes = {node["name"]: node for node in cluster.get("nodes") or []}
    rows = [("machine", "address", "state", "vip", "etcd", "node", "version")]
    for machine, state in states.items():
        node = nodes.get(machine.name, {})
        rows.append(
            (
                machine.name,
                machine.address,
                state,
                "holds" if machine.name in holders else "",
                etcd.get(machine.name, ""),
                {"True": "Ready", None: ""}.get(node.get("ready"), "NotReady"),
                node.get("version", ""),
            )
        )
    return f"{table(rows)}\n\nAPI at {VIP}:{BALANCED_PORT}: {health(lab)}"


def holds_vip(lab: Lab, name: str) -> bool:
    """Whether a machine has the VIP, asked of the kernel."""
    return f" {VIP}/" in lab.addresses(name)


def ask(lab: Lab, names: Iterable[str]) -> dict[str, Any]:
    """Etcd's and the API server's own words from the first machine that has them."""
    for name in names:
        try:
            done = lab.run_on(name, QUESTION, timeout=20)
        except LabError:
            continue
        found = answers(done.stdout)
        if found.get("members"):
            return found
    return {}


def answers(text: str) -> dict[str, Any]:
    """Read the answers to QUESTION: a word, then a line of JSON if there was an answer."""
    found: dict[str, Any] = {}
    word = ""
    for line in text.splitlines():
        if line in ("members", "status", "nodes"):
            word = line
        elif word:
            try:
                found[word] = json.loads(line)
            except ValueError:
                continue
    return found


def etcd_words(cluster: dict[str, Any]) -> dict[str, str]:
    """What each etcd member is: leader, follower, learner, or silent."""
    statuses = {
        entry["Status"]["header"]["member_id"]: entry["Status"]
        for entry in cluster.get("status") or []
    }
    words = {}
    for member in (cluster.get("members") or {}).get("members", []):
        status = statuses.get(member["ID"])
        name = member.get("name") or member["peerURLs"][0]
        if member.get("isLearner"):
            words[name] = "learner"
        elif status is None:
            words[name] = "silent"
        else:
            words[name] = "leader" if status["leader"] == member["ID"] else "follower"
        if status and status.get("errors"):
            words[name] += " " + ", ".join(status["errors"])
    return words


def health(lab: Lab) -> str:
    """What the API server says of itself through the VIP."""
    url = f"https://{VIP}:{BALANCED_PORT}/readyz"
    curl = ["curl", "--silent", "--insecure", "--max-time", "3", url]
    done = subprocess.run(lab.nsenter(curl), capture_output=True, text=True, check=False)
    return done.stdout.strip() or "no answer"


def table(rows: Sequence[tuple[str, ...]]) -> str:
    """Columns as wide as their widest word; empty columns left out."""
    columns = [c for c in zip(*rows, strict=True) if any(c[1:])]
    widths = [max(len(word) for word in column) for column in columns]
    lines = zip(*columns, strict=True)
    return "\n".join(
        "  ".join(word.ljust(w) for word, w in zip(line, widths, strict=True)).rstrip()
        for line in lines
    )
