"""From what there is to what is wanted: each step can be taken back, nobody else is touched."""

from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from homelab.site import Bond, Vlan, check
from homelab.switch import parse, plan
from homelab.switch.wanted import Wanted, wanted
from tests.unit.site.cases.switch import NO_GROUP, with_ports
from tests.unit.site.example_site import changed, example
from tests.unit.switch import vrp_switch
from tests.unit.switch.rack import Machines, config, machine, site
from tests.unit.switch.vrp_config import Config
from tests.unit.switch.vrp_switch import Switch, Terminal

OURS = [f"GigabitEthernet0/0/{n}" for n in range(1, 7)]
LINES: tuple[list[str], ...] = (
    [], [], ["port link-type access", "port default vlan 10"], ["description old"],
    ["port link-type trunk", "undo port trunk allow-pass vlan 1", "port trunk allow-pass vlan 10"],
    ["port link-type trunk", "port trunk pvid vlan 10", "port trunk allow-pass vlan 10 20"],
    ["port link-type hybrid", "port hybrid tagged vlan 10", "port hybrid untagged vlan 20"],
    ["eth-trunk 5"], ["eth-trunk 5"], ["eth-trunk 6"], ["eth-trunk 7", "jumboframe enable 1518"],
)  # fmt: skip
GROUPS = {
    "Eth-Trunk5": ["mode lacp"],
    "Eth-Trunk6": [],
    "Eth-Trunk7": ["mode lacp", "lacp force-forward", "load-balance src-mac"],
}
BONDS = {
    "lacp": Bond(), "slow": Bond(lacp_rate="slow"), "static": Bond(mode="balance-xor"),
    "none": Bond(mode="active-backup"),
}  # fmt: skip
MODES = {"lacp": "802.3ad", "slow": "802.3ad", "static": "balance-xor", "none": "active-backup"}


def read(switch: Switch) -> plan.Switch:
    version = parse.version(vrp_switch.VERSIONS[switch.v8])
    assert version is not None
    running = parse.running(switch.running.text())
    groups = parse.trunks(switch.groups)
    return plan.Switch(running, groups, version, "vrp8" if switch.v8 else "vrp5")


def planned(switch: Switch, want: Wanted, kind: str = "lacp", first: int = 1) -> list[plan.Step]:
    legs = Machines(switch, want.plugs)
    legs.mode = MODES[kind]
    return plan.plan(want, read(switch), first, legs())


def typing(switch: Switch, lines: list[str]) -> list[str]:
    """What the switch refuses of ``lines``."""
    terminal = Terminal(switch)
    said = [terminal.typed("system-view")]
    for line in [*lines, *(["commit"] if switch.v8 else [])]:
        said.append(terminal.typed(line))
        if terminal.question:
            said.append(terminal.typed("y"))
    terminal.typed("return")
    return [answer for answer in said if "Error" in answer]


def named(lines: list[str]) -> set[str]:
    return {"".join(found) for found in re.findall(r"(GigabitEthernet) ?([\d/]+)", str(lines))}


@st.composite
def switches(draw: st.DrawFn) -> Switch:
    ports = {name: [*draw(st.sampled_from(LINES))] for name in OURS}
    foreign = {"GigabitEthernet0/0/23": draw(st.sampled_from([[], ["eth-trunk 5"]]))}
    found = config(ports=ports | {name: [*own] for name, own in GROUPS.items()} | foreign)
    return Switch(found, found.copy())


@settings(max_examples=60, deadline=None, derandomize=True)
@given(
    switch=switches(),
    kind=st.sampled_from(sorted(BONDS)),
    tagged=st.sampled_from([(), (20,), (1, 30)]),
    untagged=st.sampled_from([10, 40]),
    lone=st.booleans(),
)
def test_whatever_there_is_becomes_what_is_wanted_and_back(
    switch: Switch, kind: str, tagged: tuple[int, ...], untagged: int, lone: bool
) -> None:
    vlans = tuple(Vlan(id=number) for number in tagged)
    changes: dict[str, Any] = {"network.bonds": (BONDS[kind],), "network.vlans": vlans}
    want = wanted(site(changes=changes, untagged_vlan=untagged, lone_legs=lone))
    before = switch.running.copy()
    steps = planned(switch, want, kind)
    texts = [switch.running.text()]
    for step in steps:
        assert typing(switch, step.lines) == [], step
        assert named(step.lines) <= set(OURS)
        texts.append(switch.running.text())
    assert planned(switch, want, kind) == []
    for name, own in before.interfaces.items():
        if name not in OURS and not name.startswith("Eth-Trunk"):
            assert switch.running.interfaces[name] == own
    for group in want.groups if len(steps) else ():
        joins = [s for s in steps if f"{group.machine}:" in s.what and "joins" in s.what]
        lifeline = group.plugs[1].port  # rack.Machines
        if any(lifeline in step.what for step in joins):
            assert lifeline in joins[-1].what
            assert all(step.proves == {*group.ports} for step in joins[-1:])
            assert all(step.proves == {*group.ports} - {lifeline} for step in joins[-2:-1])
    for step in reversed(steps):
        assert texts.pop() == switch.running.text()
        assert typing(switch, step.undo) == [], step
    assert switch.running.text() == texts.pop()
    assert switch.running == before or switch.running.text() == before.text()


