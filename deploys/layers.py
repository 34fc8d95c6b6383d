"""Which layers a machine has: the same list is gathered, planned and applied."""

from __future__ import annotations

import base64
import secrets
from typing import TYPE_CHECKING

import yaml
from pyinfra.api.exceptions import DeployError
from pyinfra.api.host import Host

from deploys.kubernetes import manifests
from homelab.documents import apiserver, components, kept, kubeadm
from homelab.documents.balancer import haproxy
from homelab.documents.cni_bridge import cni_bridge
from homelab.documents.document import Document, Layer
from homelab.documents.firewall import firewall
from homelab.documents.host import host
from homelab.documents.kubeadm import RunSecrets, cluster_documents
from homelab.documents.kubelet import kubelet
from homelab.documents.network import network
from homelab.documents.patches import patches
from homelab.documents.pod_routes import pod_routes
from homelab.documents.runtime import runtime
from homelab.documents.serving import serving
from homelab.documents.text import dump_yaml, header
from homelab.documents.trial import network_trial
from homelab.documents.vip import keepalived
from homelab.preflight.survey import CLAIM
from homelab.site import derived
from homelab.site.model import Machine, Site
from operations import kubeadm as kubeadm_operation
from operations import quiet
from operations.kubeadm import CONFIG, RECORDED

if TYPE_CHECKING:
    from deploys.run import Run

# Stands where the token of a run would: this file stays on the machine, and no token is made of it.
NO_TOKEN = RunSecrets("000000.0000000000000000")

_MEMBER = f"grep -q '\"member\"' {CLAIM} 2>/dev/null"
# Of a finished member only: until then kubeadm has not been, or not everywhere.
_AS_KEPT = f"{_MEMBER} || exit 0\n{kept.as_kept()}"


def of(run: Run, machine: Machine, etcd_initial: str | None = None) -> list[Layer]:
    """All layers of ``machine``, in the order in which they are applied.

    ``etcd_initial``: see :func:`control_plane`; None: as the machine was found.
    """
    site, traits = run.site, run.traits(machine)
    found = [host(site, machine, traits), firewall(site, machine, traits)]
    if machine.network == "networkd":
        found += [network_trial(site, machine), network(site, machine, traits)]
    if machine in derived.balancers(site):
        found += [haproxy(site, machine), keepalived(site, machine, traits)]
    if machine in derived.nodes(site):
        found += [runtime(site, machine, traits), kubelet(site, machine, traits)]
        if site.kubernetes.cni == "bridge":
            found += [cni_bridge(site, machine), pod_routes(site, machine)]
    if machine in derived.workers(site):
        found.append(worker(run, machine))
    if machine in derived.control_planes(site):
        found_initial = run.surveys[machine.name].etcd_initial
        initial = found_initial if etcd_initial is None else etcd_initial
        found += [serving(site, machine), control_plane(run, machine, initial)]
    return found


def control_plane(run: Run, machine: Machine, etcd_initial: str) -> Layer:
    """kubeadm's configuration and the API server's files; a change makes the static pods anew.

    ``etcd_initial`` is the ``initial-cluster`` that this machine's etcd was started with: etcd
    ignores it once it has data, but another value would change the manifest and restart it.
    """
    site, traits = run.site, run.traits(machine)
    text = cluster_documents(site, machine, NO_TOKEN, False, traits, etcd_arguments(etcd_initial))
    recorded = cluster_documents(site, machine, NO_TOKEN, False, traits)
    documents = [
        Document(CONFIG, text, mode=0o600),
        Document(RECORDED, recorded, mode=0o600),
        *patches(site, machine).documents,
    ]
    if site.kubernetes.audit_log:
        documents.append(apiserver.audit_policy(site))
    if site.kubernetes.encrypt_secrets:
        documents.append(apiserver.encryption(site, run.encryption_key))
    return Layer("control-plane", tuple(documents), activate=_renew(run), live=_AS_KEPT)


def worker(run: Run, machine: Machine) -> Layer:
    """kubelet's configuration as the cluster's ConfigMap will have it; a change restarts kubelet.

    On a control plane it is part of kubeadm's configuration.
    """
    text = header(run.site, "components") + dump_yaml(
        components.kubelet(run.site, run.traits(machine))
    )
    return Layer(
        "worker",
        (Document("/etc/kubernetes/homelab/kubelet.yaml", text, mode=0o600),),
        activate=f"""set -e
{_MEMBER} || exit 0
kubeadm upgrade node phase kubelet-config >/dev/null
{kept.restore_flags()}
{kept.keep()}
systemctl restart kubelet""",
        live=_AS_KEPT,
    )


def etcd_arguments(initial: str) -> dict[str, str]:
    """etcd's flags of a machine that joined others; none for the first one."""
    if not initial:
        return {}
    return {"initial-cluster": initial, "initial-cluster-state": "existing"}


def _renew(run: Run) -> str:
    """Bring a changed configuration into a member; kubelet restarts only the pods that differ."""
    config = f"--config {CONFIG}"
    addons = "".join(
        f"\nkubeadm init phase addon {addon} {config} >/dev/null" for addon in addons_of(run.site)
    )
    return f"""set -e
{_MEMBER} || exit 0
{kubeadm_operation.renew_serving_script(kubeadm.cert_sans(run.site))}
{manifests.remember()}
kubeadm init phase control-plane all {config} {run.patches} >/dev/null
kubeadm init phase etcd local {config} {run.patches} >/dev/null
kubeadm init phase upload-config all --config {RECORDED} >/dev/null{addons}
kubeadm init phase kubelet-start {config} >/dev/null
{kept.keep()}"""


def addons_of(site: Site) -> tuple[str, ...]:
    """kubeadm's addons that this site has."""
    skipped = kubeadm.skip_phases(site)
    return tuple(a for a in ("coredns", "kube-proxy") if f"addon/{a}" not in skipped)


def new_encryption_key() -> str:
    """32 random bytes in base64: secretbox's key length."""
    return base64.b64encode(secrets.token_bytes(32)).decode()


def read_encryption_key(plane: Host) -> str:
    """The key with which this control plane encrypts Secrets now."""
    text = quiet.read(plane, f"cat {apiserver.ENCRYPTION}")
    try:
        providers = [p for r in yaml.safe_load(text)["resources"] for p in r["providers"]]
        (key,) = (str(p["secretbox"]["keys"][0]["secret"]) for p in providers if "secretbox" in p)
    except (yaml.YAMLError, LookupError, TypeError, ValueError):
        # without its cause, whose text may hold the key
        raise DeployError(f"{plane.name}: {apiserver.ENCRYPTION} is not as it was written; "
                          "copy another control plane's there") from None  # fmt: skip
    return key
