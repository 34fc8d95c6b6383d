"""Everything that ``bare.sh`` needs, written before its clock starts: the deploy's own documents.

python -m bench.render INVENTORY FOLDER
"""

from __future__ import annotations

import io
import secrets
import shlex
import subprocess
import sys
import tarfile
from pathlib import Path

from deploys.kubernetes.traffic import traffic_script
from deploys.layers import addons_of, new_encryption_key
from homelab import versions
from homelab.documents import apiserver
from homelab.documents.balancer import haproxy
from homelab.documents.cni_bridge import cni_bridge
from homelab.documents.document import Document, Layer
from homelab.documents.firewall import CONFIRM, firewall
from homelab.documents.host import host
from homelab.documents.kubeadm import RunSecrets, cluster_documents
from homelab.documents.kubelet import kubelet
from homelab.documents.network import network
from homelab.documents.patches import FOLDER as PATCHES
from homelab.documents.patches import patches
from homelab.documents.pod_routes import pod_routes
from homelab.documents.runtime import runtime
from homelab.documents.serving import serving
from homelab.documents.traits import Traits
from homelab.documents.vip import keepalived
from homelab.preflight.survey import SCRIPT, parse
from homelab.site import derived, load_site
from homelab.site.model import Machine, Site

CONFIG = "/etc/kubernetes/homelab/kubeadm.yaml"
ETCD_CONFIG = "/etc/kubernetes/homelab/kubeadm-etcd.yaml"  # of a learner: with whom it starts
CA_HASH = "@CA_HASH@"  # known only when the cluster has its CA; bare.sh puts it in


def machine_layers(site: Site, machine: Machine, traits: Traits) -> list[Layer]:
    """The layers of one machine up to kubeadm, in the deploy's order (deploys/layers.py)."""
    found = [host(site, machine, traits), firewall(site, machine, traits)]
    if machine.network == "networkd":
        found.append(network(site, machine, traits))
    found += [runtime(site, machine, traits), kubelet(site, machine, traits)]
    found += [cni_bridge(site, machine), pod_routes(site, machine)]
    if machine in derived.balancers(site):
        found += [haproxy(site, machine), keepalived(site, machine, traits)]
    if machine in derived.control_planes(site):
        found.append(serving(site, machine))
    return found


def kubeadm_documents(
    site: Site, machine: Machine, traits: Traits, token: str, key: str
) -> list[Document]:
    """kubeadm's configuration of one machine, and on a control plane the API server's files."""
    planes = derived.control_planes(site)
    run = RunSecrets(token, (f"sha256:{CA_HASH}",))
    joining = machine not in planes
    text = cluster_documents(site, machine, run, joining, traits)
    documents = [Document(CONFIG, text, mode=0o600)]
    if joining:
        return documents
    documents += patches(site, machine).documents
    documents += [apiserver.audit_policy(site), apiserver.encryption(site, key)]
    if machine != planes[0]:
        earlier = planes[: planes.index(machine) + 1]
        members = ",".join(f"{m.name}=https://{m.address}:2380" for m in earlier)
        arguments = {"initial-cluster": members, "initial-cluster-state": "existing"}
        text = cluster_documents(site, machine, run, False, traits, arguments)
        documents.append(Document(ETCD_CONFIG, text, mode=0o600))
    return documents


def archive(documents: list[Document]) -> bytes:
    """A tar of the documents under their full paths, with their modes."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        for document in documents:
            content = document.text.encode()
            entry = tarfile.TarInfo(document.path.lstrip("/"))
            entry.size, entry.mode = len(content), document.mode
            tar.addfile(entry, io.BytesIO(content))
    return buffer.getvalue()


def activation(layers: list[Layer]) -> str:
    """One script that brings all layers into force; the firewall's trial is confirmed at once."""
    parts = [f"( {layer.activate}\n)" for layer in layers if layer.activate]
    return "\n".join(["set -eu", *parts, CONFIRM]) + "\n"


def ssh_options(machine: Machine) -> list[str]:
    """How ``ssh`` reaches a machine of the site without asking anybody."""
    options = ["-q", "-l", machine.ssh_user, "-p", str(machine.ssh_port), "-o", "BatchMode=yes"]
    options += ["-i", machine.ssh_key] if machine.ssh_key else []
    checking = {"known": "yes", "accept-new": "accept-new", "ignore": "no"}
    options += ["-o", f"StrictHostKeyChecking={checking[machine.ssh_host_key]}"]
    if machine.ssh_host_key == "ignore":
        options += ["-o", "UserKnownHostsFile=/dev/null"]
    return options


def survey(machine: Machine) -> Traits:
    """What the machine is; CalledProcessError if it can't be reached."""
    command = ["ssh", *ssh_options(machine), machine.address, "sudo", "sh", "-s"]
    done = subprocess.run(command, input=SCRIPT, capture_output=True, text=True, check=True)
    return parse(done.stdout.splitlines()).traits(machine.address)


def settings(site: Site) -> str:
    """site.env, as bare.sh sources it."""
    planes, workers = derived.control_planes(site), derived.workers(site)
    flag = versions.patches_flag(site.kubernetes.version)
    values = {
        "CONTROL_PLANES": " ".join(m.name for m in planes),
        "WORKERS": " ".join(m.name for m in workers),
        "VIP": site.api.vip,
        "PORT": str(derived.balanced_port(site)),
        "CONFIG": CONFIG,
        "ETCD_CONFIG": ETCD_CONFIG,
        "CA_HASH": CA_HASH,
        "PATCHES": f"{flag} {PATCHES}" if flag else "",
        "ADDONS": " ".join(addons_of(site)),
        "SSH_OPTIONS": " ".join(ssh_options(planes[0])),
    } | {f"ADDRESS_{m.name.replace('-', '_')}": m.address for m in (*planes, *workers)}
    return "".join(f"{name}={shlex.quote(value)}\n" for name, value in values.items())


def render(site: Site, folder: Path, traits: dict[str, Traits]) -> None:
    """Write the folder; ``traits`` by machine name."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    token, key = f"{secrets.token_hex(3)}.{secrets.token_hex(8)}", new_encryption_key()
    for machine in derived.nodes(site):
        layers = machine_layers(site, machine, traits[machine.name])
        documents = [document for layer in layers for document in layer.documents]
        documents += kubeadm_documents(site, machine, traits[machine.name], token, key)
        (folder / f"{machine.name}.tar").write_bytes(archive(documents))
        (folder / f"{machine.name}.sh").write_text(activation(layers))
    script, manifests = traffic_script(site)
    (folder / "health.sh").write_text(script)
    (folder / "health.yaml").write_text(manifests)
    (folder / "site.env").write_text(settings(site))


def main(inventory: str, folder: str) -> None:
    """Ask every machine what it is, then write the folder."""
    site = load_site(inventory)
    render(site, Path(folder), {m.name: survey(m) for m in derived.nodes(site)})


if __name__ == "__main__":
    main(*sys.argv[1:])
