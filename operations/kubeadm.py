"""kubeadm by phases. Each operation can be killed at any moment and run again.

Every control plane is made by ``kubeadm init phase …`` with the same CA files: no certificate
key, no upload of keys into the cluster, and for the first and the last machine the same few steps.
Measured on 1.20: 13 s a machine, where ``kubeadm join`` needs 37 (docs/design.md).
"""

from __future__ import annotations

import json
import shlex
from collections.abc import Callable, Generator, Sequence

from pyinfra import inventory
from pyinfra.api import StringCommand, operation

from homelab.documents.kept import keep
from homelab.preflight.survey import CLAIM
from operations import post_mortem, quiet
from operations.condition import Condition
from operations.step import script
from operations.wipe import WIPE

CONFIG = "/etc/kubernetes/homelab/kubeadm.yaml"
# The same without what is true of this machine's etcd alone: this is uploaded to the cluster, where
# a later ``kubeadm join`` or ``kubeadm upgrade`` on any machine takes its settings from.
RECORDED = "/etc/kubernetes/homelab/recorded.yaml"
KUBECTL = "kubectl --kubeconfig=/etc/kubernetes/admin.conf"
# What all control planes have in common; kubeadm's documentation of manual certificate
# distribution names the same files (kubernetes.io/docs/setup/production-environment/tools/kubeadm/
# high-availability).
SHARED_PKI = (
    "ca.crt ca.key sa.key sa.pub front-proxy-ca.crt front-proxy-ca.key etcd/ca.crt etcd/ca.key"
)

# kubeadm gives most of its requests ten seconds and one try (a slow first control plane has been
# seen to take longer); what it records may be recorded again.
AGAIN = """again() {
  for pause in 5 10 20; do
    if "$@"; then return; fi
    echo "once more in $pause s: $*" >&2; sleep $pause
  done
  "$@"
}"""


def claim(site: str, phase: str) -> str:
    """Shell that notes whose machine this is: "joining", or "member" when it is finished."""
    text = json.dumps({"site": site, "phase": phase})
    return f"mkdir -p /var/lib/homelab; echo '{text}' > {CLAIM}.new; mv -f {CLAIM}.new {CLAIM}"


# A key or certificate that was cut off in mid-write stops kubeadm ("couldn't load"): everything
# that can be made again from the CA is made again. Nothing that runs is hurt: servers read their
# files anew.
FORGET_LEAVES = (
    "find /etc/kubernetes/pki -type f ! -name 'ca.*' ! -name 'sa.*' ! -name 'front-proxy-ca.*' "
    "-delete 2>/dev/null || :; rm -f /etc/kubernetes/*.conf"
)


@operation()
def create_authority(site: str) -> Generator[StringCommand, None, None]:
    """Make the cluster's CAs and this machine's certificates, from an empty start.

    A first control plane that was never finished holds nothing that anybody relies on: no other
    machine has joined it, and no kubeconfig was handed out. So it starts anew.
    """
    yield StringCommand(
        script(WIPE, claim(site, "joining"), f"kubeadm init phase certs all --config {CONFIG}")
    )


def share_script(site: str) -> str:
    """The CA files from a tar on standard input, and this machine's certificates of them."""
    return script(
        claim(site, "joining"),
        # A kubelet that an earlier run started may hold a certificate of an authority that was
        # made anew since: it would be refused (401) for ever, and never ask for another one.
        "systemctl stop kubelet 2>/dev/null || :",
        "rm -rf /var/lib/kubelet/pki",
        "( umask 077; mkdir -p /etc/kubernetes/pki; "
        "base64 -d | tar -x --no-same-owner -C /etc/kubernetes/pki )",
        "chmod 0644 /etc/kubernetes/pki/*.crt /etc/kubernetes/pki/etcd/*.crt",
        FORGET_LEAVES,
        f"kubeadm init phase certs all --config {CONFIG}",
    )


@operation()
def share_authority(site: str, source: str) -> Generator[StringCommand, None, None]:
    """Copy the CA files from ``source`` through the controller's memory to this machine."""
    pki = quiet.read(
        inventory.get_host(source), f"tar -c -C /etc/kubernetes/pki {SHARED_PKI} | base64"
    )
    yield StringCommand(share_script(site), _stdin=pki)


def start_script(first: bool, patches: str) -> str:
    """Kubeconfigs and kubelet of a control plane; of the ``first`` one the static pods too.

    The manifests' folder must be there before kubelet starts, or it looks only every 20 s.
    """
    pods = (
        f"kubeadm init phase etcd local --config {CONFIG} {patches}",
        f"kubeadm init phase control-plane all --config {CONFIG} {patches}",
    )
    return script(
        "mkdir -p /etc/kubernetes/manifests",
        f"kubeadm init phase kubeconfig all --config {CONFIG}",
        # From 1.29: it passes every authorization, and only a cluster's first start needs it.
        *(pods if first else ("rm -f /etc/kubernetes/super-admin.conf",)),
        f"( kubeadm init phase kubelet-start --config {CONFIG} ) 9>&-",
        # kubelet-finalize wants the certificate that a running kubelet keeps rotating
        "for i in $(seq 100); do "
        "[ -e /var/lib/kubelet/pki/kubelet-client-current.pem ] && break; sleep 0.1; done",
        f"( kubeadm init phase kubelet-finalize all --config {CONFIG} ) 9>&-",
    )


