"""The last gate: not what the API says of itself, but pods that reach each other.

/readyz has been seen to lie (a controller manager that had gone deaf): so a Service is made just
now, with an endpoint on every node, and asked from every node.
"""

from __future__ import annotations

from deploys import conditions
from deploys.kubernetes.traffic import traffic_script
from deploys.run import Run
from homelab.site import derived
from operations import gate, health, nodes


def mark_nodes(run: Run) -> None:
    """Labels and taints as declared; kubelet sets them only when it registers."""
    nodes.mark(name="Nodes: labels and taints", site=run.site)


def verify_control_plane(run: Run) -> None:
    """Every static pod runs: asked on each control plane itself."""
    gate.passed(
        name="Health: every control plane's static pods",
        gate="static pods",
        conditions=conditions.static_pods(run.site),
        seconds=run.site.timings.gate_s,
    )


def verify(run: Run) -> None:
    """On the machine that speaks for the cluster; traffic is proven once for each declaration."""
    planes = len(derived.control_planes(run.site))
    gate.passed(
        name="Health: gate",
        gate="health",
        conditions=[
            conditions.nodes_ready(run.site),
            *conditions.etcd(run.site, planes),
            conditions.balanced_api(run.site),
            conditions.serving_certificates(run.site),
        ],
        seconds=run.site.timings.gate_s,
    )
    health.traffic(
        name="Health: pods of every node reach each other and a new Service",
        script=traffic_script(run.site),
        declaration=run.declaration,
        anew=bool(run.unfinished(derived.nodes(run.site))),
    )


def hand_over(run: Run) -> None:
    """The admin kubeconfig on the controller, and what runs where."""
    health.fetch_kubeconfig(
        name="Summary: admin kubeconfig on this controller",
        source="/etc/kubernetes/admin.conf",
        target=str(derived.out_folder(run.site) / "admin.conf"),
    )
    health.summary(name="Summary: the cluster", run=run)
