"""Every condition fails by itself, names its machine, and all are told together."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import pytest

from homelab.preflight import conditions, together
from homelab.preflight.conditions import CONDITIONS, problems
from homelab.preflight.survey import Survey, parse
from homelab.site.model import Site
from tests.unit.documents.document_sites import lab, rack
from tests.unit.preflight.surveys import NOW, capture, sound

GIB = 1024 * 1024
BARN = {"site": "barn", "phase": "member"}
MEMBER = {"site": "rack", "phase": "member"}


@dataclass(frozen=True)
class Case:
    """``change`` of one machine's survey fails ``condition``, and nothing else."""

    by: Callable[..., object]
    condition: str
    says: str
    change: dict[str, Any]
    machine: str = "x2"
    site: Callable[[], Site] = rack
    fatal: bool = True

    def surveys(self) -> dict[str, Survey]:
        found = sound(self.site())
        return found | {self.machine: replace(found[self.machine], **self.change)}


def older(version: str) -> Callable[[], Site]:
    return lambda: rack(kubernetes=rack().kubernetes.replace(version=version))


def changed(field: str, value: object) -> Callable[[], Site]:
    """The rack with another value, e.g. of ``kubernetes.cni``."""
    part, _, name = field.partition(".")
    return lambda: rack(**{part: getattr(rack(), part).replace(**{name: value})})


def made(name: str, value: str) -> dict[str, Any]:
    """A member that was made with that value."""
    return {"claim": MEMBER, "encrypts": "5ec2e7", "made_with": {name: value}}


def on_slow_disks() -> Site:
    return rack(disk_strict=False)


