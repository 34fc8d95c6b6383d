"""Kubernetes: versions, and what goes with what."""

from __future__ import annotations

import re
from collections.abc import Iterator

from homelab import versions
from homelab.site.fault import Fault
from homelab.site.model import Site
from homelab.site.rules import text
from homelab.site.rules.rule import rule

# install/kubernetes/cilium/Chart.yaml, kubeVersion: ">= 1.21.0-0"
OLDEST_FOR_CILIUM = 21
IMAGE = re.compile(r"[a-z0-9]([a-z0-9.-]*[a-z0-9])?(:[0-9]{1,5})?(/[a-z0-9]+([._-]+[a-z0-9]+)*)*")


@rule
def version_syntax(site: Site) -> Iterator[Fault]:
    """Three numbers, as ``kubeadm version -o short`` has them after its v."""
    version = site.kubernetes.version
    if _numbers(version) is None:
        bare = version.removeprefix("v")
        mend = "write all three numbers, e.g. 1.36.4"
        if _numbers(bare):
            mend = f'write "{bare}", without the v'
        yield Fault("kubernetes.version", version, "is no Kubernetes version", mend)


@rule
def version_unsupported(site: Site) -> Iterator[Fault]:
    """A version that this toolkit has tables and tests for."""
    version = site.kubernetes.version
    numbers = _numbers(version)
    if numbers and (numbers[0] != 1 or numbers[1] not in versions.SUPPORTED_MINORS):
        low, high = versions.SUPPORTED_MINORS[0], versions.SUPPORTED_MINORS[-1]
        mend = f"choose 1.{low} to 1.{high}"
        yield Fault("kubernetes.version", version, "is not supported", mend)


@rule
def runtime_version(site: Site) -> Iterator[Fault]:
    """Runtime and kubelet speak one CRI."""
    version, runtime = site.kubernetes.version, site.kubernetes.runtime
    numbers = _numbers(version)
    if numbers and numbers[0] == 1 and numbers[1] in versions.SUPPORTED_MINORS:
        problem = versions.runtime_fault(version, runtime)
        if problem:
            why, _, mend = problem.partition(": ")
            yield Fault("kubernetes.runtime", runtime, why, mend or "choose containerd")


@rule
def cilium_version(site: Site) -> Iterator[Fault]:
    """Cilium's chart refuses what is older than its kubeVersion."""
    numbers = _numbers(site.kubernetes.version)
    known = numbers and numbers[0] == 1 and numbers[1] in versions.SUPPORTED_MINORS
    if numbers and known and site.kubernetes.cni == "cilium" and numbers[1] < OLDEST_FOR_CILIUM:
        problem = f"needs Kubernetes 1.{OLDEST_FOR_CILIUM} or later"
        mend = 'write cni="bridge", or choose a later Kubernetes'
        yield Fault("kubernetes.cni", "cilium", problem, mend)


@rule
def kube_proxy_replacement(site: Site) -> Iterator[Fault]:
    """Only Cilium stands in for kube-proxy."""
    if not site.kubernetes.kube_proxy and site.kubernetes.cni != "cilium":
        problem = f"leaves Services to nobody: {site.kubernetes.cni} does not replace kube-proxy"
        mend = 'write kube_proxy=True or cni="cilium"'
        yield Fault("kubernetes.kube_proxy", False, problem, mend)


@rule
def hubble_without_cilium(site: Site) -> Iterator[Fault]:
    """Hubble is Cilium's."""
    if site.kubernetes.hubble and site.kubernetes.cni != "cilium":
        mend = 'write hubble=False or cni="cilium"'
        yield Fault("kubernetes.hubble", True, "is a part of Cilium", mend)


@rule
def dns_domain(site: Site) -> Iterator[Fault]:
    """The domain of Services is a DNS name (kubeadm: ValidateNetworking)."""
    domain = site.kubernetes.dns_domain
    if text.looks_like_address(domain) or not text.is_domain(domain):
        yield Fault("kubernetes.dns_domain", domain, "is no DNS domain", "cluster.local is usual")


@rule
def image_repository(site: Site) -> Iterator[Fault]:
    """A registry and a path, as container images have them before their last slash."""
    repository = site.kubernetes.image_repository
    if repository is not None and not IMAGE.fullmatch(repository):
        mend = "write it like registry.lan:5000/k8s: no scheme, no slash at the end, no tag"
        yield Fault("kubernetes.image_repository", repository, "is no image repository", mend)


def _numbers(version: str) -> tuple[int, int, int] | None:
    try:
        return versions.parse(version)
    except ValueError:
        return None
