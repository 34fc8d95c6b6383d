"""What interrupts a member goes through the members one at a time; what stands still is started."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.plan import answers, plans
from tests.plan.cli import Ran, hand_over


def plan(folder: Path, layer: str, state: str, *machines: str, of: str = "lab") -> Ran:
    """The finished site, where the end of one layer's state is another on some machines."""
    site, found = plans.site(of), answers.declared(plans.site(of))
    for machine in machines:
        found[machine] = [
            (part, re.sub(rf"(L {layer}\n(?:[HS] .*\n)*)A 1 (\w+)", rf"\1{state}", str(said)))
            for part, said in found[machine]
        ]
    hand_over(folder, site.name)
    ran = plans.plan(of, folder, found)
    assert ran.code == 0, ran.err
    return ran


def test_another_unit_of_kubelet_restarts_one_kubelet_after_the_other(tmp_path: Path) -> None:
    everybody = ("cp1", "cp2", "cp3", "w1", "w2")
    ran = plan(tmp_path, "kubelet", "A 1 another", *everybody)
    changed = [hosts for step, hosts in ran.changes if "kubelet" in step]
    assert changed == [[machine] for machine in everybody]
    names = [entry["name"] for entry in ran.plan]
    gates = [names.index(f"Rolling: {machine}, gate") for machine in everybody]
    steps = [names.index(f"Rolling: {machine}, kubelet") for machine in everybody]
    assert [*zip(steps, gates, strict=True)] == sorted(zip(steps, gates, strict=True))
    assert all(gate < step for gate, step in zip(gates, steps[1:], strict=False))


def test_a_keepalived_that_a_failed_run_left_stopped_is_started(tmp_path: Path) -> None:
    """A run that stops in mid-roll has given the VIP away and not come back."""
    ran = plan(tmp_path, "keepalived", r"A 1 \2\nD keepalived.service", "cp2")
    assert ran.changes == [("Balancers: keepalived", ["cp2"])]


def test_a_new_cluster_without_workers_gets_what_comes_with_a_token(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else no kubelet's certificate would be renewed in a year; and the token does not stay."""
    monkeypatch.setenv("HOMELAB_WORKERS", "0")
    ran = plans.bare("lab", tmp_path)
    assert ran.code == 0, ran.err
    assert [(step, hosts) for step, hosts in ran.changes if "token" in step] == [
        ("First control plane: what nodes may ask for, and a token for this run", ["cp1"]),
        ("Workers: the token withdrawn", ["cp1"]),
    ]


def test_bonds_change_on_one_machine_after_the_other(tmp_path: Path) -> None:
    """Each control plane gives the VIP away first, and is back before the next one's turn."""
    everybody = ("x99-1", "x99-2", "x99-3", "x99-4")
    said = r"A 1 \2\nN bond0: mode is active-backup, not 802.3ad"
    ran = plan(tmp_path, "network", said, *everybody, of="rack")
    names = [entry["name"] for entry in ran.plan]
    steps = [
        step
        for machine in everybody
        for step in (
            f"Network: {machine} gives away VIP and leadership",
            f"Network: {machine}, bond and address, on trial",
            f"Network: {machine}, the VIP's port",
            f"Network: {machine} may hold the VIP again",
            f"Network: {machine}, gate",
        )
        if step in names
    ]
    assert len(steps) == 3 * 5 + 2  # the worker has nothing to give away
    places = [names.index(step) for step in steps]
    assert places == sorted(places)
    changed = [hosts for step, hosts in ran.changes if step.endswith("on trial")]
    assert changed == [[machine] for machine in everybody]


def test_a_network_as_declared_is_left_alone(tmp_path: Path) -> None:
    ran = plan(tmp_path, "network", r"A 1 \2", "x99-1", of="rack")
    assert [step for step, _ in ran.changes if "etwork of" in step or "Network:" in step] == []
