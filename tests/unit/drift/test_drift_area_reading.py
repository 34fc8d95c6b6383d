"""What was not read is never clean; and is told once, where the cause is told already."""

from __future__ import annotations

from dataclasses import replace

from facts.configz import Configz
from facts.haproxy import HAProxyState
from facts.layer import LayerState
from facts.routes import RouteTable
from homelab.drift.areas.reading import findings
from homelab.drift.compare import compare
from tests.unit.drift.drift_views import view


def subjects(seen: object, name: str = "cp1") -> list[str]:
    return [f.subject for f in findings(seen, seen.of(name))]  # type: ignore[attr-defined,arg-type]


def test_a_fact_without_an_answer_and_a_part_of_one() -> None:
    seen = view({"cp1": {"routes": RouteTable(routes=(), unread={"rules-inet": "timed out"})}})
    told = replace(seen.of("cp1"), unread={"sshd": "exit code 1"})
    found = list(findings(seen, told))
    assert [(f.subject, f.actual, f.kind) for f in found] == [
        ("sshd", "exit code 1", "unknown"),
        ("routes rules-inet", "timed out", "unknown"),
    ]


def test_a_machine_that_says_nothing_is_one_finding() -> None:
    seen = view()
    silent = replace(seen.of("w1"), silent="no route to host", unread={"sshd": "x"})
    seen = replace(seen, told=(*seen.told[:3], silent))
    assert [(f.rule, f.machine) for f in compare(seen) if f.machine == "w1"] == [
        ("read.machine", "w1")
    ]


def test_ipv6_may_be_switched_off() -> None:
    seen = view({"cp1": {"routes": RouteTable(routes=(), unread={"routes-inet6": "exit code 1"})}})
    assert subjects(seen) == []


def test_a_haproxy_that_was_stopped_has_nothing_to_say() -> None:
    dumb = HAProxyState(unread={"info": "exit code 1"})
    assert subjects(view({"cp1": {"haproxy": dumb}})) == ["haproxy info"]
    stopped = {"haproxy": LayerState(stopped_units=["haproxy.service"])}
    assert subjects(view({"cp1": {"haproxy": dumb, "layers": stopped}})) == []


def test_the_settings_of_a_silent_machines_kubelet() -> None:
    seen = view({"cp1": {"configz": Configz(kubelets={}, unread={"w1": "exit code 1"})}})
    assert subjects(seen) == ["configz w1"]
    silent = replace(seen.of("w1"), silent="no route to host")
    assert subjects(replace(seen, told=(*seen.told[:3], silent))) == []
