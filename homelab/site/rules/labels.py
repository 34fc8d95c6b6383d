"""Labels and taints, as the API server and kubelet will take them.

https://kubernetes.io/docs/concepts/overview/working-with-objects/labels/#syntax-and-character-set
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from homelab.site.fault import Fault
from homelab.site.model import Site
from homelab.site.rules import text
from homelab.site.rules.rule import items, machines, nearest, repeated, rule

NAME = re.compile(r"[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?")
EFFECTS = ("NoSchedule", "PreferNoSchedule", "NoExecute")

# staging/src/k8s.io/kubelet/pkg/apis/well_known_labels.go: what a kubelet may say of itself
KUBELET_MAY = {
    "kubernetes.io/hostname",
    "kubernetes.io/instance-type",
    "kubernetes.io/os",
    "kubernetes.io/arch",
    "beta.kubernetes.io/os",
    "beta.kubernetes.io/arch",
    "beta.kubernetes.io/instance-type",
    "failure-domain.beta.kubernetes.io/zone",
    "failure-domain.beta.kubernetes.io/region",
    "failure-domain.kubernetes.io/zone",
    "failure-domain.kubernetes.io/region",
    "topology.kubernetes.io/zone",
    "topology.kubernetes.io/region",
}
KUBELET_DOMAINS = ("kubelet.kubernetes.io", "node.kubernetes.io")


def is_key(key: str) -> bool:
    """``name`` or ``prefix/name``."""
    prefix, slash, name = key.rpartition("/")
    return NAME.fullmatch(name) is not None and (not slash or text.is_domain(prefix))


def is_value(value: str) -> bool:
    return value == "" or NAME.fullmatch(value) is not None


@rule
def label_key(site: Site) -> Iterator[Fault]:
    """A key is a name of 63 characters, with a DNS name and a slash before it or not."""
    for path, key, value in _labels(site):
        if not is_key(key):
            mend = 'write "name" or "example.org/name", letters, digits, - _ . inside'
            yield Fault(path, value, "its key is no label key", mend)


@rule
def label_value(site: Site) -> Iterator[Fault]:
    """A value is empty or a name of 63 characters."""
    for path, _, value in _labels(site):
        if not is_value(value):
            mend = "use up to 63 letters, digits, - _ . with a letter or digit at both ends"
            yield Fault(path, value, "is no label value", mend)


@rule
def label_reserved(site: Site) -> Iterator[Fault]:
    """kubelet refuses to start with a label of Kubernetes' own that it may not set itself."""
    for path, key, value in _labels(site):
        domain = key.partition("/")[0] if "/" in key else ""
        own = _within(domain, "kubernetes.io") or _within(domain, "k8s.io")
        may = key in KUBELET_MAY or any(_within(domain, name) for name in KUBELET_DOMAINS)
        if own and not may:
            problem = f"{domain} is Kubernetes' own: kubelet may not set it, and would not start"
            mend = "use a prefix of your own; roles follow from roles=(…)"
            yield Fault(path, value, problem, mend)


@rule
def taint_syntax(site: Site) -> Iterator[Fault]:
    """``key=value:Effect`` or ``key:Effect``, as kubectl taint takes them."""
    for path, taint in _taints(site):
        key, colon, effect = taint.rpartition(":")
        name, _, value = key.partition("=")
        if not colon or not is_key(name) or not is_value(value):
            mend = 'write "key=value:NoSchedule" or "key:NoSchedule"'
            yield Fault(path, taint, "is no taint", mend)
        elif effect not in EFFECTS:
            yield Fault(path, taint, f'has no effect "{effect}"', nearest(effect, EFFECTS))


@rule
def duplicate_taint(site: Site) -> Iterator[Fault]:
    """One taint for each key and effect of a machine (the API server refuses two)."""
    for path, machine in machines(site):
        for at, first, taint in repeated(
            (at, re.sub(r"=[^:]*", "", taint), taint)
            for at, taint in items(f"{path}.taints", machine.taints)
        ):
            problem = f"has key and effect of {first}"
            yield Fault(at, taint, problem, "keep one of them")


@rule
def labels_without_node(site: Site) -> Iterator[Fault]:
    """A machine that is a balancer only has no kubelet, so no labels and no taints."""
    for path, machine in machines(site, "roles"):
        for field in ("labels", "taints") if set(machine.roles) == {"balancer"} else ():
            value = getattr(machine, field)
            if value:
                mend = 'remove it, or add "worker" to its roles'
                problem = "is for nodes, and this machine is a balancer only"
                yield Fault(f"{path}.{field}", value, problem, mend)


def _labels(site: Site) -> Iterator[tuple[str, str, str]]:
    for path, machine in machines(site):
        for key, value in machine.labels.items():
            yield f"{path}.labels[{key!r}]", key, value


def _taints(site: Site) -> Iterator[tuple[str, str]]:
    for path, machine in machines(site):
        yield from items(f"{path}.taints", machine.taints)


def _within(domain: str, suffix: str) -> bool:
    return domain == suffix or domain.endswith(f".{suffix}")
