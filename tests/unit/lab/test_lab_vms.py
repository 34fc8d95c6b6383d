"""What a lab of VMs is made of, without making any."""

import json
import re
import socket
import stat
import threading
from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree

import pytest

from homelab.lab import debian, lifecycle, plan, provider
from homelab.lab.access import Settings
from homelab.lab.containers import Containers
from homelab.lab.errors import LabError
from homelab.lab.paths import REPO, Paths
from homelab.lab.vms import accel, box, libvirt, machines, qmp, switch
from homelab.lab.vms import lifecycle as vms
from homelab.lab.vms.faults import Vms
from homelab.site import Site, Timings, load_site
from homelab.site.declared import fields

SMALL = plan.machines(1, 1)


@pytest.fixture(autouse=True)
def lab(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Vms:
    """A lab of VMs that is down, in folders of this test's own."""
    monkeypatch.setattr("homelab.lab.paths.REPO", tmp_path)
    monkeypatch.setenv("HOMELAB_STATE_DIR", str(tmp_path / "state"))
    settings = Settings("homelab-1", SMALL, "/cache/bundle", provider="libvirt", accel="tcg")
    found = Vms("blue")
    machines.describe(found, settings, box.Box(Path("/cache/box-1")))
    return Vms("blue")


def test_every_number_of_a_machine_is_its_own() -> None:
    known = plan.machines(plan.MOST, plan.MOST)
    macs = [mac for m in known for mac in (m.management_mac, *m.leg_macs)]
    assert len({*macs}) == len(known) * (1 + plan.LEGS)
    assert known[0].leg_macs[0] == "52:54:00:77:0b:01"
    addresses = {address for m in known for address in (m.address, m.leased)}
    assert len(addresses | {str(plan.VIP), str(plan.GATEWAY)}) == 2 * len(known) + 2
    assert {m.management for m in plan.machines(1, 1)} == {"10.78.0.11", "10.78.0.21"}
    assert max(len(tap) for m in known for tap in m.taps) <= 15  # IFNAMSIZ - 1


def test_a_lab_is_opened_as_what_it_is(lab: Vms) -> None:
    assert isinstance(provider.opened("blue"), Vms)
    assert isinstance(provider.opened("red"), Containers)


def test_vagrant_gets_all_that_a_vm_is(lab: Vms) -> None:
    data = json.loads(lab.paths.machines_file.read_text())
    assert data["provider"] == "libvirt"
    assert (data["libvirt"]["driver"], data["libvirt"]["cpu_mode"]) == ("qemu", "maximum")
    used = set(re.findall(r'\bvms\["(\w+)"\]', (REPO / "Vagrantfile").read_text()))
    assert used == set(data["libvirt"])
    one = data["libvirt"]["machines"]["w1"]
    assert set(re.findall(r'\bvm\["(\w+)"\]', (REPO / "Vagrantfile").read_text())) <= set(one)
    assert one["address"] == "10.78.0.21"
    assert "systemd.hostname=w1" in one["cmd_line"]
    assert "tsc=reliable" in one["cmd_line"]
    assert "tsc=" not in machines.command_line("kvm", SMALL[0])  # it has a clock of KVM's


def test_each_leg_has_a_speed_and_a_tap_of_its_own(lab: Vms) -> None:
    words = machines.qemu_args(lab, SMALL[0])
    devices = [word for word in words if word.startswith("virtio-net-pci")]
    assert len(devices) == plan.LEGS
    assert all("speed=1000,duplex=full,csum=off" in word for word in devices)
    taps = re.findall(r"ifname=([^,]+)", " ".join(words))
    assert tuple(taps) == SMALL[0].taps
    assert words[:2] == ["-qmp", f"unix:{lab.libvirt.monitor('cp1')},server=on,wait=off"]


def test_ssh_of_the_lab_goes_where_no_fault_cuts(lab: Vms) -> None:
    assert lab.ssh_argv("cp1", "true")[-2:] == ["vagrant@10.78.0.11", "true"]
    enter = ["nsenter", "--net=/run/netns/homelab-blue", "--"]
    assert lab.ssh_argv("cp1", "true")[:3] == enter


def test_programs_run_by_hand_find_the_labs_own_daemons(lab: Vms, tmp_path: Path) -> None:
    found = lab.environment()
    state = tmp_path / "state/blue"
    socket_ = state / "libvirt/run/libvirt/libvirt-sock"
    assert found["LIBVIRT_DEFAULT_URI"] == f"qemu+unix:///system?socket={socket_}"
    assert found["OVS_RUNDIR"] == str(state / "switch")
    assert found["VAGRANT_DEFAULT_PROVIDER"] == "libvirt"


def test_libvirt_writes_in_the_labs_folder_only(tmp_path: Path) -> None:
    own = libvirt.Libvirt(Paths("blue"))
    *enter, script = own.argv(kvm=False)
    assert enter == ["ip", "netns", "exec", "homelab-blue", "sh", "-euc"]
    for seen in ("/run", "/etc/libvirt", "/var/lib/libvirt", "/var/cache/libvirt"):
        assert re.search(rf"{tmp_path}/state/blue/libvirt/\w+:{seen}[ ;]", script)
    assert "[ no = yes ]" in script
    assert "[ yes = yes ]" in own.argv(kvm=True)[-1]


def test_the_management_network_knows_every_machine() -> None:
    tree = ElementTree.fromstring(libvirt.network(plan.machines(plan.MOST, plan.MOST)))
    hosts = {host.get("mac"): host.get("ip") for host in tree.iter("host")}
    assert hosts["52:54:00:77:15:00"] == "10.78.0.21"
    assert len(hosts) == 2 * plan.MOST
    assert tree.find("forward") is None  # it leads nowhere
    assert "52:54:00:77:15:00" in box.management()


def test_a_state_needs_no_libvirt(lab: Vms, monkeypatch: pytest.MonkeyPatch) -> None:
    assert lab.state("cp1") == "missing"
    file = lab.libvirt.defined("cp1")
    file.parent.mkdir(parents=True)
    file.touch()
    assert lab.state("cp1") == "off"
    with pytest.raises(LabError, match="cp1 is off; switch it on"):
        lab.freeze("cp1")
    monkeypatch.setattr(libvirt.Libvirt, "pid", lambda self, machine: 1)
    monkeypatch.setattr(switch.Switch, "links_up", lambda self: {"cp1-leg3", "w1-leg1"})
    for status, up, wanted in (("paused", "cp1", "frozen"), ("running", "cp1", "up")):
        monkeypatch.setattr(qmp, "ask", lambda path, command, said=status: {"status": said})
        assert lab.state(up) == wanted
    monkeypatch.setattr(switch.Switch, "links_up", lambda self: {"w1-leg1"})
    assert lab.state("cp1") == "cut"


def test_a_fault_that_a_machine_can_not_have_says_which_can(lab: Vms) -> None:
    with pytest.raises(LabError, match="a VM can have; make a lab by `--provider docker`"):
        lab.fill_disk("cp1")
    with pytest.raises(LabError, match="container can have; make a lab by `--provider libvirt`"):
        Containers("red").cut_leg("cp1", 1)
    with pytest.raises(LabError, match="cp1 has no leg 4; they are 1 to 3"):
        lab.silence_leg("cp1", 4)
    with pytest.raises(LabError, match="give 0 to 100"):
        lab.loss("cp1", 101)


@pytest.fixture
def qemu(tmp_path: Path) -> Iterator[list[dict[str, object]]]:
    """A socket that speaks QMP, and what it was asked."""
    asked: list[dict[str, object]] = []
    server = socket.socket(socket.AF_UNIX)
    server.bind(str(tmp_path / "qmp"))
    server.listen()

    def serve() -> None:
        connection, _ = server.accept()
        with connection, connection.makefile("rw") as file:
            file.write('{"QMP": {"version": {}, "capabilities": []}}\n')
            file.flush()
            for line in file:
                asked.append(json.loads(line))
                file.write('{"event": "NIC_RX_FILTER_CHANGED"}\n')
                wrong = asked[-1]["execute"] == "nonsense"
                file.write(
                    '{"error": {"desc": "no such"}}\n' if wrong else '{"return": {"a": 1}}\n'
                )
                file.flush()

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    yield asked
    thread.join(5)
    server.close()


def test_qemu_is_asked_past_its_events(qemu: list[dict[str, object]], tmp_path: Path) -> None:
    assert qmp.ask(tmp_path / "qmp", "set_link", name="leg1", up=False) == {"a": 1}
    assert qemu[1] == {"execute": "set_link", "arguments": {"name": "leg1", "up": False}}


def test_what_qemu_refuses_is_told(qemu: list[dict[str, object]], tmp_path: Path) -> None:
    with pytest.raises(LabError, match="QEMU refuses nonsense: no such"):
        qmp.ask(tmp_path / "qmp", "nonsense")
    with pytest.raises(LabError, match="is the machine on"):
        qmp.ask(tmp_path / "nothing", "stop")


def fake_qemu(folder: Path, script: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Put a QEMU in the way that does what `script` says."""
    program = folder / accel.QEMU
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("PATH", f"{folder}:/usr/bin:/bin")
    monkeypatch.setattr(accel, "DEVICE", folder)


def test_kvm_is_believed_only_when_a_guest_ran(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(accel, "DEVICE", tmp_path / "kvm")
    assert accel.why_no_kvm() == f"there is no {tmp_path / 'kvm'}"
    fake_qemu(tmp_path, "exit 85", monkeypatch)
    assert accel.why_no_kvm() == ""
    fake_qemu(tmp_path, "echo 'error: failed to set MSR 0x345' >&2; kill -ABRT $$", monkeypatch)
    assert accel.why_no_kvm() == "a guest ended with -6: error: failed to set MSR 0x345"
    fake_qemu(tmp_path, "exec sleep 9", monkeypatch)
    assert accel.boot("kvm", patience=0.1) == "a guest hung for 0.1 s"


def test_the_tiny_guest_is_a_boot_sector() -> None:
    assert len(accel.SECTOR) == 512
    assert accel.SECTOR[-2:] == b"\x55\xaa"
    assert accel.EXIT == 85


def test_unasked_kvm_and_its_room_decide(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(debian, "architecture", lambda: "amd64")
    monkeypatch.setattr(provider, "available_mib", lambda: 5 * 2560)
    monkeypatch.setattr(accel, "why_no_kvm", lambda: "there is no /dev/kvm")
    assert lifecycle.choose(None, None, 5) == "docker"
    assert "VMs would be emulated (there is no /dev/kvm)" in capsys.readouterr().err
    assert lifecycle.choose(None, "libvirt", 5) == "libvirt"
    monkeypatch.setattr(accel, "why_no_kvm", lambda: "")
    assert lifecycle.choose(None, None, 5) == "libvirt"
    assert "--provider docker makes node containers" in capsys.readouterr().err
    assert lifecycle.choose(None, None, 6) == "docker"
    assert "VMs need 15360 MiB, 12800 MiB are free" in capsys.readouterr().err


def test_a_lab_keeps_its_provider(lab: Vms) -> None:
    assert lab.settings is not None
    assert lifecycle.choose(lab.settings, None, 1) == "libvirt"
    with pytest.raises(LabError, match="made by the provider 'libvirt'; run `lab down` first"):
        lifecycle.choose(lab.settings, "docker", 1)


def test_a_box_that_disks_lie_upon_is_not_thrown_away(lab: Vms) -> None:
    for number in (1, 2, 2):
        vms.keep(lab.paths, box.Box(Path(f"/cache/box-{number}")))
    assert vms.boxes_in_use() == {"box-1", "box-2"}


@pytest.fixture
def site(monkeypatch: pytest.MonkeyPatch) -> Site:
    """The lab's site, of emulated VMs."""
    monkeypatch.setenv("HOMELAB_PROVIDER", "libvirt")
    monkeypatch.setenv("HOMELAB_SLOW", "1")
    return load_site(REPO / "inventories/lab.py")


def test_the_site_of_vms_is_theirs_to_set_up(site: Site) -> None:
    assert {machine.network for machine in site.machines} == {"networkd"}
    first = site.machines[0]
    assert first.first_address == "10.77.0.111"
    assert [nic.mac for nic in first.nics] == [f"52:54:00:77:0b:0{leg}" for leg in (1, 2, 3)]
    assert site.network.admin_cidrs == ("10.78.0.0/24",)  # or the firewall would shut Vagrant out


def test_emulated_machines_have_the_documented_timings(site: Site) -> None:
    text = (REPO / "docs/design.md").read_text()
    rows = re.findall(r"^\| `timings\.(\w+)` \| \d+ \| (\d+) \|", text, re.MULTILINE)
    for name, value in rows:
        assert getattr(site.timings, name) == int(value), name
    assert {name for name, _ in rows} <= {*fields(Timings)}
