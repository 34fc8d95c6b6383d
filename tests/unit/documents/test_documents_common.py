"""What holds for every document and every layer of every site."""

from __future__ import annotations

import base64
from collections.abc import Iterator

import pytest

from homelab.documents import apiserver
from homelab.documents.balancer import haproxy
from homelab.documents.cni_bridge import cni_bridge
from homelab.documents.document import Document, Layer
from homelab.documents.firewall import firewall
from homelab.documents.host import host
from homelab.documents.kubeadm import cluster_documents
from homelab.documents.kubelet import kubelet
from homelab.documents.network import network
from homelab.documents.patches import patches
from homelab.documents.pod_routes import pod_routes
from homelab.documents.runtime import containerd, crio
from homelab.documents.serving import serving
from homelab.documents.traits import Traits
from homelab.documents.vip import keepalived
from homelab.site import derived
from homelab.site.model import Machine, Site
from tests.unit.documents.document_sites import BARE, CONTAINER, RUN, at, lab, rack, text

KEY = base64.b64encode(b"k" * 32).decode()


def layers(site: Site, machine: Machine, traits: Traits) -> Iterator[Layer]:
    yield host(site, machine, traits)
    yield firewall(site, machine, traits)
    yield network(site, machine, traits)
    if machine in derived.balancers(site):
        yield haproxy(site, machine)
        yield keepalived(site, machine, traits)
    if machine in derived.nodes(site):
        yield containerd(site, machine, traits)
        yield crio(site, machine, traits)
        yield kubelet(site, machine, traits)
        yield cni_bridge(site, machine)
        yield pod_routes(site, machine)
        yield patches(site, machine)
        yield serving(site, machine)


def every_layer() -> Iterator[Layer]:
    for site, traits in ((lab(), CONTAINER), (rack(), BARE), (at(rack(), "1.25.0"), BARE)):
        for machine in site.machines:
            yield from layers(site, machine, traits)


def every_document() -> list[Document]:
    documents = [d for layer in every_layer() for d in layer.documents]
    return [*documents, apiserver.audit_policy(lab()), apiserver.encryption(lab(), KEY)]


def test_documents_are_the_same_each_time() -> None:
    assert [layer.digest for layer in every_layer()] == [layer.digest for layer in every_layer()]


# /etc/hostname has no comments; JSON has none either.
BARE_PATHS = ("/etc/hostname", "/etc/cni/net.d/10-homelab.conflist")


def test_documents_name_their_source_and_end_with_a_newline() -> None:
    for document in every_document():
        assert document.text.endswith("\n"), document.path
        assert not document.text.endswith("\n\n\n"), document.path
        if document.path not in BARE_PATHS and not document.path.endswith(".json"):
            head = "\n".join(document.text.splitlines()[:2])
            assert "homelab/documents/" in head, document.path


def test_no_template_was_left_unfilled() -> None:
    for document in every_document():
        for trace in ("None", "{vip}", "{site", "{machine", "{header}", "{{"):
            if trace == "None" and document.path in (apiserver.AUDIT_POLICY, "/usr/local"):
                continue
            if document.path.endswith(("approve-serving-csrs", "/policy.yaml")):
                continue
            assert trace not in document.text, f"{trace} in {document.path}"


def test_layers_of_a_machine_do_not_write_the_same_file() -> None:
    for site, traits in ((lab(), CONTAINER), (rack(), BARE)):
        for machine in site.machines:
            found = [x for x in layers(site, machine, traits) if x.name != "runtime"]
            paths = [d.path for layer in found for d in layer.documents]
            assert len(paths) == len(set(paths))


def test_secrets_are_for_root_alone_and_hidden() -> None:
    document = apiserver.encryption(lab(), KEY)
    assert document.secret
    assert document.mode == 0o600
    assert KEY not in repr(document)
    assert RUN.token not in repr(RUN)


def test_only_the_kubeadm_file_of_a_run_holds_its_token() -> None:
    site = lab()
    assert RUN.token in cluster_documents(site, site.machines[0], RUN, True, CONTAINER)
    for document in every_document():
        assert RUN.token not in document.text


def test_a_container_gets_nothing_that_is_its_hosts() -> None:
    site = lab()
    layer = host(site, site.machines[0], CONTAINER)
    paths = {d.path for d in layer.documents}
    assert not {p for p in paths if "modules" in p or "timesyncd" in p or "zram" in p}
    for forbidden in ("modprobe", "swapoff", "timedatectl", "mask"):
        assert forbidden not in layer.activate
    settings = next(d for d in layer.documents if "sysctl" in d.path).text.splitlines()[1:]
    assert settings
    assert all(line.startswith("net.ipv4.") for line in settings)
    proxy = cluster_documents(site, site.machines[0], RUN, False, CONTAINER)
    assert "maxPerCore: 0" in proxy


@pytest.mark.parametrize("name", ["lab", "rack"])
def test_every_machine_knows_every_other_and_the_api_by_its_vip(name: str) -> None:
    site = lab() if name == "lab" else rack()
    names = text(host(site, site.machines[0], BARE), "/etc/hosts")
    for machine in site.machines:
        assert f"\n{machine.address} {machine.name}\n" in names
    assert f"\n{site.api.vip} {site.api.name}\n" in names
