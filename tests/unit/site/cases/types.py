"""Keys and types."""

from __future__ import annotations

from homelab.site.declared import MISSING
from tests.unit.site.cases.case import M0, Case, one

CASES: list[Case] = [
    ("unknown-key", "api.vipp", {"api.vipp": "192.168.10.9"}),
    ("unknown-key", f"{M0}.nics[1].MAC", {f"{M0}.nics[1].MAC": "x"}),
    ("unknown-key", "pod_cidr", {"pod_cidr": "10.0.0.0/8"}),
    *one("missing-key", "api.vip", MISSING),
    *one("missing-key", "network", MISSING),
    *one("missing-key", f"{M0}.roles", MISSING),
    *one("wrong-type", f"{M0}.ssh_port", "22", True, 22.0, None),
    *one("wrong-type", f"{M0}.roles", "worker"),
    *one("wrong-type", "network.dns", "192.168.10.1", {"9.9.9.9"}),
    *one("wrong-type", "network.dns[1]", 9),
    *one("wrong-type", "kubernetes.kube_proxy", "yes", 1, 0),
    *one("wrong-type", "api", {"name": "api.home.arpa"}, None),
    *one("wrong-type", f"{M0}", "n1"),
    *one("wrong-type", "ingress", "n1"),
    *one("wrong-type", "disk_p99_ms", "10"),
    *one("wrong-type", "network.vlan", "10"),
    *one("wrong-type", f"{M0}.labels", ("a", "b")),
    (
        "wrong-type",
        f"{M0}.labels['rack']",
        {f"{M0}.labels": {"rack": 1}},
    ),
    *one("unknown-choice", "kubernetes.runtime", "crio", "docker"),
    *one("unknown-choice", f"{M0}.roles[1]", "wroker"),
    *one("unknown-choice", f"{M0}.network", "networkmanager"),
]
