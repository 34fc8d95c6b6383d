"""The playbook: the same documents, in Ansible's words."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from bench import ansible, playbook
from bench.errors import BenchError
from bench.render import machine_layers
from homelab.site.derived import machine
from tests.unit.bench.bench_sites import NODES, SITE, TRAITS

RECAP = """
PLAY RECAP *****************************************************************
cp1                        : ok=21   changed=0    unreachable=0    failed=0
w1                         : ok=15   changed=2    unreachable=0    failed=0
"""


@pytest.fixture
def hosts(tmp_path: Path) -> dict[str, Any]:
    playbook.write(SITE, tmp_path, TRAITS)
    inventory = yaml.safe_load((tmp_path / "inventory.yml").read_text())
    found: dict[str, Any] = inventory["all"]["hosts"]
    return found


def test_every_document_is_copied_as_it_is(hosts: dict[str, Any]) -> None:
    for name in NODES:
        for layer in machine_layers(SITE, machine(SITE, name), TRAITS[name]):
            for document, task in zip(
                layer.documents, hosts[name]["documents"][layer.name], strict=True
            ):
                assert (task["dest"], task["mode"]) == (document.path, f"{document.mode:04o}")
                assert Path(task["src"]).read_text() == document.text


def test_a_machine_is_reached_as_pyinfra_reaches_it(hosts: dict[str, Any]) -> None:
    assert hosts["w1"]["ansible_host"] == "10.9.0.21"
    assert hosts["w1"]["ansible_user"] == "vagrant"
    assert hosts["w1"]["ansible_ssh_private_key_file"] == machine(SITE, "w1").ssh_key


def test_as_many_forks_as_machines_and_pipelining(tmp_path: Path) -> None:
    playbook.write(SITE, tmp_path, TRAITS)
    settings = (tmp_path / "ansible.cfg").read_text()
    assert "forks = 4\n" in settings
    assert "pipelining = True\n" in settings


def test_one_play_without_facts_in_the_layers_order(tmp_path: Path) -> None:
    playbook.write(SITE, tmp_path, TRAITS)
    (play,) = yaml.safe_load((tmp_path / "playbook.yml").read_text())
    assert play["gather_facts"] is False
    names = [task["name"] for task in play["tasks"]]
    assert names[0] == "packages"
    assert names.index("host: files") < names.index("runtime: files")
    assert {"name": "haproxy", "ansible.builtin.shell": "{{ activate['haproxy'] }}"} in play[
        "handlers"
    ]


def test_a_script_that_jinja_would_read_is_refused() -> None:
    with pytest.raises(ValueError, match="Ansible would take"):
        playbook._plain("echo ${#name} {{ x }}")


def test_changes_are_read_from_the_recap() -> None:
    assert ansible.changes(RECAP) == {"w1": 2}


def test_output_without_a_recap_is_refused() -> None:
    with pytest.raises(BenchError, match="no recap"):
        ansible.changes("ERROR! the playbook could not be found")
