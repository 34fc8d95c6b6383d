"""``python -m homelab.check``: the site as tables, or its faults and exit code 2."""

from __future__ import annotations

import runpy
import sys
from pathlib import Path
from unittest.mock import MagicMock

import pytest
from rich.console import Console

from homelab.check import main, shown
from homelab.site import derived
from tests.unit.documents.document_sites import lab

RACK = str(Path(__file__).resolve().parents[3] / "inventories/homelab.py")


def test_a_valid_site_is_shown(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "120")
    assert main([RACK]) == 0
    shown = capsys.readouterr()
    assert shown.err == ""
    for text in ("homelab: valid", "x99-1", "bond0", "802.3ad", "8443/tcp", "192.168.10.14:30443"):
        assert text in shown.out


def test_every_node_has_the_ingress(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """As HAProxy has it (homelab/documents/balancer.py), on control planes too."""
    monkeypatch.setenv("COLUMNS", "120")
    site = lab()
    assert not any("worker" in m.roles for m in derived.control_planes(site))
    Console().print(shown(site))
    printed = capsys.readouterr().out
    for machine in derived.nodes(site):
        assert f"{machine.address}:30443" in printed


@pytest.mark.parametrize("columns", [20, 40, 80])
def test_narrow_terminals(
    columns: int, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", str(columns))
    assert main([RACK]) == 0
    assert max(len(line) for line in capsys.readouterr().out.splitlines()) <= columns


def test_faults_go_to_stderr(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "faulty.py"
    file.write_text("from homelab.site import Site\n_site = Site(nmae='rack')\n")
    assert main([RACK, str(file)]) == 2
    told = capsys.readouterr().err.splitlines()
    assert told[0] == f"{file}: nmae = 'rack': Site has no such key; did you mean \"name\"?"
    assert told[-1] == f"{file}: 6 faults; nothing was connected to"


def test_nox_passes_the_exit_code_on(monkeypatch: pytest.MonkeyPatch) -> None:
    """Left alone, it makes 1 of every failure. (A session itself has no nox: a stand-in.)"""
    failed = type("CommandFailed", (Exception,), {})
    nox = MagicMock(session=lambda function=None, **_: function or (lambda inner: inner))
    nox.command.CommandFailed = failed
    monkeypatch.setitem(sys.modules, "nox", nox)
    check = runpy.run_path(str(Path(RACK).parents[1] / "noxfile.py"))["check"]
    session = MagicMock(posargs=["faulty.py"])
    check(session)
    session.run.side_effect = failed
    with pytest.raises(SystemExit) as ended:
        check(session)
    assert ended.value.code == 2


@pytest.mark.parametrize("arguments", [[], ["--help"]])
def test_usage(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(arguments) == 2
    assert "usage: python -m homelab.check" in capsys.readouterr().err
