"""Logging in, asking, being refused: what a person reads, and what no log may hold."""

from __future__ import annotations

import logging
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from facts.lacp import LacpState
from homelab.site import Switch
from homelab.switch import __main__ as program
from homelab.switch import machines
from homelab.switch.session import Lost, Refused, Session, SwitchError, password
from homelab.switch.wanted import Wanted, wanted
from tests.unit.site.cases.switch import with_ports
from tests.unit.site.example_site import example
from tests.unit.switch import rack, vrp_switch
from tests.unit.switch.rack import PATIENCE_S, machine, rig
from tests.unit.switch.vrp_server import PASSWORD, Server


def access(port: int, **other: Any) -> Switch:
    found = rack.site(port).switch
    assert found is not None
    return found.replace(**other)


def test_the_password_is_where_the_site_says_or_there_is_a_key() -> None:
    assert password(access(22), {"SWITCH_PASSWORD": "x"}) == "x"
    assert password(access(22, ssh_key="~/.ssh/id"), {}) is None
    with pytest.raises(SwitchError, match="the environment has no SWITCH_PASSWORD"):
        password(access(22), {})


def test_a_password_that_is_wrong_is_told_and_not_shown(caplog: pytest.LogCaptureFixture) -> None:
    with Server(machine()) as server, caplog.at_level(logging.DEBUG):
        with pytest.raises(SwitchError, match="does not let admin@127") as failure:
            Session(access(server.port), "wrong-and-secret", PATIENCE_S)
        session = Session(access(server.port), PASSWORD, PATIENCE_S)
        session.running()
        session.close()
    assert "wrong-and-secret" not in str(failure.value)
    assert "wrong-and-secret" not in caplog.text
    assert PASSWORD not in caplog.text


def test_nobody_listens() -> None:
    with pytest.raises(Lost, match=r"the switch is not reached as admin@127\.0\.0\.1:1: "):
        Session(access(1), PASSWORD, PATIENCE_S)


