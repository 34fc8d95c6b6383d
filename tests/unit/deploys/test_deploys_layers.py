"""The layers of a machine: each file has one owner, and a change is a change of the declaration."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from deploys import layers, packages
from deploys.progress import Clock
from deploys.run import Run
from homelab.documents import apiserver
from homelab.site import derived
from homelab.site.model import Site, Switch
from operations.kubeadm import CONFIG, RECORDED
from tests.unit.documents.document_sites import lab, rack
from tests.unit.preflight.surveys import sound

SITES = pytest.mark.parametrize("site", [lab(), rack()], ids=["lab", "rack"])


def run_of(site: Site, key: str = "a2V5") -> Run:
    """Of sound machines on which nothing was done yet."""
    return Run(site, Clock(Path("timings.json")), sound(site), encryption_key=key)


@SITES
def test_a_file_belongs_to_one_layer(site: Site) -> None:
    """Two layers that write one file would undo each other for ever."""
    for machine in site.machines:
        found = layers.of(run_of(site), machine)
        paths = Counter(document.path for layer in found for document in layer.documents)
        assert [path for path, count in paths.items() if count > 1] == []
        names = Counter(layer.name for layer in found)
        assert [name for name, count in names.items() if count > 1] == []
        for layer in found:
            assert set(layer.absent) & set(paths) == set()


@SITES
def test_a_secret_is_for_root_alone(site: Site) -> None:
    secret = [
        document
        for machine in site.machines
        for layer in layers.of(run_of(site), machine)
        for document in layer.documents
        if document.secret
    ]
    assert {document.path for document in secret} >= {apiserver.ENCRYPTION}
    assert [d.path for d in secret if d.mode & 0o077 or d.owner != "root"] == []


@SITES
def test_all_control_planes_encrypt_with_the_same_key(site: Site) -> None:
    run = run_of(site)
    texts = {
        document.text
        for machine in derived.control_planes(site)
        for layer in layers.of(run, machine)
        for document in layer.documents
        if document.path == apiserver.ENCRYPTION
    }
    assert len(texts) == 1
    assert run.encryption_key in texts.pop()


@SITES
def test_the_declaration_is_the_same_until_something_changes(site: Site) -> None:
    """The traffic test is made once for each declaration."""
    assert run_of(site).declaration == run_of(site).declaration
    later = site.replace(timings=site.timings.replace(check_fall=5))
    assert run_of(later).declaration != run_of(site).declaration
    assert run_of(site, key="b3RoZXI=").declaration != run_of(site).declaration


@SITES
def test_the_cluster_keeps_nothing_that_is_true_of_one_machines_etcd(site: Site) -> None:
    """A later upgrade or join on another machine takes its settings from there."""
    machine = derived.control_planes(site)[1]
    layer = layers.control_plane(run_of(site), machine, "cp1=https://1.2.3.4:2380")
    texts = {document.path: document.text for document in layer.documents}
    assert "initial-cluster" in texts[CONFIG]
    assert "initial-cluster" not in texts[RECORDED]
    assert "heartbeat-interval" in texts[RECORDED]
    uploads = [line for line in layer.activate.splitlines() if "upload-config" in line]
    assert [RECORDED in line for line in uploads] == [True]


def test_a_new_key_has_the_length_that_secretbox_wants() -> None:
    keys = {layers.new_encryption_key() for _ in range(9)}
    assert len(keys) == 9
    assert {len(key) for key in keys} == {44}  # 32 bytes in base64


def test_who_gets_which_packages() -> None:
    site = lab()
    plane, worker = site.machines[0], site.machines[3]
    assert {"haproxy", "keepalived", "fio", "containerd"} <= set(packages.wanted(site, plane, True))
    assert not {"haproxy", "keepalived", "fio"} & set(packages.wanted(site, worker, True))
    assert "lldpd" not in packages.wanted(site, worker, True)
    with_switch = site.replace(switch=Switch(address="10.77.0.2", ssh_user="admin"))
    assert "lldpd" in packages.wanted(with_switch, worker, True)
    balancer = rack().machines[3]
    assert "containerd" not in packages.wanted(rack(), balancer, False)
    assert "keepalived" in packages.wanted(rack(), balancer, False)


def test_a_container_has_no_clock_to_sync() -> None:
    site = lab()
    machine = site.machines[0]
    clock = set(packages.wanted(site, machine, False)) - set(packages.wanted(site, machine, True))
    assert clock == {"systemd-timesyncd"}
