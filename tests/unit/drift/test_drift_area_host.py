"""A machine's own life: what is found, what another rule has, what a container has no part in."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from facts import kernel as kernel_facts
from facts import time_sync
from facts.kernel import Kernel
from facts.kubelet import KubeletState
from facts.layer import LayerState
from facts.mounts import Mount
from facts.sysctl_files import Setting
from homelab.documents.document import Layer
from homelab.documents.host import sysctls
from homelab.drift.areas import host
from homelab.drift.catalogue import RULES
from homelab.drift.finding import Finding
from homelab.drift.view import View
from tests.unit.documents.document_sites import BARE, rack
from tests.unit.drift.drift_views import member, view
from tests.unit.facts.fact_captures import capture

WHOLE = kernel_facts.parse(capture("kernel-machine"))
SYNCED = replace(time_sync.parse(capture("time-sync-timesyncd")), synchronized=True)
OURS, MINE = "/etc/sysctl.d/90-homelab.conf", "/etc/sysctl.d/99-mine.conf"
FORWARD = "net.ipv4.ip_forward"


def seen(kernel: Kernel | None = WHOLE, container: bool = False, **survey: Any) -> View:
    """The rack, of which x1 is as the test has it, and the others are well."""
    site = rack()
    values = {"virt": "docker" if container else "none", "hostname": "x1", **survey}
    facts: dict[str, dict[str, Any]] = {m.name: {"kernel": WHOLE} for m in site.machines}
    facts["x1"] = {"kernel": kernel, "clock": SYNCED, "survey": member(site, **values)}
    return view(facts, site)


def found(of: View, **facts: Any) -> list[Finding]:
    told = of.of("x1")
    return list(host.findings(of, replace(told, facts=replace(told.facts, **facts))))


def one(of: View, **facts: Any) -> tuple[str, str, str]:
    (finding,) = found(of, **facts)
    assert finding.rule in RULES
    assert finding.machine == "x1"
    return finding.rule, finding.subject, finding.kind


def with_sysctl(name: str, value: str | None) -> Kernel:
    values = {**(WHOLE.sysctls or {}), name: value}
    return replace(WHOLE, sysctls={key: item for key, item in values.items() if item is not None})


def with_settings(*settings: tuple[str, str, str], kernel: Kernel = WHOLE) -> Kernel:
    """After ours, in this order."""
    return replace(kernel, settings=(*(WHOLE.settings or ()), *(Setting(*s) for s in settings)))


def with_mount(**changes: Any) -> Kernel:
    mount = Mount("/", "/dev/sda1", "ext4", False, 100 << 30, 60 << 30, 1000, 900,
                  ("/", "/var", "/var/lib/etcd"))  # fmt: skip
    return replace(WHOLE, mounts=(replace(mount, **changes),))


def test_a_machine_that_is_well_gives_nothing() -> None:
    of = seen()
    assert [f for told in of.told for f in host.findings(of, told)] == []
    assert set(sysctls(of.site, of.site.machines[0], BARE)) <= set(WHOLE.sysctls or {})


def test_nothing_read_gives_nothing() -> None:
    assert found(seen(None), survey=None, clock=None) == []
    assert found(seen(Kernel(unread={"now": "it broke"}))) == []


BAD: list[tuple[str, View, tuple[str, str, str]]] = [
    ("name", seen(hostname="other"), ("host.hostname", "hostname", "drift")),
    ("sysctl", seen(with_sysctl(FORWARD, "0")), ("host.sysctl", FORWARD, "drift")),
    ("sysctl gone", seen(with_sysctl("kernel.panic", None)),
     ("host.sysctl", "kernel.panic", "drift")),
    ("module", seen(replace(WHOLE, modules=("overlay", "br_netfilter"))),
     ("host.module", "nf_conntrack", "drift")),
    ("swap", seen(replace(WHOLE, swaps=("/dev/zram0",))), ("host.swap", "/dev/zram0", "drift")),
    ("zone", seen(replace(WHOLE, time_zone="Asia/Seoul")),
     ("host.time-zone", "time zone", "drift")),
    ("unit", seen(replace(WHOLE, failed_units=("a.service",))),
     ("host.failed-unit", "a.service", "drift")),
    ("full", seen(with_mount(free=4 << 30)), ("host.disk-full", "/", "drift")),
    ("filling", seen(with_mount(free=14 << 30)), ("host.disk-filling", "/", "drift")),
    ("no room for etcd", seen(with_mount(size=4 << 30, free=1 << 30)),
     ("host.disk-filling", "/", "drift")),
    ("/boot", seen(with_mount(point="/boot", free=0, holds=("/boot",))),
     ("host.disk-filling", "/boot", "drift")),
    ("inodes", seen(with_mount(inodes_free=99)), ("host.inodes", "/", "drift")),
    ("read-only", seen(with_mount(read_only=True)), ("host.mount-read-only", "/", "drift")),
    ("joining", seen(claim={"site": "rack", "phase": "joining"}),
     ("host.member", "x1", "not-yet-applied")),
    ("new", seen(claim={}), ("host.member", "x1", "not-yet-applied")),
    ("another's", seen(claim={"site": "other", "phase": "member"}), ("host.member", "x1", "drift")),
    ("another's remains", seen(claim={}, remains=["/etc/rancher/k3s"]),
     ("host.member", "x1", "drift")),
    ("ahead", seen(asked=10.0, began=14.0, time=15.0, answered=11.0),
     ("host.clock-off", "clock", "drift")),
    ("behind", seen(asked=20.0, began=14.0, time=15.0, answered=21.0),
     ("host.clock-off", "clock", "drift")),
    ("override", seen(with_settings((MINE, FORWARD, "0"))),
     ("host.sysctl-override", f"{MINE} {FORWARD}", "undeclared")),
    ("override in force",
     seen(with_settings((MINE, FORWARD, "0"), kernel=with_sysctl(FORWARD, "0"))),
     ("host.sysctl-override", f"{MINE} {FORWARD}", "undeclared")),
    ("by /etc/sysctl.conf", seen(with_settings(("/etc/sysctl.conf", FORWARD, "0"))),
     ("host.sysctl-override", f"/etc/sysctl.conf {FORWARD}", "undeclared")),
]  # fmt: skip


@pytest.mark.parametrize(("of", "expected"), [c[1:] for c in BAD], ids=[c[0] for c in BAD])
def test_each_fault_is_one_finding(of: View, expected: tuple[str, str, str]) -> None:
    assert one(of) == expected


GOOD: list[tuple[str, View]] = [
    ("a name that was not said", seen(hostname="")),
    ("UTC by another name", seen(replace(WHOLE, time_zone="Zulu"))),
    ("a slow answer", seen(asked=0.0, began=9.0, time=9.5, answered=20.0)),
    ("a file before ours", seen(with_settings(("/usr/lib/sysctl.d/50-a.conf", FORWARD, "0")))),
    ("the same value", seen(with_settings((MINE, FORWARD, "1")))),
    ("taken back by a later file",
     seen(with_settings((MINE, FORWARD, "0"), ("/etc/sysctl.conf", FORWARD, "1")))),
    ("a wildcard never wins", seen(with_settings((MINE, "net.ipv4.conf.*.rp_filter", "1")))),
    ("no setting of ours", seen(with_settings((MINE, "vm.swappiness", "1")))),
    ("our file was changed, which the layers tell",
     seen(with_settings((OURS, FORWARD, "0"), kernel=with_sysctl(FORWARD, "0")))),
    ("our file is gone, which the layers tell",
     seen(replace(with_sysctl(FORWARD, "0"), settings=()))),
    ("a file system that counts nothing",
     seen(with_mount(size=0, free=0, inodes=0, inodes_free=0))),
    ("etcd elsewhere", seen(with_mount(size=4 << 30, free=1 << 30, holds=("/", "/var")))),
]  # fmt: skip


@pytest.mark.parametrize("of", [c[1] for c in GOOD], ids=[c[0] for c in GOOD])
def test_what_is_no_fault_or_anothers_gives_nothing(of: View) -> None:
    assert found(of) == []


def test_without_the_files_the_live_values_still_count() -> None:
    assert one(seen(replace(with_sysctl(FORWARD, "0"), settings=None))) == (
        "host.sysctl", FORWARD, "drift",
    )  # fmt: skip


def test_settings_that_are_missing_with_their_module_are_the_modules() -> None:
    values = {k: v for k, v in (WHOLE.sysctls or {}).items() if not k.startswith("net.bridge.")}
    of = seen(replace(WHOLE, sysctls=values, modules=("overlay", "nf_conntrack")))
    assert one(of) == ("host.module", "br_netfilter", "drift")
    assert host.explains_live(found(of))


def test_a_clock_that_nobody_keeps() -> None:
    assert one(seen(), clock=replace(SYNCED, synchronized=False))[0] == "host.clock-unsynced"
    stopped = replace(SYNCED, synchronized=False, services=())
    assert found(seen(), clock=stopped) == []  # the host layer's unit
    off = seen(asked=10.0, began=14.0, time=15.0, answered=11.0)
    assert one(off, clock=stopped)[0] == "host.clock-off"


def test_units_of_other_rules_are_theirs() -> None:
    names = ("haproxy.service", "kubelet.service", "own.service")
    of = seen(replace(WHOLE, failed_units=names))
    assert {f.subject for f in found(of)} == set(names)
    told = of.of("x1")
    read = replace(told.facts, layers={"haproxy": LayerState()}, kubelet=KubeletState())
    told = replace(told, facts=read, layers=(Layer("haproxy", (), units=names[:1]),))
    assert [f.subject for f in host.findings(of, told)] == ["own.service"]


def test_a_balancer_is_no_member_of_the_cluster() -> None:
    of = seen()
    told = of.of("b1")
    bare = replace(told, facts=replace(told.facts, survey=member(of.site, claim={})))
    assert list(host.findings(of, bare)) == []


def test_in_a_container_the_kernel_is_the_hosts() -> None:
    bad = kernel_facts.parse(capture("kernel-bad-day"))
    bad = replace(bad, failed_units=(), time_zone="UTC", mounts=with_mount(free=0).mounts)
    own = {**(WHOLE.sysctls or {}), "kernel.panic": "0"}
    of = seen(replace(bad, sysctls=own, settings=WHOLE.settings), container=True,
              asked=10.0, began=14.0, time=15.0, answered=11.0)  # fmt: skip
    assert found(of, clock=replace(SYNCED, synchronized=False)) == []
    its_own = replace(with_sysctl(FORWARD, "0"), mounts=with_mount(read_only=True, free=0).mounts)
    assert [f.rule for f in found(seen(its_own, container=True))] == [
        "host.sysctl", "host.mount-read-only",
    ]  # fmt: skip


ZONES = st.sampled_from(["UTC", "Etc/UTC", "Asia/Seoul", "Europe/Berlin", None])


@given(st.lists(ZONES, min_size=5, max_size=5))
def test_the_odd_ones_time_zone_is_told(zones: list[str | None]) -> None:
    names = [machine.name for machine in rack().machines]
    facts = {n: {"kernel": Kernel(time_zone=z)} for n, z in zip(names, zones, strict=True)}
    of = view(facts, rack())
    odd = [f for told in of.told for f in host.findings(of, told) if f.rule == "host.time-zone"]
    same = ["UTC" if zone == "Etc/UTC" else zone for zone in zones if zone is not None]
    assert len(odd) == len(same) - max((same.count(zone) for zone in same), default=0)
    assert len({finding.expected for finding in odd}) <= 1


@pytest.mark.parametrize(
    ("kernel", "explains"),
    [
        (WHOLE, False),
        (with_sysctl(FORWARD, "0"), True),
        (replace(WHOLE, swaps=("/dev/zram0",)), True),
        (with_settings((MINE, FORWARD, "0"), kernel=with_sysctl(FORWARD, "0")), True),
        (with_settings((MINE, FORWARD, "0")), False),
        (replace(WHOLE, modules=("br_netfilter", "nf_conntrack")), False),
        (replace(WHOLE, failed_units=("a.service",)), False),
    ],
)
def test_what_explains_that_the_layer_is_not_in_force(kernel: Kernel, explains: bool) -> None:
    assert host.explains_live(found(seen(kernel))) is explains
    assert host.explains_live(found(seen(kernel, hostname="other")))
