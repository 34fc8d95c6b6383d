"""What the cluster says, by the kubernetes client through the VIP."""

from __future__ import annotations

import datetime
from typing import Any

from kubernetes import client, config
from kubernetes.stream import stream

from tests.e2e.support.rig import Rig

TIMEOUT_S = 5  # per request: a dead backend must not hold a check up for long


class _Bounded(client.ApiClient):
    """Gives every request a time-out; without one, a request whose machine has just lost the VIP
    waits for ever."""

    def call_api(self, *args: Any, **more: Any) -> Any:
        more["_request_timeout"] = more.get("_request_timeout") or TIMEOUT_S
        return super().call_api(*args, **more)


class Cluster:
    """Typed clients on fresh connections, and the few questions that many tests ask."""

    def __init__(self, rig: Rig) -> None:
        settings: Any = client.Configuration()
        load: Any = config.load_kube_config  # half typed, and wrongly
        load(str(rig.kubeconfig), client_configuration=settings)
        access = rig.access
        settings.host = f"https://{rig.vip}:{access.port}"  # the lab has no name server
        settings.tls_server_name = access.name
        settings.client_side_validation = False  # a 1.20 API leaves fields out that 1.3x demands
        settings.retries = False
        self.client: Any = _Bounded(settings)
        self.core: Any = client.CoreV1Api(self.client)
        self.apps: Any = client.AppsV1Api(self.client)
        self.coordination: Any = client.CoordinationV1Api(self.client)
        self.certificates: Any = client.CertificatesV1Api(self.client)

    def __enter__(self) -> Cluster:
        return self

    def __exit__(self, *error: object) -> None:
        self.client.close()
        self.client.rest_client.pool_manager.clear()

    def nodes(self) -> dict[str, Any]:
        """Node objects by name."""
        return {n.metadata.name: n for n in self.core.list_node().items}

    def not_ready(self) -> list[str]:
        """Nodes whose Ready condition is not True."""
        return [name for name, node in self.nodes().items() if not ready(node)]

    def renewed(self) -> dict[str, datetime.datetime]:
        """When each kubelet last renewed its lease: Ready stays True for 40 s after a death."""
        leases = self.coordination.list_namespaced_lease("kube-node-lease")
        return {lease.metadata.name: lease.spec.renew_time for lease in leases.items}

    def pods(self, namespace: str, selector: str = "") -> list[Any]:
        """Pods of a namespace."""
        listed = self.core.list_namespaced_pod(namespace, label_selector=selector)
        return list(listed.items)

    def run_in(self, pod: str, namespace: str, *command: str) -> str:
        """What a command printed inside a pod (kubectl exec)."""
        answer: str = stream(
            self.core.connect_get_namespaced_pod_exec,
            pod,
            namespace,
            command=list(command),
            stdout=True,
            stderr=True,
            stdin=False,
            tty=False,
            _request_timeout=60,
        )
        return answer


def ready(thing: Any) -> bool:
    """Is a node or a pod ready by its own conditions?"""
    conditions = thing.status.conditions or []
    return any(c.type == "Ready" and c.status == "True" for c in conditions)
