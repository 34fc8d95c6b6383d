"""Labels and taints."""

from __future__ import annotations

from tests.unit.site.cases.case import BALANCERS, M0, MACHINES, ON_MACHINES, Case, one

CASES: list[Case] = [
    ("label-key", f"{M0}.labels['a b']", {f"{M0}.labels": {"a b": ""}}),
    ("label-key", f"{M0}.labels['/a']", {f"{M0}.labels": {"/a": ""}}),
    ("label-key", f"{M0}.labels['{'a' * 64}']", {f"{M0}.labels": {"a" * 64: ""}}),
    ("label-value", f"{M0}.labels['a']", {f"{M0}.labels": {"a": "-b"}}),
    *(
        ("label-reserved", f"{M0}.labels[{key!r}]", {f"{M0}.labels": {key: ""}})
        for key in (
            "node-role.kubernetes.io/worker",
            "kubernetes.io/role",
            "node-restriction.kubernetes.io/a",
            "x.k8s.io/a",
        )
    ),
    *one(
        "taint-syntax", f"{M0}.taints[0]", "a", "a=b", "a=b:Never", ":NoSchedule", "a=b c:NoExecute"
    ),
    ("duplicate-taint", f"{M0}.taints[1]", {f"{M0}.taints": ("a=b:NoExecute", "a:NoExecute")}),
    (
        "labels-without-node",
        "machines[4].labels",
        {
            "machines": (*MACHINES, BALANCERS[0].replace(labels={"a": "b"}), BALANCERS[1]),
            **ON_MACHINES,
        },
    ),
]
