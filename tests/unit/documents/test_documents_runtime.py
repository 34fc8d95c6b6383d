"""The runtimes' configurations, and the units that we bring."""

from __future__ import annotations

import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from homelab.documents.balancer import haproxy
from homelab.documents.cni_bridge import cni_bridge
from homelab.documents.document import Layer
from homelab.documents.firewall import firewall
from homelab.documents.kubelet import kubelet
from homelab.documents.pod_routes import pod_routes
from homelab.documents.runtime import CRIO_CONF, containerd, crio, runtime
from homelab.documents.serving import serving
from homelab.documents.traits import Traits
from homelab.documents.vip import keepalived
from homelab.site.model import Artefacts, Machine, Site, Timings
from tests.unit.documents.document_sites import (
    BARE,
    CONTAINER,
    at,
    lab,
    rack,
    run_check,
    shell,
    stage,
    text,
    tool,
)

MIRROR = Artefacts(source="mirror", base="http://mirror.lan/homelab")


def config(site: Site, traits: Traits) -> dict[str, Any]:
    return tomllib.loads(
        text(containerd(site, site.machines[0], traits), "/etc/containerd/config.toml")
    )


@pytest.mark.parametrize("traits", [BARE, CONTAINER], ids=["bare", "container"])
def test_containerd_takes_its_configuration(traits: Traits, tmp_path: Path) -> None:
    tool("containerd")
    layer = containerd(lab(), lab().machines[0], traits)
    run_check(layer, tmp_path)
    dumped = tomllib.loads(
        shell(f"containerd --config {tmp_path}/etc/containerd/config.toml config dump")
    )
    cri = dumped["plugins"]["io.containerd.grpc.v1.cri"]
    assert cri["sandbox_image"] == "k8s.gcr.io/pause:3.2"
    assert cri["containerd"]["runtimes"]["runc"]["options"]["SystemdCgroup"] is True
    assert cri["restrict_oom_score_adj"] is not traits.sys_resource
    assert cri["cni"]["bin_dir"] == "/opt/cni/bin"
    assert cri["registry"]["config_path"] == "/etc/containerd/certs.d"


def test_containerd_2_gets_version_3() -> None:
    found = config(rack(), CONTAINER)
    assert found["version"] == 3
    plugins = found["plugins"]
    images = plugins["io.containerd.cri.v1.images"]
    assert images["pinned_images"]["sandbox"] == "registry.k8s.io/pause:3.10.2"
    runtime_plugin = plugins["io.containerd.cri.v1.runtime"]
    assert runtime_plugin["containerd"]["runtimes"]["runc"]["options"]["SystemdCgroup"] is True
    assert runtime_plugin["restrict_oom_score_adj"] is True
    assert runtime_plugin["cni"]["bin_dirs"] == ["/opt/cni/bin"]


def test_only_the_artefact_needs_a_unit_of_ours() -> None:
    path = "/etc/systemd/system/containerd.service"
    old = containerd(lab(), lab().machines[0], BARE)
    assert path not in {d.path for d in old.documents}
    assert "/usr/local/bin/containerd" in text(containerd(rack(), rack().machines[0], BARE), path)


@pytest.mark.parametrize("engine", [containerd, crio])
def test_a_mirror_that_is_declared_no_more_is_not_asked(
    engine: Callable[[Site, Machine, Traits], Layer], tmp_path: Path
) -> None:
    before, now = rack(artefacts=MIRROR), rack()
    root = stage(engine(before, before.machines[0], BARE), tmp_path)
    theirs = root / "etc/containerd/certs.d/mine.lan/hosts.toml"
    theirs.parent.mkdir(parents=True, exist_ok=True)
    theirs.write_text('server = "https://mine.lan"\n')

    kept = (
        "etc/containerd/certs.d/docker.io/hosts.toml",
        "etc/containers/registries.conf.d/90-homelab.conf",
    )
    for site, there in ((before, True), (now, False)):
        script = engine(site, site.machines[0], BARE).activate.replace("/etc/", f"{root}/etc/")
        shell(f"systemctl() {{ :; }}; {script}")
        assert any((root / path).exists() for path in kept) is there
    assert theirs.exists()


