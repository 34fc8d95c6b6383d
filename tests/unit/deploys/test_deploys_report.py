"""``python -m deploys.report``: all machines are asked, none stops the others."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
from pyinfra.connectors.fake import FakeConnector

from deploys.report.read import read
from deploys.report.show import main
from facts.bonds import BondList
from tests.unit.facts.fact_captures import capture

REPO = Path(__file__).resolve().parents[3]
RACK = str(REPO / "inventories/homelab.py")
HARMLESS = ("for f in", "for d in", "ip -j -d -s addr show")


def fake(name: str, response: Any) -> tuple[str, dict[str, Any]]:
    answers = {"@@ask": response}
    return f"@fake/{name}", {"fake_responses": answers, "fake_delay": 0, "fake_delay_jitter": 0}


def test_one_command_for_each_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    executed: list[str] = []
    ask = FakeConnector.run_shell_command

    def noted(self: Any, command: Any, *args: Any, **kwargs: Any) -> Any:
        executed.append(str(command))
        return ask(self, command, *args, **kwargs)

    monkeypatch.setattr(FakeConnector, "run_shell_command", noted)
    found = read([fake("n1", capture("bonds-three-legs")), fake("n2", capture("bonds-no-module"))])
    assert set(found) == {"@fake/n1", "@fake/n2"}
    first = found["@fake/n1"]
    assert isinstance(first, BondList)
    assert first.bond("bond0")
    assert len(executed) == 2
    assert all(word in executed[0] for word in HARMLESS)


def test_each_machines_failure_is_its_own() -> None:
    refusal = {"success": False, "stderr": ["sudo: a password is required"]}
    found = read(
        [
            fake("n1", refusal),
            fake("n2", {"success": False}),
            fake("n3", ["bash: something is wrong here"]),
            fake("n4", []),
            fake("n5", capture("bonds-three-legs")),
        ]
    )
    assert found["@fake/n1"] == "sudo: a password is required"
    assert found["@fake/n2"] == "the command failed, and said nothing"
    assert "something is wrong here" in str(found["@fake/n3"])
    empty = found["@fake/n4"]
    assert isinstance(empty, BondList)
    assert empty.unread
    assert isinstance(found["@fake/n5"], BondList)


def test_the_exit_code_and_the_report(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "120")
    asked: dict[str, Any] = {}

    def nobody(hosts: Iterable[tuple[str, dict[str, Any]]]) -> dict[str, BondList | str]:
        asked.update(hosts)
        return dict.fromkeys(asked, "no route to host")

    assert main([RACK], nobody) == 1
    assert list(asked) == ["x99-1", "x99-2", "x99-3", "x99-4"]
    assert asked["x99-1"]["_sudo"]
    shown = capsys.readouterr()
    assert shown.err == "reading 4 machines\n"
    assert shown.out.count("could not be read: no route to host") == 4

    def empty(hosts: Iterable[tuple[str, dict[str, Any]]]) -> dict[str, BondList | str]:
        return {name: BondList(bonds=(), links=()) for name, _ in hosts}

    assert main([RACK], empty) == 2
    assert "bond0 is not there" in capsys.readouterr().out


def test_a_faulty_site_is_told_and_nobody_is_asked(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def never(hosts: Iterable[tuple[str, dict[str, Any]]]) -> dict[str, BondList | str]:
        raise AssertionError(hosts)

    file = tmp_path / "faulty.py"
    file.write_text("_site = 1\n")
    assert main([str(file)], never) == 1
    assert "a _site that is a int" in capsys.readouterr().err
    assert main([], never) == 1
    assert main(["--help"], never) == 1
    assert "usage:" in capsys.readouterr().err


def test_as_a_person_runs_it(tmp_path: Path) -> None:
    """Over SSH to a port where nobody listens: each machine says so, and nothing hangs."""
    text = (REPO / "inventories/homelab.py").read_text()
    text = text.replace('address="192.168.10.', 'ssh_port=1, address="192.168.10.')
    file = tmp_path / "unreachable.py"
    file.write_text(text)
    done = subprocess.run(
        [sys.executable, "-c", WITHOUT_NETWORK, str(file)],
        cwd=REPO,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 1, done.stderr
    assert done.stdout.count("could not be read: Could not connect (") == 4
    assert "Traceback" not in done.stderr


# Every connection is refused at once, wherever this runs.
WITHOUT_NETWORK = """
import runpy, sys
from gevent import monkey
monkey.patch_all()
import socket
def refuse(self, address): raise ConnectionRefusedError(111, "Connection refused")
socket.socket.connect = refuse
runpy.run_module("deploys.report", run_name="__main__")
"""