@operation()
def start_node(
    first: bool, patches: str, sound: Sequence[Condition] = ()
) -> Generator[StringCommand, None, None]:
    """See :func:`start_script`. ``sound``: what a post-mortem asks if it fails."""
    yield StringCommand(post_mortem.after(start_script(first, patches), sound))


@operation()
def start_control_plane(patches: str) -> Generator[StringCommand, None, None]:
    """The API server and its fellows, on a machine whose etcd is a voter."""
    yield StringCommand(script(f"kubeadm init phase control-plane all --config {CONFIG} {patches}"))


@operation()
def record_configuration() -> Generator[StringCommand, None, None]:
    """Keep kubeadm's configuration in a new cluster.

    From 1.29 admin.conf may do nothing before a phase of kubeadm has talked to the API server:
    that binds it to its role, by super-admin.conf.
    """
    yield StringCommand(
        script(AGAIN, f"again kubeadm init phase upload-config kubeadm --config {RECORDED}")
    )


@operation()
def record_cluster(site: str, addons: tuple[str, ...]) -> Generator[StringCommand, None, None]:
    """The rest of what kubeadm keeps in a new cluster, and its addons. Now the cluster exists."""
    yield StringCommand(
        script(
            AGAIN,
            f"again kubeadm init phase upload-config kubelet --config {RECORDED}",
            f"again kubeadm init phase mark-control-plane --config {CONFIG}",
            *(f"again kubeadm init phase addon {addon} --config {CONFIG}" for addon in addons),
            keep(),
            claim(site, "member"),
        )
    )


@operation()
def record_member(site: str) -> Generator[StringCommand, None, None]:
    """Tell the cluster of one more control plane, and this machine that it is one."""
    yield StringCommand(
        script(
            AGAIN,
            f"again kubeadm init phase upload-config kubeadm --config {RECORDED}",
            f"again kubeadm init phase mark-control-plane --config {CONFIG}",
            keep(),
            claim(site, "member"),
        )
    )


@operation()
def offer_token(documents: Callable[[], str]) -> Generator[StringCommand, None, None]:
    """Create this run's bootstrap token, from standard input: never in argv.

    This phase alone also creates what every kubelet needs to have its certificate renewed
    (kubeadm:node-autoapprove-certificate-rotation), so a new cluster needs it in any case.
    """
    yield StringCommand(
        script("kubeadm init phase bootstrap-token --config /dev/stdin >/dev/null"),
        _stdin=documents(),
    )


@operation()
def withdraw_token(token_id: str) -> Generator[StringCommand, None, None]:
    """Delete this run's bootstrap token; its id is the public half. It ends in an hour anyway."""
    delete = f"{KUBECTL} -n kube-system delete secret bootstrap-token-{token_id} --ignore-not-found"
    yield StringCommand(f"for i in 1 2 3 4 5; do {delete} && exit 0; sleep 2; done; exit 1")


@operation()
def join_worker(
    site: str, documents: Callable[[], str], sound: Sequence[Condition] = ()
) -> Generator[StringCommand, None, None]:
    """TLS bootstrap of a worker. ``documents`` gives the JoinConfiguration when it is known.

    A worker that was never finished is joined anew: it has run nothing yet.
    ``sound``: what a post-mortem asks if it fails.
    """
    joined = script(
        "[ ! -e /etc/kubernetes/kubelet.conf ] || systemctl stop kubelet",
        "rm -rf /etc/kubernetes/*.conf /etc/kubernetes/pki/ca.crt /var/lib/kubelet/pki",
        claim(site, "joining"),
        "mkdir -p /etc/kubernetes/manifests",
        # kubeadm reads it twice; /run is memory, and gone with the machine
        "umask 077; trap 'rm -f /run/homelab-join.yaml' EXIT",
        "cat > /run/homelab-join.yaml; umask 022",
        "( kubeadm join --skip-phases=preflight --config /run/homelab-join.yaml ) 9>&-",
        keep(),
        claim(site, "member"),
    )
    yield StringCommand(post_mortem.after(joined, sound), _stdin=documents())


def renew_serving_script(names: Sequence[str]) -> str:
    """Sign the API server's certificate anew if it lacks one of ``names``.

    A running API server reads it again within a minute, and serves the old one until then.
    """
    served = "/etc/kubernetes/pki/apiserver"
    return f"""have=", $(openssl x509 -noout -ext subjectAltName -in {served}.crt 2>/dev/null |
    sed -n 's/DNS://g; s/IP Address://g; 2s/^ *//p'), "
for name in {" ".join(shlex.quote(name) for name in names)}; do
    case "$have" in *", $name, "*) continue;; esac
    rm -f {served}.crt {served}.key
    kubeadm init phase certs apiserver --config {CONFIG} >/dev/null
    break
done"""
