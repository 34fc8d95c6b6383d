"""Who may do everything in the cluster, or anything without a name; and who may join it."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pyinfra.api.facts import FactBase

from facts.nodes import ADMIN
from facts.questions import answers, questions
from facts.record import Reading, Record, parsed, unknown


@dataclass(frozen=True)
class Binding(Record):
    """``role`` is "ClusterRole/name" or "Role/name"; ``subjects`` are "Kind:name" or
    "ServiceAccount:namespace/name". ``namespace`` is "" for a ClusterRoleBinding."""

    namespace: str
    name: str
    role: str
    subjects: tuple[str, ...]


@dataclass(frozen=True)
class Rbac(Reading):
    """``wildcards`` are ClusterRoles that allow every verb on everything; ``tokens`` are names of
    Secrets by which a machine may join, with their end (ISO 8601, "" for one that has none)."""

    bindings: tuple[Binding, ...] | None = None
    wildcards: tuple[str, ...] | None = None
    tokens: Mapping[str, str] | None = None


def parse(output: list[str]) -> Rbac:
    """Output of :class:`RbacState`'s command; ValueError and the like on garbage."""
    asked = answers(output)
    if not asked:
        return RbacState.default()
    unread = {name: answer.failure for name, answer in asked.items() if answer.failure}

    def items(name: str) -> list[Mapping[str, Any]] | None:
        return None if name in unread else list(asked[name].json()["items"])

    bindings, roles = items("bindings"), items("roles")
    return Rbac(
        bindings=None if bindings is None else tuple(map(_binding, bindings)),
        wildcards=None if roles is None else tuple(_name(r) for r in roles if _allows_all(r)),
        tokens=None if "tokens" in unread else _tokens(asked["tokens"].output),
        unread=unread,
    )


def _name(item: Mapping[str, Any]) -> str:
    return str(item["metadata"]["name"])


def _binding(item: Mapping[str, Any]) -> Binding:
    role = item["roleRef"]
    return Binding(
        namespace=item["metadata"].get("namespace", ""),
        name=_name(item),
        role=f"{role['kind']}/{role['name']}",
        subjects=tuple(map(_subject, item.get("subjects") or ())),
    )


def _subject(item: Mapping[str, Any]) -> str:
    where = f"{item['namespace']}/" if item.get("namespace") else ""
    return f"{item['kind']}:{where}{item['name']}"


def _allows_all(role: Mapping[str, Any]) -> bool:
    return any(
        all("*" in (rule.get(part) or ()) for part in ("verbs", "resources", "apiGroups"))
        for rule in role.get("rules") or ()
    )


def _tokens(text: str) -> dict[str, str]:
    found = {}
    for line in text.splitlines():
        name, sign, end = line.partition(" ")
        if not sign or not name.startswith("bootstrap-token-"):
            raise ValueError(f"expected a bootstrap token's name, met {line[:60]!r}")
        found[name] = end
    return found


# The token itself stays where it is: only its name and its end are asked for.
_TOKENS = (
    "get secrets -n kube-system --field-selector type=bootstrap.kubernetes.io/token -o "
    "go-template='{{range .items}}{{.metadata.name}} "
    '{{with .data.expiration}}{{. | base64decode}}{{end}}{{"\\n"}}{{end}}\''
)


class RbacState(FactBase[Rbac]):
    """Bindings of every namespace, roles that may do all, and open bootstrap tokens.

    .. code:: python

        [b.name for b in host.get_fact(RbacState).bindings if b.role.endswith("/cluster-admin")]
    """

    def command(self, kubeconfig: str = ADMIN, seconds: int = 10) -> str:
        kubectl = (
            f"kubectl --kubeconfig={shlex.quote(kubeconfig)} --request-timeout={int(seconds)}s"
        )
        return questions(
            {
                "bindings": f"{kubectl} get clusterrolebindings,rolebindings -A -o json",
                "roles": f"{kubectl} get clusterroles -o json",
                "tokens": f"{kubectl} {_TOKENS}",
            },
            seconds + 2,
        )

    @staticmethod
    def default() -> Rbac:
        return Rbac(unread=unknown("rbac"))

    def process(self, output: list[str]) -> Rbac:
        return parsed("rbac", parse, output)
