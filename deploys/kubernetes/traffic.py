"""Shell that makes a DaemonSet and a Service just now, and asks each from every node."""

from __future__ import annotations

from homelab.artefacts import location
from homelab.documents.text import dump_yaml
from homelab.site.model import Site
from operations.kubeadm import KUBECTL

NAMESPACE = "homelab-health"
# An image with a shell, httpd and wget; the lab's own, where the bundle has it.
LAB_IMAGE = "homelab.local/toolbox:1"
UPSTREAM_IMAGE = "registry.k8s.io/e2e-test-images/busybox:1.36.1-1"


def image(site: Site) -> str:
    folder = location.folder(site)
    held = folder is not None and (folder / "images/homelab.local/toolbox_1.tar").exists()
    return LAB_IMAGE if held else UPSTREAM_IMAGE


def manifests(site: Site) -> str:
    """Namespace, DaemonSet on every node (whatever its taints), Service."""
    labels = {"app": "health"}
    container = {
        "name": "web",
        "image": image(site),
        "imagePullPolicy": "IfNotPresent",
        "command": ["sh", "-c", "echo ok > /tmp/index.html && exec httpd -f -p 8080 -h /tmp"],
        "readinessProbe": {"tcpSocket": {"port": 8080}, "periodSeconds": 1},
    }
    daemon_set = {
        "apiVersion": "apps/v1",
        "kind": "DaemonSet",
        "metadata": {"name": "health", "namespace": NAMESPACE},
        "spec": {
            "selector": {"matchLabels": labels},
            "template": {
                "metadata": {"labels": labels},
                "spec": {
                    "tolerations": [{"operator": "Exists"}],
                    "terminationGracePeriodSeconds": 0,
                    "automountServiceAccountToken": False,
                    "containers": [container],
                },
            },
        },
    }
    service = {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": "health", "namespace": NAMESPACE},
        "spec": {"selector": labels, "ports": [{"port": 80, "targetPort": 8080}]},
    }
    namespace = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}}
    return dump_yaml(namespace, daemon_set, service)


def traffic_script(site: Site) -> tuple[str, str]:
    """Script and its standard input; it names the pod and the target that fail.

    ``timeout``, because ``wget -T`` crashes in Debian 12's static busybox.
    """
    script = f"""set -eu
k="{KUBECTL} -n {NAMESPACE}"
# an earlier run's, killed half way, may still be going
{KUBECTL} delete namespace {NAMESPACE} --ignore-not-found --wait=true >/dev/null
trap '{KUBECTL} delete namespace {NAMESPACE} --wait=false >/dev/null 2>&1' EXIT
{KUBECTL} apply -f - >/dev/null
$k rollout status daemonset/health --timeout={site.timings.gate_s}s >/dev/null || {{
    echo "pods do not start: $($k get pods -o wide --no-headers)" >&2; exit 1; }}
targets=$($k get pods -o jsonpath='{{range .items[*]}}{{.status.podIP}}:8080 {{end}}')
targets="$targets $($k get service health -o jsonpath='{{.spec.clusterIP}}'):80"
jobs=
for pod in $($k get pods -o name); do
    $k exec "$pod" -- sh -c "for t in $targets; do
        ok=; for try in 1 2 3 4 5 6 7 8 9 10; do
            timeout 3 wget -q -O /dev/null http://\\$t/ && ok=1 && break; sleep 1; done
        [ -n \\"\\$ok\\" ] || {{ echo \\"$pod does not reach \\$t\\" >&2; exit 1; }}; done" &
    jobs="$jobs $!"
done
for job in $jobs; do wait "$job"; done"""
    return script, manifests(site)
