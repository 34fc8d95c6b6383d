"""What a join clears away is exactly what it says; settings, images and authorities stay."""

from __future__ import annotations

import json

import pytest

from homelab.documents import kept
from homelab.preflight.survey import CLAIM, SCRIPT, parse
from operations.kubeadm import (
    AGAIN,
    CONFIG,
    FORGET_LEAVES,
    SHARED_PKI,
    claim,
    renew_serving_script,
    share_script,
    start_script,
)
from operations.step import script
from operations.wipe import WIPE, reset_script
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
    "/var/lib/cni/networks/pods/10.244.1.7",
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
# What a machine that is given up does not keep.
REMAINS = {
    "/etc/kubernetes/homelab/kubeadm.yaml",
    "/etc/kubernetes/homelab/patches/etcd.json",
    "/etc/kubernetes/encryption/config.yaml",
    "/etc/kubernetes/audit/policy.yaml",
    "/etc/kubernetes/tmp/kubeadm-kubelet-config/config.yaml",
    "/var/log/kubernetes/audit/audit.log",
}
SETTINGS |= REMAINS
EVERYTHING = AUTHORITIES | LEAVES | MEMBER | SETTINGS
FOLDERS = ("/etc/kubernetes", "/etc/containerd", "/etc/cni", "/etc/haproxy", "/etc/systemd",
           "/var/lib", "/var/log/kubernetes")  # fmt: skip
# Stands in for kubeadm, which would need images and minutes: it notes what it was asked for, and
# leaves what the kubeconfig phase of 1.29 and later leaves.
KUBEADM = """#!/bin/sh
echo "$*" >> /run/asked
case "$*" in *"phase kubeconfig all"*)
    for name in admin super-admin kubelet; do echo x > /etc/kubernetes/$name.conf; done;; esac
mkdir -p /var/lib/kubelet/pki; : > /var/lib/kubelet/pki/kubelet-client-current.pem
"""


def used(machine: Machine) -> Machine:
    """A machine that has been a control plane."""
    for path in EVERYTHING:
        machine.write(path, "1.5\n")
    return machine


def test_wipe_leaves_the_machines_settings_and_nothing_of_the_cluster(machine: Machine) -> None:
    used(machine).does(script(WIPE))
    assert machine.files(*FOLDERS) == SETTINGS


def test_wipe_takes_the_networks_of_dead_pods_away(machine: Machine) -> None:
    """Their addresses are free again, so nobody else may have them."""
    machine.does("mkdir -p /run/netns; touch /run/netns/cni-1f2e /run/netns/mine")
    machine.does("mount --bind /proc/self/ns/net /run/netns/cni-1f2e")
    machine.does(script(WIPE))
    assert machine.files("/run/netns") == {"/run/netns/mine"}


def test_a_reset_leaves_no_configuration_key_or_log_of_the_cluster(machine: Machine) -> None:
    used(machine).does(reset_script())
    assert machine.files(*FOLDERS) == SETTINGS - REMAINS
    machine.path("/var/lib/etcd/lost+found/keep").unlink()
    machine.path("/var/lib/etcd/lost+found").rmdir()
    assert machine.does("find /etc/kubernetes /var/lib/etcd -mindepth 1") == ""
    machine.does(reset_script())


def test_a_reset_that_breaks_off_leaves_no_finished_member(machine: Machine) -> None:
    """The next deploy makes it anew, instead of believing that it is the cluster."""
    used(machine).write(CLAIM, json.dumps({"site": "lab", "phase": "member"}))
    machine.program("rm", "exit 1")
    assert machine.sh(reset_script()).code == 1
    assert json.loads(machine.read(CLAIM)) == {"site": "lab", "phase": "joining"}