CASES = [
    Case(conditions.privileges, "root", "'admin'", {"user": "admin", "uid": 1000}),
    Case(conditions.debian, "operating system", "debian 11", {"os_version": "11"}),
    Case(conditions.debian, "operating system", "ubuntu 24.04",
         {"os": "ubuntu", "os_version": "24.04"}),
    Case(conditions.debian, "architecture", "aarch64", {"arch": "aarch64"}),
    Case(conditions.debian, "kernel", "4.19.0-27-amd64", {"kernel": "4.19.0-27-amd64"}),
    Case(conditions.cgroups, "cgroup v2", "tmpfs", {"cgroup": "tmpfs"}),
    Case(conditions.cgroups, "cgroup v2", "tmpfs", {"cgroup": "tmpfs"},
         site=older("1.34.1"), fatal=False),
    Case(conditions.size, "cores", "1.", {"cores": 1}),
    Case(conditions.size, "memory", "1024 MiB", {"memory": GIB}),
    Case(conditions.disk_space, "free disk for /var/lib/containerd", "1024 MiB",
         {"free": {"/var/lib/containerd": GIB, "/var/lib/etcd": GIB}}),
    Case(conditions.disk_space, "free disk for /var/lib/etcd", "128 MiB",
         {"free": {"/var/lib/containerd": 10 * GIB, "/var/lib/etcd": GIB // 8}}),
    Case(conditions.disk_speed, "disk under etcd", "25.3 ms", {"disk_p99_ms": 25.31}),
    Case(conditions.disk_speed, "disk under etcd", "25.3 ms", {"disk_p99_ms": 25.31},
         site=on_slow_disks, fatal=False),
    Case(conditions.swap, "swap", "/dev/sda2", {"swap": ["/dev/sda2"]}, "cp2", lab, fatal=False),
    Case(together.clock, "clock", "-60.7 s", {"began": NOW - 61, "time": NOW - 60.8}),
    Case(conditions.own_address, "address", "192.168.0.12 is on none",
         {"addresses": {"192.168.0.99": "eth0"}}, "cp2", lab),
    Case(conditions.nics, "NIC", "02-00-00-00-02-0A",
         {"macs": {"02:00:00:00:02:0b": "enp4s0", "00:00:00:00:00:00": "lo"}}),
    Case(conditions.listeners, "port 10250 for kubelet", "nginx", {"listens": {10250: "nginx"}}),
    Case(conditions.listeners, "port 2379 for etcd", "another process", {"listens": {2379: ""}}),
    Case(conditions.listeners, "port 6443 for haproxy", "nginx",
         {"listens": {6443: "nginx"}}, "b2"),
    Case(conditions.listeners, "port 443 for haproxy", "apache2",
         {"listens": {443: "apache2"}}, "b1"),
    Case(conditions.listeners, "port 2379 for etcd", "etcd, which no deploy of this site started",
         {"listens": {2379: "etcd"}}),
    Case(conditions.listeners, "port 10256 for kube-proxy", "node_exporter",
         {"listens": {10256: "node_exporter"}}),
    Case(conditions.listeners, "port 8404 for haproxy", "haproxy, which no deploy",
         {"listens": {8404: "haproxy"}}, "b2"),
    Case(conditions.listeners, "port 2381 for etcd", "another process",
         {"listens": {2381: ""}, "claim": MEMBER, "encrypts": "5ec2e7"}),
    Case(conditions.disk_space, "free disk for /var/lib/containers", "1024 MiB",
         {"free": {"/var/lib/containers": GIB, "/var/lib/containerd": 1, "/var/lib/etcd": GIB}},
         site=changed("kubernetes.runtime", "cri-o")),
    Case(conditions.shared_kernel, "kernel of the container", "it has no overlay file system",
         {"filesystems": ["ext4"]}, "cp2", lab, fatal=False),
    Case(conditions.shared_kernel, "kernel of the container", "nf-call-iptables is not there",
         {"sysctls": {"net.bridge.bridge-nf-call-iptables": ""}}, "cp2", lab, fatal=False),
    Case(conditions.shared_kernel, "kernel of the container", "max_user_instances is 128",
         {"sysctls": {"fs.inotify.max_user_instances": "128"}}, "w1", lab, fatal=False),
    Case(together.cluster, "another cluster",
         "it serves the site 'barn'; its CA is SHA-256 AA:BB", {"claim": BARN, "ca": "AA:BB"}),
    Case(together.cluster, "another cluster", "/var/lib/etcd/member",
         {"remains": ["/var/lib/etcd/member"]}),
    Case(together.runtime, "runtime", "cri-o runs pods here",
         {"claim": MEMBER, "encrypts": "5ec2e7", "crio_pods": 4}),
    Case(together.settled, "settled setting", "kubernetesVersion is v1.19.0",
         made("kubernetesVersion", "v1.19.0")),
    Case(together.settled, "settled setting", "controlPlaneEndpoint is api.home:6443, the site says"
         " api.house:6443", made("controlPlaneEndpoint", "api.home:6443"),
         site=changed("api.name", "api.house")),
    Case(together.settled, "settled setting", "dnsDomain is cluster.local, the site says home",
         made("dnsDomain", "cluster.local"), site=changed("kubernetes.dns_domain", "home")),
    Case(together.settled, "settled setting", "api.vip is 192.168.0.99",
         made("api.vip", "192.168.0.99")),
    Case(together.settled, "settled setting", "kubernetes.cni is bridge, the site says cilium",
         made("kubernetes.cni", "bridge")),
    Case(together.settled, "settled setting", "kubernetes.kube_proxy is True, the site says False",
         made("kubernetes.kube_proxy", "True")),
    Case(together.settled, "settled setting", "kubernetes.coredns is True, the site says False",
         made("kubernetes.coredns", "True"), site=changed("kubernetes.coredns", False)),
    Case(together.settled, "settled setting", "encrypt_secrets is True, the site says False",
         made("dnsDomain", "cluster.local"), site=changed("kubernetes.encrypt_secrets", False)),
    Case(together.settled, "settled setting", "encrypt_secrets is False, the site says True",
         {"claim": MEMBER}),
    Case(together.virtual_ip, "VIP", "192.168.0.100",
         {"addresses": {"192.168.0.12": "bond0", "192.168.0.100": "bond0"}}),
    Case(together.virtual_ip, "VIP", "held by 00:11:32:aa:bb:cc, no machine of this site",
         {"vip_held_by": "00:11:32:aa:bb:cc"}),
]  # fmt: skip


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.condition}-{case.says}")
def test_one_condition_fails_by_itself(case: Case) -> None:
    (problem,) = problems(case.site(), case.surveys())
    assert problem.condition == case.condition
    assert problem.machine == case.machine
    assert problem.fatal == case.fatal
    told = str(problem)
    assert told.startswith(f"{case.machine}: {case.condition}: ")
    assert case.says in told
    assert problem.mend.endswith(".")
    assert "\n" not in told


@pytest.mark.parametrize("site", [rack(), lab()], ids=["rack", "lab"])
def test_sound_machines_have_no_problem(site: Site) -> None:
    assert problems(site, sound(site)) == []


def test_every_condition_has_a_case() -> None:
    tested = {case.by for case in CASES} | {
        together.identity,
        together.encryption,
    }  # test_preflight_together.py
    assert set(CONDITIONS) == tested


def test_all_problems_of_all_machines_are_told_together() -> None:
    """In the order in which the machines are declared."""
    site, surveys = rack(), sound(rack())
    cases = [case for case in CASES if case.site is rack and case.machine == "x2"]
    for machine, part in (("x1", cases[:3]), ("x2", cases[3:9]), ("x3", cases[9:])):
        for case in part:
            surveys[machine] = replace(surveys[machine], **case.change)
    found = problems(site, surveys)
    machines = [problem.machine for problem in found]
    assert machines == sorted(machines)
    told = {problem.condition for problem in found}
    assert told >= {
        "root", "operating system", "architecture", "kernel", "cgroup v2", "cores",
        "free disk for /var/lib/containerd", "disk under etcd", "clock", "VIP",
    }  # fmt: skip


def test_our_own_cluster_holds_its_ports_and_its_disk() -> None:
    """The lab as it was captured, but for its cgroups (v1) it is without reproach."""
    site = lab(
        machines=tuple(
            m.replace(address=f"10.77.0.{m.address.rsplit('.', 1)[1]}") for m in lab().machines
        )
    )
    surveys = {
        "cp1": replace(parse(capture("control-plane")), encrypts="5ec2e7"),
        "w1": parse(capture("worker")),
    }
    found = problems(site, surveys)
    assert {p.condition for p in found} == {"cgroup v2"}
    assert not any(p.fatal for p in found)


def test_a_member_needs_no_room_for_the_images_that_it_has() -> None:
    site, surveys = rack(), sound(rack())
    little = {"/var/lib/containerd": GIB, "/var/lib/etcd": GIB // 10}
    surveys["x1"] = replace(surveys["x1"], claim=MEMBER, encrypts="5ec2e7", free=little)
    assert problems(site, surveys) == []


def test_our_own_machine_may_hold_the_vip() -> None:
    site, surveys = rack(), sound(rack())
    mac = next(iter(surveys["b1"].macs))
    surveys["x1"] = replace(surveys["x1"], vip_held_by=mac)
    assert problems(site, surveys) == []


def test_a_holder_may_be_one_of_ours_that_was_not_asked() -> None:
    site = rack()
    held = replace(sound(site)["x1"], vip_held_by="00:11:32:aa:bb:cc")
    assert problems(site, {"x1": held}) == []


def test_a_machine_that_was_not_surveyed_is_left_out() -> None:
    site = rack()
    assert problems(site, {"x1": sound(site)["x1"]}) == []
