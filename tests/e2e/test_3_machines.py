"""Chapter 3, machine by machine: what the deploy promises is there."""

from __future__ import annotations

import re
from typing import Any

import pytest
import yaml

from homelab.documents import host as host_documents
from homelab.documents.traits import Traits
from homelab.site import derived
from tests.e2e.support.machine import connect
from tests.e2e.support.rig import Rig

pytestmark = pytest.mark.usefixtures("healthy")

PKI = "/etc/kubernetes/pki"
# kubeadm's own: a year; the CAs ten. 300 days leave room for a cluster that is not of today.
EXPIRES_AFTER_S = 300 * 24 * 3600
SECRETS = (
    "/etc/kubernetes /var/lib/etcd /var/lib/kubelet /var/lib/homelab /root /home /tmp /var/tmp"
)
# A key, a bootstrap token (kubeadm's form), or a key of the encryption configuration.
SECRET = r"PRIVATE KEY|\b[a-z0-9]{6}\.[a-z0-9]{16}\b|^ *secret: "


@pytest.fixture
def host(rig: Rig, machine: str) -> Any:
    """testinfra's view of the machine."""
    return connect(rig, machine)


@pytest.fixture
def plane(rig: Rig, control_plane: str) -> Any:
    """testinfra's view of a control plane."""
    return connect(rig, control_plane)


def test_services_run_now_and_after_a_reboot(rig: Rig, machine: str, host: Any) -> None:
    units = ["containerd", "kubelet", "homelab-firewall"]
    if machine in [m.name for m in derived.balancers(rig.site)]:
        units += ["haproxy", "keepalived"]
    for unit in units:
        service = host.service(unit)
        assert service.is_running, unit
        assert service.is_enabled, unit


def test_it_is_called_what_the_site_calls_it(rig: Rig, machine: str, host: Any) -> None:
    assert host.check_output("hostname") == machine
    for other in rig.site.machines:
        assert host.file("/etc/hosts").contains(f"^{other.address} {other.name}$")


def test_its_network_settings_are_in_force(rig: Rig, machine: str, host: Any) -> None:
    declared = derived.machine(rig.site, machine)
    wanted = host_documents.sysctls(rig.site, declared, Traits(container=True))
    for name, value in wanted.items():
        assert str(host.sysctl(name)) == value, name


def test_no_secret_is_readable_by_everyone(host: Any) -> None:
    found = host.run(
        f"find {SECRETS} -xdev -type f -perm /o+r -size -1M 2>/dev/null | "
        f"xargs -r -d '\\n' grep -lEs '{SECRET}'"
    ).stdout.split()
    assert not found


def test_no_secret_is_in_the_arguments_of_a_process(host: Any) -> None:
    lines = host.check_output("ps -eo args --no-headers").splitlines()
    assert not [line for line in lines if re.search(SECRET, line)]


def test_kubelet_serves_with_a_certificate_of_the_cluster(machine: str, host: Any) -> None:
    current = "/var/lib/kubelet/pki/kubelet-server-current.pem"
    verified = host.run(f"openssl verify -CAfile {PKI}/ca.crt {current}")
    assert verified.rc == 0, verified.stderr
    names = subject_names(host, current)
    assert f"DNS:{machine}" in names


def test_the_firewall_is_in_force_and_proven(host: Any) -> None:
    rules = host.check_output("nft list table inet homelab")
    assert "policy drop" in rules
    assert host.run("/usr/local/lib/homelab/firewall proven").rc == 0


def test_keys_are_roots_alone(plane: Any) -> None:
    listed = plane.check_output(
        f"find {PKI} -name '*.key' -o -path '/etc/kubernetes/*.conf' | xargs stat -c '%a %U %n'; "
        "stat -c '%a %U %n' /etc/kubernetes/*.conf"
    ).splitlines()
    assert listed
    assert not [line for line in listed if not line.startswith("600 root ")]


def test_the_api_servers_certificate_names_all_ways_to_it(
    rig: Rig, control_plane: str, plane: Any
) -> None:
    names = subject_names(plane, f"{PKI}/apiserver.crt")
    site = rig.site
    assert {
        f"DNS:{site.api.name}",
        f"IP Address:{site.api.vip}",
        f"DNS:{control_plane}",
        f"IP Address:{rig.address(control_plane)}",
        f"IP Address:{derived.service_address(site, 1)}",
    } <= names


def test_no_certificate_ends_soon(plane: Any) -> None:
    certificates = plane.check_output(f"find {PKI} -name '*.crt'").split()
    assert len(certificates) >= 9
    for path in certificates:
        checked = plane.run(f"openssl x509 -noout -in {path} -checkend {EXPIRES_AFTER_S}")
        assert checked.rc == 0, path


def subject_names(host: Any, certificate: str) -> set[str]:
    """The SANs of a certificate, as openssl prints them."""
    text = host.check_output(f"openssl x509 -noout -ext subjectAltName -in {certificate}")
    return {name.strip() for line in text.splitlines()[1:] for name in line.split(",")}


def test_the_api_server_is_not_killed_for_an_etcd_without_a_leader(plane: Any) -> None:
    """kubeadm has merged our probe with its own: the address and the scheme are still there."""
    manifest = yaml.safe_load(plane.file("/etc/kubernetes/manifests/kube-apiserver.yaml").content)
    probe = manifest["spec"]["containers"][0]["livenessProbe"]["httpGet"]
    assert probe["path"] == "/livez?exclude=etcd"
    assert probe["port"] == 6443
    assert probe["scheme"] == "HTTPS"
