"""What kubeadm left in the cluster, and the versions that meet there."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import yaml
from pyinfra.api.facts import FactBase

from facts.nodes import ADMIN
from facts.questions import answers, questions
from facts.record import Reading, parsed, unknown


@dataclass(frozen=True)
class KubeadmState(Reading):
    """``cluster`` is None without ``unread`` where the ConfigMap does not exist."""

    cluster: Mapping[str, Any] | None = None  # ClusterConfiguration
    status: Mapping[str, Any] | None = None  # ClusterStatus: until Kubernetes 1.21 only
    resource_version: str | None = None  # of the ConfigMap
    version: str | None = None  # of kubeadm on this machine: "v1.36.4"
    server_version: str | None = None  # of the API server that answered

    @property
    def endpoint(self) -> str | None:
        return (self.cluster or {}).get("controlPlaneEndpoint")

    @property
    def cluster_version(self) -> str | None:
        """What the cluster was last brought to, by its own words: "v1.36.4"."""
        return (self.cluster or {}).get("kubernetesVersion")

    @property
    def api_version(self) -> str | None:
        """kubeadm's API: "kubeadm.k8s.io/v1beta4"."""
        return (self.cluster or {}).get("apiVersion")


def parse(output: list[str]) -> KubeadmState:
    """Output of :class:`Kubeadm`'s command; ValueError and the like on garbage."""
    asked = answers(output)
    if not asked:
        return Kubeadm.default()
    unread = {name: answer.failure for name, answer in asked.items() if answer.failure}
    data: Mapping[str, str] = {}
    resource_version: str | None = None
    if "config" not in unread and asked["config"].output:
        config_map = asked["config"].json()
        data, resource_version = config_map["data"], config_map["metadata"]["resourceVersion"]
    server = None if "server" in unread else asked["server"].json()["gitVersion"]
    version = None if "version" in unread else asked["version"].json()["clientVersion"]
    return KubeadmState(
        cluster=_document(data, "ClusterConfiguration"),
        status=_document(data, "ClusterStatus"),
        resource_version=resource_version,
        version=None if version is None else version["gitVersion"],
        server_version=server,
        unread=unread,
    )


def _document(data: Mapping[str, str], kind: str) -> Mapping[str, Any] | None:
    if kind not in data:
        return None
    try:
        document = yaml.safe_load(data[kind])
    except yaml.YAMLError as error:
        raise ValueError(f"{kind} is no YAML: {' '.join(str(error).split())}") from error
    if not isinstance(document, Mapping) or document.get("kind") != kind:
        raise ValueError(f"expected a {kind}, met {data[kind][:60]!r}")
    return document


class Kubeadm(FactBase[KubeadmState]):
    """The ClusterConfiguration that the cluster keeps, and the versions of kubeadm and API.

    .. code:: python

        host.get_fact(Kubeadm).cluster["networking"]["podSubnet"]
    """

    def command(self, kubeconfig: str = ADMIN, seconds: int = 10) -> str:
        kubectl = (
            f"kubectl --kubeconfig={shlex.quote(kubeconfig)} --request-timeout={int(seconds)}s"
        )
        return questions(
            {
                "config": f"{kubectl} -n kube-system get configmap kubeadm-config "
                "--ignore-not-found -o json",
                "server": f"{kubectl} get --raw /version",
                "version": "kubeadm version -o json",
            },
            seconds + 2,
        )

    @staticmethod
    def default() -> KubeadmState:
        return KubeadmState(unread=unknown("kubeadm"))

    def process(self, output: list[str]) -> KubeadmState:
        return parsed("kubeadm", parse, output)
