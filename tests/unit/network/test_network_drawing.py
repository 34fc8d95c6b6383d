"""The report for a person: complete, in any width, and not drawn by what a machine says."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from rich.console import Console

from facts.bonds import BondList
from homelab.network.drawing import drawn
from homelab.network.report import Report, exit_code, reports
from tests.unit.network.network_sites import first, leg, machine, read, site, with_leg

REFUSED = "Could not connect ([Errno 111] Connection refused)"


def report(answer: BondList | str, network: str = "networkd") -> list[Report]:
    """Of a site with one machine."""
    of = site()
    return reports(of.replace(machines=(machine(of).replace(network=network),)), {"n1": answer})


def text(found: list[Report], width: int = 120) -> str:
    console = Console(width=width, color_system=None)
    with console.capture() as captured:
        console.print(drawn(found))
    return captured.get()


def test_a_good_day() -> None:
    shown = text(report(read("three-legs")), width=200)
    assert "n1  192.168.10.11" in shown
    assert (
        "bond0: 802.3ad, 3 of 3 legs up, 3 in use, 3000 Mbit/s, MTU 1500, one aggregator, "
        "partner 0c:d8:ff:10:20:30 key 5"
    ) in shown
    assert re.search(
        r"enp5s0 +52:54:00:a1:00:03 +e1000e +1000 full +1 +ATGSCD +ATGSCD +0 +0 +3\b", shown
    )
    assert "LACP states: A active" in shown
    assert "1 machine; nothing is wrong" in shown
    assert exit_code(report(read("three-legs"))) == 0


def test_what_is_wrong_and_what_to_do() -> None:
    found = report(read("slow-leg"))
    shown = " ".join(text(found).split())
    assert "wrong bond0 enp5s0 has 100 Mbit/s: its peers have 1000" in shown
    assert "-> another cable" in shown
    assert "note bond0 enp5s0 has lost its link 4 time(s)" in shown
    assert "something is wrong on n1" in shown
    assert exit_code(found) == 2


def test_a_note_is_no_fault() -> None:
    found = report(with_leg(read("three-legs"), 0, failures=1))
    assert "note bond0 enp3s0 has lost its link" in text(found)
    assert exit_code(found) == 0


def test_modes_without_lacp() -> None:
    shown = text(report(read("active-backup")))
    assert "active leg enp4s0" in shown
    assert "LACP states" not in shown


def test_a_machine_that_does_not_answer_is_named_and_the_others_are_complete() -> None:
    of = site()
    found = reports(of, {"n1": read("three-legs"), "n2": REFUSED, "n3": read("three-legs")})
    shown = " ".join(text(found).split())
    assert f"n2 192.168.10.12 could not be read: {REFUSED}" in shown
    assert "n4 192.168.10.14 could not be read: it was not asked" in shown
    assert "something is wrong on n3; could not be read: n2, n4" in shown
    assert exit_code(found) == 1


def test_a_part_that_was_not_read_is_told() -> None:
    answer = replace(read("three-legs"), links=None, unread={"links": "exit code 127: no ip"})
    found = report(answer)
    assert "could not be read: links: exit code 127: no ip" in text(found)
    assert "nothing is wrong" not in text(found)
    assert exit_code(found) == 1


def test_a_foreign_network_shows_its_links_only() -> None:
    found = report(read("silent-partner"), network="foreign")
    shown = text(found)
    assert "somebody else's (foreign)" in shown
    assert re.search(r"bond0 +bond +52:54:00:a1:00:01 +1500 +up +192\.168\.0\.11/24", shown)
    assert "LACP" not in shown
    assert "1 machine; 1 foreign, not judged\n" in shown
    assert exit_code(found) == 0


def test_the_links_of_pods_are_left_out() -> None:
    reading = read("no-module")
    assert reading.links
    pod = replace(reading.links[-1], name="veth1234", kind="veth", addresses=())
    shown = text(report(replace(reading, links=(*reading.links, pod)), network="foreign"))
    assert "eth0" in shown
    assert "veth1234" not in shown


@pytest.mark.parametrize("width", [20, 40, 80, 100])
@pytest.mark.parametrize("name", ["slow-leg", "silent-partner", "no-legs"])
def test_narrow_terminals(name: str, width: int) -> None:
    shown = text([*report(read(name)), *report(read(name), network="foreign")], width)
    assert max(len(line) for line in shown.splitlines()) <= width
    words = re.sub(r"\s", "", shown)
    assert "nothingiswrong" not in words
    for nic in first(read(name)).legs:
        assert nic.name in words
        assert nic.permanent_mac in words


def test_a_hostile_machine_draws_nothing() -> None:
    evil = "\x1b[2J\x07[bold red]ok[/]\u202e\x9b"
    reading = with_leg(read("leg-down"), 1, name=evil, driver=evil)
    shown = text([*report(reading), *report(evil)], 200)
    assert not re.search(r"[^\n -~]", shown)
    assert "?[2J?[bold red]ok[/]??" in shown  # as it stands: no markup either
    assert leg(reading, 1).name == evil
