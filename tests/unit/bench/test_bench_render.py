"""What bare.sh is given: the deploy's documents, and settings that its shell understands."""

import io
import subprocess
import tarfile
from pathlib import Path

import pytest
import yaml

from bench import cluster, render
from homelab.site import check
from homelab.site.derived import machine
from tests.unit.bench.bench_sites import NODES, SITE, TRAITS


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    render.render(SITE, tmp_path, TRAITS)
    return tmp_path


def members(folder: Path, name: str) -> dict[str, tarfile.TarInfo]:
    with tarfile.open(folder / f"{name}.tar") as tar:
        return {entry.name: entry for entry in tar}


def content(folder: Path, name: str, path: str) -> str:
    with tarfile.open(folder / f"{name}.tar") as tar:
        found = tar.extractfile(path.lstrip("/"))
        assert found is not None
        return found.read().decode()


def test_the_site_is_one_that_a_person_could_declare() -> None:
    found = {fault.rule for fault in check(SITE, "bench_sites.py")}
    assert found == {"ssh-key-missing"}  # there is no such file, and no need of one


def test_every_machine_has_its_files_and_one_script(folder: Path) -> None:
    for name in NODES:
        assert "etc/hosts" in members(folder, name)
        script = (folder / f"{name}.sh").read_text()
        assert script.startswith("set -eu\n")
        subprocess.run(["sh", "-n"], input=script, text=True, check=True)


def test_the_firewalls_trial_is_confirmed(folder: Path) -> None:
    assert (folder / "w1.sh").read_text().endswith("/usr/local/lib/homelab/firewall confirm\n")


def test_secrets_are_for_root_alone(folder: Path) -> None:
    entries = members(folder, "cp-1")
    assert entries["etc/kubernetes/encryption/config.yaml"].mode == 0o600
    assert entries[render.CONFIG.lstrip("/")].mode == 0o600
    assert folder.stat().st_mode & 0o077 == 0


def test_a_learner_is_told_with_whom_it_starts(folder: Path) -> None:
    assert render.ETCD_CONFIG.lstrip("/") not in members(folder, "cp-1")
    documents = yaml.safe_load_all(content(folder, "cp-2", render.ETCD_CONFIG))
    (found,) = (d for d in documents if d["kind"] == "ClusterConfiguration")
    arguments = found["etcd"]["local"]["extraArgs"]
    assert arguments["initial-cluster"] == "cp-1=https://10.9.0.11:2380,cp-2=https://10.9.0.12:2380"
    assert arguments["initial-cluster-state"] == "existing"
    assert "initial-cluster" not in content(folder, "cp-2", render.CONFIG)


def test_all_control_planes_encrypt_with_one_key(folder: Path) -> None:
    path = "/etc/kubernetes/encryption/config.yaml"
    assert len({content(folder, name, path) for name in NODES if name != "w1"}) == 1


def test_a_worker_joins_by_a_hash_that_is_put_in_later(folder: Path) -> None:
    (document,) = yaml.safe_load_all(content(folder, "w1", render.CONFIG))
    assert document["kind"] == "JoinConfiguration"
    assert document["discovery"]["bootstrapToken"]["caCertHashes"] == ["sha256:@CA_HASH@"]


def test_the_shell_reads_the_settings_as_they_are_meant(folder: Path) -> None:
    names = ("CONTROL_PLANES", "WORKERS", "VIP", "PORT", "ADDRESS_cp_2")
    script = f". {folder}/site.env; printf '%s\\n' " + " ".join(f'"${name}"' for name in names)
    shown = subprocess.run(["bash", "-euc", script], capture_output=True, text=True, check=True)
    assert shown.stdout.splitlines() == ["cp-1 cp-2 cp-3", "w1", "10.9.0.10", "8443", "10.9.0.12"]


def test_ssh_never_asks() -> None:
    options = render.ssh_options(machine(SITE, "cp-1"))
    assert options[options.index("-l") + 1] == "vagrant"
    assert "BatchMode=yes" in options
    assert "UserKnownHostsFile=/dev/null" in options


def test_an_archive_keeps_paths_and_modes() -> None:
    layers = render.machine_layers(SITE, machine(SITE, "cp-1"), TRAITS["cp-1"])
    documents = [document for layer in layers for document in layer.documents]
    with tarfile.open(fileobj=io.BytesIO(render.archive(documents))) as tar:
        assert {f"/{e.name}": e.mode for e in tar} == {d.path: d.mode for d in documents}


def test_the_bare_script_is_bash() -> None:
    subprocess.run(["bash", "-n", str(cluster.BARE)], check=True)
