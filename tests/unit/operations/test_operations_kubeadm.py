"""What a join clears away is exactly what it says; settings, images and authorities stay."""

from __future__ import annotations

from homelab.preflight.survey import CLAIM, SCRIPT, parse
from operations.kubeadm import FORGET_LEAVES, WIPE, claim
from operations.step import script
from tests.unit.operations.room import Machine

AUTHORITIES = {
    f"/etc/kubernetes/pki/{name}"
    for name in (
        "ca.crt", "ca.key", "sa.key", "sa.pub", "front-proxy-ca.crt", "front-proxy-ca.key",
        "etcd/ca.crt", "etcd/ca.key",
    )
}  # fmt: skip
LEAVES = {
    f"/etc/kubernetes/{name}"
    for name in (
        "admin.conf", "kubelet.conf", "scheduler.conf", "controller-manager.conf",
        "pki/apiserver.crt", "pki/apiserver.key", "pki/apiserver-etcd-client.key",
        "pki/apiserver-kubelet-client.crt", "pki/front-proxy-client.crt",
        "pki/front-proxy-client.key", "pki/etcd/server.crt", "pki/etcd/peer.key",
        "pki/etcd/healthcheck-client.crt",
    )
}  # fmt: skip
MEMBER = {
    "/var/lib/etcd/member/wal/0.wal",
    "/etc/kubernetes/manifests/etcd.yaml",
    "/etc/kubernetes/manifests/kube-apiserver.yaml",
    "/var/lib/kubelet/pods/uid/volumes/token",
    "/var/lib/kubelet/pki/kubelet-client-current.pem",
    "/var/lib/kubelet/config.yaml",
    "/var/lib/kubelet/kubeadm-flags.env",
    "/var/lib/kubelet/cpu_manager_state",
    "/var/lib/homelab/etcd-initial",
    CLAIM,
}
SETTINGS = {
    "/etc/kubernetes/homelab/kubeadm.yaml",
    "/etc/kubernetes/homelab/patches/etcd.json",
    "/etc/kubernetes/encryption/config.yaml",
    "/etc/kubernetes/audit/policy.yaml",
    "/etc/containerd/config.toml",
    "/etc/cni/net.d/10-homelab.conflist",
    "/etc/haproxy/haproxy.cfg",
    "/etc/systemd/system/kubelet.service",
    "/var/lib/homelab/applied/host",
    "/var/lib/homelab/artefacts/kubeadm",
    "/var/lib/homelab/etcd-disk-p99",
    "/var/lib/containerd/io.containerd.metadata.v1.bolt/meta.db",
    "/var/lib/etcd/lost+found/keep",
}
EVERYTHING = AUTHORITIES | LEAVES | MEMBER | SETTINGS
FOLDERS = ("/etc/kubernetes", "/etc/containerd", "/etc/cni", "/etc/haproxy", "/etc/systemd",
           "/var/lib")  # fmt: skip


def used(machine: Machine) -> Machine:
    """A machine that has been a control plane."""
    for path in EVERYTHING:
        machine.write(path, "1.5\n")
    return machine


def test_wipe_leaves_the_machines_settings_and_nothing_of_the_cluster(machine: Machine) -> None:
    used(machine).does(script(WIPE))
    assert machine.files(*FOLDERS) == SETTINGS


def test_wipe_of_a_bare_machine_is_no_error(machine: Machine) -> None:
    machine.does(script(WIPE))
    machine.does(script(WIPE))


def test_wipe_unmounts_the_pods_volumes_and_no_other(machine: Machine) -> None:
    """A volume is deleted as a mount, not file by file through it."""
    used(machine).does(
        "mkdir -p /var/lib/kubelet/pods/uid/v /var/lib/kubelet/plugins /root/volume\n"
        "echo precious > /root/volume/data\n"
        "mount --bind /root/volume /var/lib/kubelet/pods/uid/v\n"
        "mount -t tmpfs none /var/lib/kubelet/plugins"
    )
    machine.does(script(WIPE))
    assert machine.read("/root/volume/data") == "precious\n"
    mounts = machine.does("cat /proc/mounts")
    assert "/var/lib/kubelet/pods/" not in mounts
    assert "/var/lib/kubelet/plugins" in mounts


def test_what_can_be_made_anew_from_the_authorities_is_forgotten(machine: Machine) -> None:
    used(machine).does(script(FORGET_LEAVES))
    assert machine.files(*FOLDERS) == EVERYTHING - LEAVES


def test_there_may_be_nothing_to_forget(machine: Machine) -> None:
    machine.does(script(FORGET_LEAVES))


def test_a_claim_is_what_the_survey_reads(machine: Machine) -> None:
    for phase, expected in (("joining", "ours-unfinished"), ("member", "ours")):
        machine.does(script(claim("lab", phase)))
        survey = parse(machine.does(SCRIPT).splitlines())
        assert survey.membership("lab") == expected
        assert survey.membership("barn") == "foreign"
    assert machine.files("/var/lib/homelab") == {CLAIM}


def test_after_a_wipe_the_machine_is_nobodys(machine: Machine) -> None:
    used(machine).does(script(claim("barn", "member")))
    machine.does(script(WIPE))
    assert parse(machine.does(SCRIPT).splitlines()).membership("lab") == "none"