def test_a_kubelet_of_an_earlier_authority_does_not_keep_its_certificate(machine: Machine) -> None:
    """The run that founded the cluster was killed, and the next one made the authority anew."""
    machine.program("kubeadm", KUBEADM)
    for file in SHARED_PKI.split():
        machine.write(f"/root/new/{file}", "new\n")
    machine.write("/etc/kubernetes/pki/ca.crt", "old\n")
    machine.write("/var/lib/kubelet/pki/kubelet-client-2026.pem", "of the old one\n")
    pki = machine.does(f"tar -c -C /root/new {SHARED_PKI} | base64")
    machine.does(share_script("lab"), stdin=pki)
    assert machine.read("/etc/kubernetes/pki/ca.crt") == "new\n"
    assert not machine.path("/var/lib/kubelet/pki/kubelet-client-2026.pem").exists()
    assert machine.read("/run/asked") == f"init phase certs all --config {CONFIG}\n"


@pytest.mark.parametrize("first", [True, False])
def test_only_the_first_machine_keeps_what_passes_every_authorization(
    machine: Machine, first: bool
) -> None:
    machine.program("kubeadm", KUBEADM)
    machine.path("/etc/kubernetes").mkdir()
    machine.does(start_script(first, patches=""))
    kept = {"admin", "kubelet", "super-admin"} if first else {"admin", "kubelet"}
    assert machine.files("/etc/kubernetes") == {f"/etc/kubernetes/{name}.conf" for name in kept}


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


def test_the_api_servers_certificate_is_signed_anew_only_for_a_name_that_it_lacks(
    machine: Machine,
) -> None:
    machine.program("kubeadm", KUBEADM)
    served = "/etc/kubernetes/pki/apiserver.crt"
    machine.does(
        "mkdir -p /etc/kubernetes/pki; "
        "openssl req -config /dev/null -x509 -newkey ec -nodes -subj /CN=x -days 9 "
        "-pkeyopt ec_paramgen_curve:prime256v1 -addext subjectAltName=DNS:cp11,IP:10.0.0.11 "
        f"-keyout /etc/kubernetes/pki/apiserver.key -out {served} 2>/dev/null"
    )
    machine.does(script(renew_serving_script(["cp11", "10.0.0.11"])))
    assert machine.path(served).exists()
    machine.does(script(renew_serving_script(["cp11", "cp1"])))
    assert not machine.path(served).exists()  # this kubeadm only says what it was asked
    assert machine.read("/run/asked") == f"init phase certs apiserver --config {CONFIG}\n"
    machine.does(script(renew_serving_script(["cp1"])))  # killed between the two
    assert machine.read("/run/asked").count("certs apiserver") == 2


def test_what_kubeadm_wrote_is_kept_and_a_hands_change_is_seen(machine: Machine) -> None:
    manifest, config = "/etc/kubernetes/manifests/etcd.yaml", "/var/lib/kubelet/config.yaml"
    machine.write(manifest, "kind: Pod\n")
    machine.write(config, "kind: KubeletConfiguration\n")
    assert "was not kept" in machine.sh(f"( {kept.as_kept()}\n)").out
    assert machine.sh(script("cd /var/lib/kubelet", kept.keep())).code == 0
    assert machine.read(f"{kept.KEPT}{manifest}") == "kind: Pod\n"
    assert machine.sh(f"( {kept.as_kept()}\n)").code == 0
    machine.write(manifest, "kind: Pod # mine\n")
    said = machine.sh(f"( {kept.as_kept()}\n)")
    assert (said.code, said.out) == (1, f"{manifest} is not as kubeadm wrote it\n")
    assert machine.sh(script(kept.keep())).code == 0
    assert machine.sh(f"( {kept.as_kept()}\n)").code == 0


@pytest.mark.parametrize(("failures", "code"), [(0, 0), (3, 0), (4, 1)])
def test_what_kubeadm_records_is_tried_again(machine: Machine, failures: int, code: int) -> None:
    """A slow API server answers later than in kubeadm's ten seconds; four tries are enough."""
    at_once = "sleep() { :; }"
    program = f"try() {{ echo >> /run/tries; [ $(wc -l < /run/tries) -gt {failures} ]; }}"
    said = machine.sh(script(AGAIN, at_once, program, "again try", "echo went on"))
    assert (said.code, "went on" in said.out) == (code, code == 0)
    assert machine.read("/run/tries").count("\n") == min(failures + 1, 4)
