"""pyinfra's own CLI reads site files: groups and data of each host, or faults and no traceback."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from homelab.site import bind
from tests.unit.site.example_site import changed

REPO = Path(__file__).resolve().parents[3]


def pyinfra(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = os.environ | {"PYTHONPATH": str(REPO), "PYINFRA_PROGRESS": "off"}
    command = [sys.executable, "-m", "pyinfra", *arguments]
    return subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, timeout=60
    )


@pytest.fixture
def key(tmp_path: Path) -> Path:
    file = tmp_path / "id"
    file.touch(mode=0o600)
    return file


def test_pyinfra_sees_the_lab(tmp_path: Path, key: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "manifest.json").write_text("{}")
    monkeypatch.setenv("HOMELAB_SSH_KEY", str(key))
    monkeypatch.setenv("HOMELAB_BUNDLE", str(tmp_path))
    file = REPO / "inventories/lab.py"
    ran = pyinfra(tmp_path, str(file), "debug-inventory", "--json")
    assert ran.returncode == 0, ran.stderr
    found = {host["name"]: host for host in json.loads(ran.stdout)}
    assert set(found) == {"cp1", "cp2", "cp3", "w1", "w2"}
    assert set(found["cp1"]["groups"]) == {"control_plane", "balancer", "lab"}
    assert found["cp1"]["data"] == {
        "ssh_hostname": "10.77.0.11",
        "ssh_port": 22,
        "ssh_user": "vagrant",
        "ssh_key": str(key),
        "ssh_strict_host_key_checking": "no",
        "ssh_known_hosts_file": "/dev/null",
        "_sudo": True,
        "site_file": str(file),
    }
    assert set(found["w1"]["groups"]) == {"worker", "lab"}


@pytest.mark.parametrize(
    ("site", "lines"),
    [
        ('changed({"api.vrrp_id": 0, "api.vip": "x"})', 3),  # two faults, and their number
        ("undefined", 1),
        ("(", 1),
    ],
)
def test_pyinfra_refuses_a_faulty_site(tmp_path: Path, site: str, lines: int) -> None:
    (tmp_path / "config.py").write_text(
        "import sys\nfrom homelab.site import refuse\nrefuse(sys.argv)\n"
    )
    (tmp_path / "faulty.py").write_text(
        "from homelab.site import hosts\nfrom tests.unit.site.example_site import changed\n"
        f'_site = {site}\nworker = hosts(_site, __file__, "worker")\n'
    )
    ran = pyinfra(tmp_path, "faulty.py", "debug-inventory")
    assert ran.returncode == 2
    told = [line for line in ran.stderr.splitlines() if not line.startswith("--> Loading")]
    assert len(told) == lines
    assert all(line.startswith("faulty.py: ") for line in told)
    assert not (tmp_path / "pyinfra-debug.log").exists()


def groups(changes: dict[str, Any]) -> dict[str, list[str]]:
    return {
        str(role): [name for name, _ in members]
        for role, members in bind(changed(changes), "site.py").items()
    }


def test_a_machine_is_in_the_group_of_each_of_its_roles() -> None:
    assert groups({}) == {
        "control_plane": ["n1", "n2", "n3"],
        "worker": ["n1", "n2", "n3", "n4"],
        "balancer": ["n1", "n2", "n3"],
    }


def test_the_data_is_the_same_in_all_groups_and_json() -> None:
    bound = bind(changed({}), "site.py")
    assert dict(bound["worker"])["n1"] == dict(bound["control_plane"])["n1"]
    assert json.loads(json.dumps(bound)) is not None


@pytest.mark.parametrize(
    ("changes", "key", "value"),
    [
        ({"machines[0].ssh_user": "root"}, "_sudo", False),
        ({}, "_sudo", True),
        ({}, "ssh_strict_host_key_checking", "accept-new"),
        ({"machines[0].ssh_host_key": "known"}, "ssh_strict_host_key_checking", "yes"),
        ({}, "ssh_known_hosts_file", None),
        ({}, "ssh_key", None),
        ({"machines[0].ssh_port": 2222}, "ssh_port", 2222),
        ({}, "site_file", str(Path("site.py").resolve())),
    ],
)
def test_host_data(changes: dict[str, Any], key: str, value: object) -> None:
    data = dict(bind(changed(changes), "site.py")["control_plane"])["n1"]
    assert data.get(key) == value
