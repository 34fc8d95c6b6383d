"""A Service with a pod on every node: what a user of the cluster has at stake."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from kubernetes.client.exceptions import ApiException

from tests.e2e.support.cluster import Cluster, ready
from tests.e2e.support.rig import Rig

NAMESPACE = "homelab-e2e"
NAME = "echo"
SELECTOR = f"app={NAME}"
IMAGE = "homelab.local/toolbox:1"  # busybox, seeded into the lab's nodes
PORT = 8080
# Each pod says where it runs, so that one can tell which pods answered.
COMMAND = (
    f'mkdir -p /tmp/www && echo "$NODE" >/tmp/www/index.html && exec httpd -f -p {PORT} -h /tmp/www'
)


def ensure(rig: Rig, cluster: Cluster) -> None:
    """Make namespace, pods and Service, if they are not there."""
    core, apps = cluster.core, cluster.apps
    if not _exists(lambda: core.read_namespace(NAMESPACE)):
        core.create_namespace({"metadata": {"name": NAMESPACE}})
    if not _exists(lambda: apps.read_namespaced_daemon_set(NAME, NAMESPACE)):
        apps.create_namespaced_daemon_set(NAMESPACE, _pods())
    if not _exists(lambda: core.read_namespaced_service(NAME, NAMESPACE)):
        core.create_namespaced_service(NAMESPACE, _service(rig))


def problem(rig: Rig, cluster: Cluster) -> str:
    """Why the workload is not whole: a ready pod on every node, an endpoint for each."""
    running = {pod.spec.node_name for pod in cluster.pods(NAMESPACE, SELECTOR) if ready(pod)}
    missing = sorted(set(rig.nodes) - running)
    if missing:
        return f"no ready pod on {', '.join(missing)}"
    endpoints = cluster.core.read_namespaced_endpoints(NAME, NAMESPACE)
    addresses = [a.ip for subset in endpoints.subsets or [] for a in subset.addresses or []]
    if len(addresses) != len(rig.nodes):
        return f"{len(addresses)} endpoints for {len(rig.nodes)} nodes"
    return ""


def pod_of(cluster: Cluster, node: str) -> Any:
    """The workload's pod on a node."""
    return next(p for p in cluster.pods(NAMESPACE, SELECTOR) if p.spec.node_name == node)


def service_address(cluster: Cluster) -> str:
    """The Service's address inside the cluster."""
    service = cluster.core.read_namespaced_service(NAME, NAMESPACE)
    return str(service.spec.cluster_ip)


def remove(cluster: Cluster) -> None:
    """Take all of it away again."""
    cluster.core.delete_namespace(NAMESPACE)


def _exists(read: Callable[[], Any]) -> bool:
    try:
        read()
    except ApiException as error:
        if error.status == 404:
            return False
        raise
    return True


def _pods() -> dict[str, Any]:
    container = {
        "name": NAME,
        "image": IMAGE,
        "imagePullPolicy": "IfNotPresent",
        "command": ["/bin/sh", "-c", COMMAND],
        "env": [{"name": "NODE", "valueFrom": {"fieldRef": {"fieldPath": "spec.nodeName"}}}],
        "readinessProbe": {"httpGet": {"path": "/", "port": PORT}, "periodSeconds": 2},
    }
    labels = {"app": NAME}
    return {
        "metadata": {"name": NAME},
        "spec": {
            "selector": {"matchLabels": labels},
            "template": {
                "metadata": {"labels": labels},
                "spec": {
                    "containers": [container],
                    "terminationGracePeriodSeconds": 1,
                    "tolerations": [{"operator": "Exists"}],  # on control planes, too
                },
            },
        },
    }


def _service(rig: Rig) -> dict[str, Any]:
    port: dict[str, Any] = {"port": 80, "targetPort": PORT}
    if rig.site.ingress:
        port["nodePort"] = rig.site.ingress.http_node_port
    return {
        "metadata": {"name": NAME},
        "spec": {"type": "NodePort", "selector": {"app": NAME}, "ports": [port]},
    }
