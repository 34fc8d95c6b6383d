"""What the running kubelets say of their settings, asked through the API server.

https://kubernetes.io/docs/tasks/administer-cluster/kubelet-config-file/ ("Viewing the kubelet
configuration"): GET /api/v1/nodes/<name>/proxy/configz.
"""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pyinfra.api.facts import FactBase

from facts.nodes import ADMIN
from facts.questions import answers, questions
from facts.record import Reading, parsed, unknown


@dataclass(frozen=True)
class Configz(Reading):
    """KubeletConfiguration by node; a node that did not answer stands in ``unread``."""

    kubelets: Mapping[str, Mapping[str, Any]] | None = None


def parse(output: list[str]) -> Configz:
    """Output of :class:`RunningKubelets`' command; ValueError and the like on garbage."""
    asked = answers(output)
    if not asked:
        return RunningKubelets.default()
    unread = {name: answer.failure for name, answer in asked.items() if answer.failure}
    kubelets: dict[str, Mapping[str, Any]] = {}
    for name, answer in asked.items():
        if name in unread:
            continue
        config = answer.json()["kubeletconfig"]
        if not isinstance(config, Mapping):
            raise ValueError(f"expected {name}'s configuration, met {answer.output[:60]!r}")
        kubelets[name] = config
    return Configz(kubelets=kubelets, unread=unread)


class RunningKubelets(FactBase[Configz]):
    """The kubelets of ``nodes``.

    .. code:: python

        host.get_fact(RunningKubelets, nodes=["cp1"]).kubelets["cp1"]["clusterDNS"]
    """

    def command(self, nodes: list[str], kubeconfig: str = ADMIN, seconds: int = 5) -> str:
        kubectl = (
            f"kubectl --kubeconfig={shlex.quote(kubeconfig)} --request-timeout={int(seconds)}s"
        )
        return questions(
            {
                node: f"{kubectl} get --raw /api/v1/nodes/{shlex.quote(node)}/proxy/configz"
                for node in nodes
            },
            seconds + 2,
        )

    @staticmethod
    def default() -> Configz:
        return Configz(unread=unknown("configz"))

    def process(self, output: list[str]) -> Configz:
        return parsed("configz", parse, output)