@settings(max_examples=40, deadline=None, derandomize=True)
@given(switch=switches(), cut=st.data())
def test_a_step_that_was_cut_anywhere_is_taken_back(switch: Switch, cut: st.DataObject) -> None:
    """Undone whole, errors passed over: each line restores what was there."""
    before = switch.running.text()
    steps = planned(switch, wanted(site(untagged_vlan=10)))
    if not steps:
        return
    last = cut.draw(st.integers(0, len(steps) - 1))
    for step in steps[:last]:
        typing(switch, step.lines)
    lines = steps[last].lines
    typing(switch, lines[: cut.draw(st.integers(0, len(lines)))])
    for step in reversed(steps[: last + 1]):
        typing(switch, step.undo)
    assert switch.running.text() == before


def test_a_group_keeps_its_number_whoever_comes_or_goes() -> None:
    switch = machine()
    both, one = wanted(site()), site()
    for step in planned(switch, both):
        typing(switch, step.lines)
    alone = wanted(one.replace(machines=one.machines[1:]))
    assert planned(switch, alone) == []
    assert [n for _, n in plan.numbered(alone, read(switch), 1)] == [3]


def test_numbers_that_are_taken_are_passed_over_and_run_out() -> None:
    switch, want = machine(), wanted(site())
    assert [n for _, n in plan.numbered(want, read(switch), 1)] == [2, 3]
    assert [n for _, n in plan.numbered(want, read(switch), 40)] == [40, 41]
    with pytest.raises(plan.Refused, match=r"lower switch\.first_trunk"):
        list(plan.numbered(want, read(switch), 127))


def test_a_port_that_the_switch_does_not_have() -> None:
    changes = {"machines[0].nics[1].port": "GE1/0/2"}
    with pytest.raises(plan.Refused) as refusal:
        planned(machine(), wanted(site(changes=changes)))
    (problem,) = refusal.value.problems
    assert "no port GigabitEthernet1/0/2" in problem
    assert "of n1; it has GigabitEthernet0/0/1 to GigabitEthernet0/0/24" in problem


def test_a_line_that_nobody_here_can_take_back_is_told_before() -> None:
    switch = machine(ports={"GigabitEthernet0/0/2": ["port vlan-mapping vlan 10 map-vlan 20"]})
    with pytest.raises(plan.Refused, match="take it off by hand"):
        planned(switch, wanted(site()))


def test_what_is_typed_for_one_machine() -> None:
    """As docs/switch.md shows it."""
    changes: dict[str, Any] = {"network.vlans": (Vlan(id=20),)}
    want = wanted(site(changes=changes))
    steps = [s for s in planned(machine(), want) if s.what.startswith(("the", "n1"))]
    assert [line for step in steps for line in step.lines] == [
        "vlan batch 20",
        "interface Eth-Trunk2",
        "quit",
        "interface Eth-Trunk2",
        "mode lacp",
        "lacp timeout fast",
        "load-balance src-dst-ip",
        "port link-type trunk",
        "port trunk allow-pass vlan 20",
        "quit",
        "interface Eth-Trunk2",
        "trunkport GigabitEthernet 0/0/1",
        "quit",
        "interface Eth-Trunk2",
        "trunkport GigabitEthernet 0/0/3",
        "quit",
        "interface Eth-Trunk2",
        "trunkport GigabitEthernet 0/0/2",
        "quit",
    ]


def test_an_mtu_meets_a_port_with_a_smaller_frame() -> None:
    switch = machine(ports={"GigabitEthernet0/0/1": ["jumboframe enable 1600"]})
    small, large = wanted(site()), wanted(site(changes={"network.mtu": 9000}))
    assert "undo jumboframe enable" not in str(planned(switch, small))
    assert "undo jumboframe enable" in str(planned(switch, large))


def test_sites_with_ports_are_valid() -> None:
    whole = example().replace(machines=with_ports(), switch=NO_GROUP["switch"])
    assert check(whole, "site.py") == []
    assert check(changed(NO_GROUP), "site.py") == []


def test_the_fake_is_as_strict_as_vrp() -> None:
    switch = Switch(Config({1}, {"GigabitEthernet0/0/1": ["port link-type access"]}), Config())
    view = ["interface Eth-Trunk1", "trunkport GigabitEthernet 0/0/1"]
    (refusal,) = typing(switch, view)
    assert "delete the configuration" in refusal
    assert typing(switch, ["interface GigabitEthernet0/0/9"]) != []
    assert typing(switch, ["vlan bach 10"]) != []