def test_a_host_key_that_nobody_has_seen(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    with Server(machine()) as server, pytest.raises(Lost, match="not found in known_hosts"):
        Session(access(server.port, ssh_host_key="known"), PASSWORD, PATIENCE_S)


def test_a_long_answer_comes_whole_and_in_pages_to_others() -> None:
    switch = machine()
    terminal = vrp_switch.Terminal(switch)
    assert "---- More ----" in terminal.typed("display current-configuration")
    with rig(switch) as found:
        assert found.session.running() == switch.running.text()


def test_what_the_switch_does_not_know() -> None:
    switch = machine()
    switch.refuse = ("display eth-trunk",)
    with rig(switch) as found:
        with pytest.raises(Refused, match="'display eth-trunk': Error: Unrecognized command"):
            found.session.read("display eth-trunk")
        assert found.session.armed() is None  # and it goes on


def test_a_question_that_nobody_expects_is_answered_no() -> None:
    with rig(machine()) as found:
        with pytest.raises(Refused, match=r"which is answered no here"):
            found.session._say("save", ())
        assert found.session.armed() is None


def test_a_view_that_is_refused_takes_no_line_of_another() -> None:
    switch = machine()
    before = switch.running.text()
    lines = ["interface GigabitEthernet0/0/99", "vlan batch 77", "quit", "vlan batch 10"]
    with rig(switch) as found:
        found.session.configure(lines, tolerant=True)
    assert "vlan batch 77" not in switch.typed
    assert switch.running.text() == before


@pytest.fixture
def whole(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> tuple[vrp_switch.Switch, Wanted, str]:
    """A valid site of four machines in a file, its switch, and machines that answer."""
    switch = machine()
    site = example().replace(machines=with_ports(), switch=access(0))
    file = tmp_path / "rack.py"
    want = wanted(site)

    def ask(_: str, fact: str) -> dict[str, Any]:
        legs = rack.Machines(switch, want.plugs)()
        found: dict[str, Any] = {}
        for leg in legs if fact == "facts.bonds.Bonds" else ():
            state = LacpState.of(63 if leg.aggregated else 1).to_json()
            found.setdefault(leg.machine, {"bonds": []})["bonds"].append(
                {"name": leg.bond, "mode": leg.mode, "active_aggregator": int(leg.active),
                 "legs": [{"name": "eth0", "mii_status": "up", "permanent_mac": leg.mac,
                           "aggregator": 1, "actor_state": state, "partner_state": state,
                           "partner_mac": leg.partner}]}
            )  # fmt: skip
        for number, plug in enumerate(want.plugs if fact == "facts.lldp.Lldp" else ()):
            found.setdefault(plug.machine, {"neighbours": []})["neighbours"].append(
                {"port": f"eth{number % 3}", "permanent_mac": plug.mac, "remote": plug.port,
                 "system": "SW"}
            )  # fmt: skip
        return {fact: found}

    monkeypatch.setattr(machines, "ask", ask)
    monkeypatch.setenv("SWITCH_PASSWORD", PASSWORD)
    return switch, want, str(file)


def declare(file: str, port: int) -> None:
    Path(file).write_text(
        "from tests.unit.site.cases.switch import with_ports\n"
        "from tests.unit.site.example_site import example\n"
        "from homelab.site import Switch\n"
        f'_switch = Switch(address="127.0.0.1", ssh_user="admin", ssh_port={port},\n'
        '                 ssh_host_key="ignore")\n'
        "_site = example().replace(machines=with_ports(), switch=_switch)\n"
    )


def test_the_program_shows_applies_and_has_nothing_to_do(
    whole: tuple[vrp_switch.Switch, Wanted, str], capsys: pytest.CaptureFixture[str]
) -> None:
    switch, _, file = whole
    with Server(switch) as server:
        declare(file, server.port)
        assert program.main([file]) == 2
        shown = capsys.readouterr().out
        assert "trunkport GigabitEthernet 0/0/12" in shown
        assert "n4" in shown
        assert switch.configured == []
        assert program.main([file, "--machine", "n4", "--apply"]) == 0
        assert "proven, saved" in capsys.readouterr().out
        assert [len(switch.running.members(f"Eth-Trunk{n}")) for n in (2, 3)] == [3, 0]
        assert program.main([file, "--machine", "n5"]) == 2
        assert "no port is declared of n5" in capsys.readouterr().err
        assert program.main([file, "--apply"]) == 0
        assert [len(switch.running.members(f"Eth-Trunk{n}")) for n in (2, 5)] == [3, 3]
        assert program.main([file]) == 0
        assert "nothing to change" in capsys.readouterr().out


def test_the_program_looks_at_the_cables(
    whole: tuple[vrp_switch.Switch, Wanted, str], capsys: pytest.CaptureFixture[str]
) -> None:
    switch, _, file = whole
    with Server(switch) as server:
        declare(file, server.port)
        assert program.main([file, "--cables"]) == 0
        assert "all 12 cables are where the site says" in capsys.readouterr().out
        switch.neighbours = (
            "Local Intf       Neighbor Dev             Neighbor Intf             Exptime(s)\n"
            "GE0/0/11         n2                       eth2                      101\n"
        )
        switch.running = replace(switch.running, others=[])
        assert program.main([file, "--cables"]) == 2
        said = capsys.readouterr()
        assert "leg eth2 of n2 is in port GE0/0/11, the site says GE0/0/6" in said.out
        assert "LLDP is off on the switch" in said.err


def test_the_program_without_a_switch_or_a_password(
    whole: tuple[vrp_switch.Switch, Wanted, str],
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert program.main(["inventories/homelab.py"]) == 2
    assert "no switch is declared" in capsys.readouterr().err
    assert program.main(["inventories/none.py"]) == 2
    monkeypatch.delenv("SWITCH_PASSWORD")
    declare(whole[2], 1)
    assert program.main([whole[2]]) == 1
    assert "read -rs SWITCH_PASSWORD" in capsys.readouterr().err
