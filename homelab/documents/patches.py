"""kubeadm's patches of the static pods: patient probes, and an etcd that asks for no disk.

Without a leader etcd's /health is false; kubeadm's liveness probe (8 x 10 s) then kills the
healthy member too, again and again, and quorum is lost for a quarter of an hour. The API server's
/livez includes etcd: one on a machine that is cut off for minutes would be killed for it, could not
start again without etcd, and after a few such days wait in kubelet's crash loop for five minutes
when the cable is back in (seen). So its own etcd is left out of that question. A dead process is
restarted by kubelet without any probe, and a hung one is out of HAProxy within two seconds: the
probe is only the last resort.
"""

from __future__ import annotations

from homelab.documents.document import Document, Layer
from homelab.documents.text import dump_yaml, header
from homelab.site.model import Machine, Site

FOLDER = "/etc/kubernetes/homelab/patches"

# Failed probes, ten seconds apart, until a container is killed: ten minutes and four.
PATIENCE = {"etcd": 60, "kube-apiserver": 24}
# kubernetes.io/docs/reference/using-api/health-checks, "exclude": from 1.16
ALIVE = "/livez?exclude=etcd"


def patches(site: Site, machine: Machine) -> Layer:
    """Files named ``<target>+<type>.yaml``: cmd/kubeadm/app/util/patches/patches.go."""
    return Layer(
        name="patches",
        documents=tuple(
            Document(f"{FOLDER}/{name}+strategic.yaml", _patch(site, name, failures), mode=0o600)
            for name, failures in PATIENCE.items()
        ),
    )


def _patch(site: Site, name: str, failures: int) -> str:
    probe: dict[str, object] = {
        "failureThreshold": failures,
        "periodSeconds": 10,
        "timeoutSeconds": 15,
    }
    container: dict[str, object] = {"name": name, "livenessProbe": probe}
    if name == "kube-apiserver":
        probe["httpGet"] = {"path": ALIVE}
        container["readinessProbe"] = {"periodSeconds": site.timings.kubelet_ready_s}
    if name == "etcd":
        # Null takes it out. A node tells its disk space only seconds after its kubelet has
        # started; a static pod that asks for disk and is seen before that is refused, and not
        # tried again: "no set of running pods found to reclaim resources" (seen in 1.20).
        container["resources"] = {"requests": {"ephemeral-storage": None}}
    return header(site, "patches") + dump_yaml({"spec": {"containers": [container]}})
