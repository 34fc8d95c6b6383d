"""``python -m homelab.check``: the site as tables, or its faults and exit code 2."""

from __future__ import annotations

from pathlib import Path

import pytest

from homelab.check import main

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


@pytest.mark.parametrize("arguments", [[], ["--help"]])
def test_usage(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(arguments) == 2
    assert "usage: python -m homelab.check" in capsys.readouterr().err
