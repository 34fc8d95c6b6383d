"""Kubernetes."""

from __future__ import annotations

from typing import Any

from homelab.site import Kubernetes
from tests.unit.site.cases.case import Case, one

OLD: dict[str, Any] = {"kubernetes": Kubernetes(version="1.20.2", cni="bridge")}

CASES: list[Case] = [
    *one("version-syntax", "kubernetes.version", "1.36", "v1.36.4", "latest", "", "1.36.4-rc.1"),
    *one("version-unsupported", "kubernetes.version", "1.19.16", "1.99.0", "2.36.0"),
    ("runtime-version", "kubernetes.runtime", OLD | {"kubernetes.runtime": "cri-o"}),
    ("cilium-version", "kubernetes.cni", OLD | {"kubernetes.cni": "cilium"}),
    ("kube-proxy-replacement", "kubernetes.kube_proxy", OLD | {"kubernetes.kube_proxy": False}),
    ("hubble-without-cilium", "kubernetes.hubble", OLD | {"kubernetes.hubble": True}),
    *one("dns-domain", "kubernetes.dns_domain", "Cluster.local", "", "10.0.0.1", "a_b"),
    *one("image-repository", "kubernetes.image_repository", "https://k8s.gcr.io", "a/", "", "A/b"),
]
