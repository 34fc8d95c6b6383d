"""How the lab starts its daemon and its machines, without starting any."""

import json
from pathlib import Path

import pytest

from homelab.lab import capabilities, machines, netns, plan
from homelab.lab.access import Settings
from homelab.lab.daemon import Daemon, mounts_below
from homelab.lab.docker import Docker
from homelab.lab.errors import LabError
from homelab.lab.faults import loss_rules, loss_tables
from homelab.lab.paths import Paths


@pytest.fixture
def paths(monkeypatch: pytest.MonkeyPatch) -> Paths:
    """The paths of a lab that does not exist."""
    monkeypatch.setenv("HOMELAB_STATE_DIR", "/srv/labs")
    return Paths("blue")


@pytest.mark.parametrize("name", ["", "../x", "Lab", "1st", "a" * 16, "a/b", "a b", "lab\n"])
def test_names_that_could_leave_their_folder_are_refused(name: str) -> None:
    with pytest.raises(LabError, match="can't be a lab's name"):
        Paths(name)


def test_addresses() -> None:
    found = {machine.name: machine.address for machine in plan.machines(3, 2)}
    assert found == {
        **{"cp1": "10.77.0.11", "cp2": "10.77.0.12", "cp3": "10.77.0.13"},
        **{"w1": "10.77.0.21", "w2": "10.77.0.22"},
    }
    taken = {machine.address for machine in plan.machines(plan.MOST, plan.MOST)}
    assert len(taken) == 2 * plan.MOST
    assert not taken & {str(plan.VIP), str(plan.GATEWAY)}


@pytest.mark.parametrize(("planes", "workers"), [(0, 1), (10, 0), (3, -1), (3, 10)])
def test_sizes_that_do_not_fit(planes: int, workers: int) -> None:
    with pytest.raises(LabError, match="fit into"):
        plan.machines(planes, workers)


def test_daemon_is_all_the_labs_own(paths: Paths) -> None:
    argv = Daemon(paths).argv()
    assert argv[:4] == ["nsenter", "--net=/run/netns/homelab-blue", "--", "dockerd"]
    for option in ("data-root", "exec-root", "pidfile", "config-file"):
        (word,) = (word for word in argv if word.startswith(f"--{option}="))
        assert word.partition("=")[2].startswith("/srv/labs/blue/")
    assert "--cgroup-parent=/homelab-lab-blue" in argv
    assert "--iptables=false" in argv


def test_the_machines_own_daemon_needs_no_namespace(paths: Paths) -> None:
    assert Daemon(paths, machines_own=True).enter("true") == ["true"]
    assert netns.inside("n", ["true"]) == ["nsenter", "--net=/run/netns/n", "--", "true"]


def test_mounts_are_found_by_folder_innermost_first() -> None:
    line = "36 35 98:0 / {} rw - ext4 /dev/x rw"
    points = ("/", "/srv/labs/blue", "/srv/labs/blue/disks/cp1", "/srv/labs/blue2", "/srv/labs")
    text = "\n".join(line.format(point) for point in points)
    found = mounts_below(Path("/srv/labs/blue"), text)
    assert found == ["/srv/labs/blue/disks/cp1", "/srv/labs/blue"]


def test_no_capability_that_reaches_the_host() -> None:
    everything = (1 << 41) - 1
    granted = capabilities.granted(everything)
    assert not {"SYS_MODULE", "SYS_TIME", "SYS_BOOT"} & set(granted)
    assert {"SYS_ADMIN", "NET_ADMIN", "SYS_RESOURCE", "AUDIT_READ"} <= set(granted)
    assert len(capabilities.NAMES) == 38


def test_only_capabilities_that_the_machine_has() -> None:
    status = "Name:\tx\nCapBnd:\t000001fffeffffff\nCapAmb:\t0\n"
    assert "SYS_RESOURCE" not in capabilities.granted(capabilities.bounding(status))
    assert capabilities.granted(0b11) == ["CHOWN", "DAC_OVERRIDE"]


def test_settings_survive_the_way_through_the_file(paths: Paths, tmp_path: Path) -> None:
    settings = Settings("homelab-node:1", plan.machines(1, 1), "/cache/bundle-1", True)
    file = tmp_path / ".lab" / "blue" / "machines.json"
    settings.write(file, {"create_args": machines.create_args(paths, ["KILL"])})
    assert Settings.read(file) == settings
    assert Settings.read(tmp_path / "none.json") is None
    assert (tmp_path / ".lab" / ".gitignore").read_text() == "*\n"
    data = json.loads(file.read_text())
    assert data["machines"][0] == {
        **{"name": "cp1", "address": "10.77.0.11"},
        "roles": ["control-plane", "balancer"],
    }
    assert "--cap-add=KILL" in data["create_args"]
    assert "--network=homelab-blue" in data["create_args"]


def test_each_machine_has_disks_of_its_own(paths: Paths) -> None:
    found = [
        volume for machine in plan.machines(3, 2) for volume in machines.volumes(paths, machine)
    ]
    assert len(set(found)) == 10
    assert "blue-cp1-var:/var" in found
    assert "/srv/labs/blue/disks/cp1:/var/lib/etcd" in found


def test_loss_is_in_both_directions_and_can_be_ended() -> None:
    rules = loss_rules("veth1", 12.5)
    assert rules.count("numgen random mod 10000 < 1250 drop") == 2
    assert "hook ingress device veth1" in rules
    assert "hook egress device veth1" in rules
    assert "delete table netdev homelab-loss-veth1" in rules
    assert "drop" not in loss_rules("veth1", 0)


def test_the_tables_of_a_loss_are_found_by_their_name() -> None:
    ours = loss_rules("vethab12", 10).splitlines()[0]
    listed = f"table netdev loss-somebody-elses\n{ours}\ntable netdev homelab\n"
    assert loss_tables(listed) == ["homelab-loss-vethab12"]


def test_a_second_lab_in_the_same_daemon_is_refused(
    paths: Paths, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []

    def ask(
        self: Docker, method: str, path: str, query: object = None, body: object = None,
        fine: tuple[int, ...] = (),
    ) -> object:  # fmt: skip
        asked.append(f"{method} {path}")
        if path == "/networks":
            return [{"Name": "homelab-red", "Labels": {machines.LABEL: "red"}}]
        return {"message": "no such network"}

    monkeypatch.setattr(Docker, "ask", ask)
    with pytest.raises(LabError, match="the lab 'red' has these addresses"):
        machines.make_network(Daemon(paths, machines_own=True))
    assert "POST /networks/create" not in asked
