"""The API server's own files: what it logs, how it encrypts Secrets, and the flags that say so."""

from __future__ import annotations

from typing import Any

from homelab.documents.document import Document
from homelab.documents.text import dump_yaml, header
from homelab.site.model import Site

AUDIT_POLICY = "/etc/kubernetes/audit/policy.yaml"
AUDIT_LOGS = "/var/log/kubernetes/audit"
ENCRYPTION = "/etc/kubernetes/encryption/config.yaml"


def flags(site: Site) -> dict[str, str]:
    """Flags of kube-apiserver beside kubeadm's own."""
    values = {
        # kubelets' serving certificates come from the cluster's CA: check them.
        "kubelet-certificate-authority": "/etc/kubernetes/pki/ca.crt",
        "profiling": "false",
    }
    if site.kubernetes.encrypt_secrets:
        values["encryption-provider-config"] = ENCRYPTION
    if site.kubernetes.audit_log:
        values |= {
            "audit-policy-file": AUDIT_POLICY,
            "audit-log-path": f"{AUDIT_LOGS}/audit.log",
            "audit-log-maxage": "30",
            "audit-log-maxbackup": "5",
            "audit-log-maxsize": "100",
        }
    return values


def volumes(site: Site) -> list[dict[str, Any]]:
    """The folders of those files, as kubeadm's HostPathMount."""
    mounts = []
    if site.kubernetes.encrypt_secrets:
        mounts.append(_mount("encryption", ENCRYPTION.rpartition("/")[0], read_only=True))
    if site.kubernetes.audit_log:
        mounts.append(_mount("audit-policy", AUDIT_POLICY.rpartition("/")[0], read_only=True))
        mounts.append(_mount("audit-logs", AUDIT_LOGS, read_only=False))
    return mounts


def _mount(name: str, path: str, read_only: bool) -> dict[str, Any]:
    return {
        "name": name,
        "hostPath": path,
        "mountPath": path,
        "readOnly": read_only,
        "pathType": "DirectoryOrCreate",
    }


def audit_policy(site: Site) -> Document:
    """Who changed what; never the content of Secrets, and not the noise of leases and watches.

    kubernetes.io/docs/tasks/debug/debug-cluster/audit: the first rule that matches decides.
    """
    policy = {
        "apiVersion": "audit.k8s.io/v1",
        "kind": "Policy",
        "omitStages": ["RequestReceived"],
        "rules": [
            {"level": "None", "nonResourceURLs": ["/healthz*", "/livez*", "/readyz*", "/version"]},
            {
                "level": "None",
                "resources": [
                    {"group": "coordination.k8s.io", "resources": ["leases"]},
                    {"group": "", "resources": ["events"]},
                    {"group": "events.k8s.io", "resources": ["events"]},
                ],
            },
            {
                "level": "Metadata",
                "resources": [
                    {"group": "", "resources": ["secrets", "configmaps", "serviceaccounts/token"]},
                    {"group": "authentication.k8s.io", "resources": ["tokenreviews"]},
                ],
            },
            {"level": "None", "verbs": ["get", "list", "watch"]},
            {"level": "Metadata", "userGroups": ["system:nodes", "system:serviceaccounts"]},
            {"level": "Request"},
        ],
    }
    return Document(AUDIT_POLICY, header(site, "apiserver") + dump_yaml(policy), mode=0o600)


def encryption(site: Site, key: str) -> Document:
    """Secrets encrypted with ``key``: 32 random bytes in base64, the same on all control planes.

    secretbox (XSalsa20-Poly1305) is in every version since 1.7, needs no rotation after a number
    of writes as AES-GCM does, and has no padding to attack as AES-CBC has
    (kubernetes.io/docs/tasks/administer-cluster/encrypt-data). ``identity`` last: what was written
    before encryption was switched on stays readable.
    """
    config = {
        "apiVersion": "apiserver.config.k8s.io/v1",
        "kind": "EncryptionConfiguration",
        "resources": [
            {
                "resources": ["secrets"],
                "providers": [
                    {"secretbox": {"keys": [{"name": "key1", "secret": key}]}},
                    {"identity": {}},
                ],
            }
        ],
    }
    text = header(site, "apiserver") + dump_yaml(config)
    return Document(ENCRYPTION, text, mode=0o600, secret=True)