def test_mirrors_stand_before_their_registries() -> None:
    site = lab(artefacts=MIRROR)
    layer = containerd(site, site.machines[0], BARE)
    hosts = tomllib.loads(text(layer, "/etc/containerd/certs.d/k8s.gcr.io/hosts.toml"))
    assert hosts["server"] == "https://k8s.gcr.io"
    assert list(hosts["host"]) == ["http://mirror.lan/homelab/v2/k8s.gcr.io"]
    layer = crio(site, site.machines[0], BARE)
    found = tomllib.loads(text(layer, "/etc/containers/registries.conf.d/90-homelab.conf"))
    first = found["registry"][0]
    assert first["mirror"] == [{"location": "mirror.lan/homelab/registry.k8s.io", "insecure": True}]
    plain = containerd(lab(), lab().machines[0], BARE)
    assert not [d for d in plain.documents if "certs.d" in d.path]


def test_crio() -> None:
    site = rack(kubernetes=rack().kubernetes.replace(runtime="cri-o"))
    layer = runtime(site, site.machines[0], BARE)
    found = tomllib.loads(text(layer, f"{CRIO_CONF}/90-homelab.conf"))["crio"]
    assert found["runtime"]["cgroup_manager"] == "systemd"
    assert found["image"]["pause_image"] == "registry.k8s.io/pause:3.10.2"
    assert "unix:///run/crio/crio.sock" in text(layer, "/etc/crictl.yaml")
    assert "/etc/cni/net.d/10-crio-bridge.conflist" in layer.absent


def units() -> list[Layer]:
    site, box = lab(), lab().machines[0]
    return [
        firewall(site, box, BARE),
        pod_routes(site, box),
        cni_bridge(site, box),
        kubelet(site, box, BARE),
        serving(site, box),
        haproxy(site, box),
        keepalived(site, box, BARE),
        containerd(at(site, "1.36.4"), box, BARE),
    ]


@pytest.mark.parametrize("layer", units(), ids=lambda layer: layer.name)
def test_systemd_takes_every_unit(layer: Layer, tmp_path: Path) -> None:
    """systemd-analyze names unknown keys, missing programs and bad values; programs that only a
    node has are stood in for by an empty file."""
    analyze = tool("systemd-analyze")
    folder = stage(layer, tmp_path)
    found = sorted((folder / "etc/systemd/system").rglob("*.service"))
    found += sorted((folder / "etc/systemd/system").rglob("*.timer"))
    drop_ins = sorted((folder / "etc/systemd/system").rglob("*.d/*.conf"))
    for unit in [u for u in found if u.is_file()] + drop_ins:
        unit.write_text(unit.read_text().replace("/usr/local/", f"{tmp_path}/usr/local/"))
    for program in ("bin/kubelet", "bin/containerd"):
        stand_in = tmp_path / "usr/local" / program
        stand_in.parent.mkdir(parents=True, exist_ok=True)
        stand_in.write_text("#!/bin/sh\n")
        stand_in.chmod(0o755)
    for drop_in in drop_ins:  # beside the packaged unit that it changes
        packaged = Path("/lib/systemd/system") / drop_in.parent.name.removesuffix(".d")
        if packaged.exists() and not (beside := drop_in.parent.parent / packaged.name).exists():
            beside.write_text(packaged.read_text())
            found.append(beside)
    names = " ".join(str(u) for u in found if u.is_file())
    assert names
    said = shell(f"{analyze} verify --man=no {names} 2>&1 || true")
    ours = [line for line in said.splitlines() if str(tmp_path) in line]
    assert not ours, "\n".join(ours)


def test_kubelet_is_as_in_upstreams_package() -> None:
    layer = kubelet(lab(), lab().machines[0], BARE)
    drop_in = text(layer, "/etc/systemd/system/kubelet.service.d/10-kubeadm.conf")
    for name in ("KUBECONFIG", "CONFIG", "KUBEADM", "EXTRA"):
        assert f"$KUBELET_{name}_ARGS" in drop_in
    assert "EnvironmentFile=-/var/lib/kubelet/kubeadm-flags.env" in drop_in
    assert "\nExecStart=\n" in drop_in
    assert "housekeeping" not in drop_in  # its own default


def test_a_slow_machines_kubelet_reads_figures_less_often() -> None:
    site = lab(timings=Timings(kubelet_figures_s=60))
    drop_in = text(
        kubelet(site, site.machines[0], BARE),
        "/etc/systemd/system/kubelet.service.d/10-kubeadm.conf",
    )
    assert "$KUBELET_KUBEADM_ARGS --housekeeping-interval=60s $KUBELET_EXTRA_ARGS" in drop_in
