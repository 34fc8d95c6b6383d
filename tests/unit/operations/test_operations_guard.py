"""The VIP is given away for a while, never for good; systemd is a list of what it was told."""

from __future__ import annotations

from pathlib import Path

import pytest

from operations import guard
from tests.unit.documents.document_sites import shell


@pytest.fixture
def told(tmp_path: Path) -> Path:
    for name in ("systemctl", "systemd-run"):
        program = tmp_path / name
        program.write_text(f'#!/bin/sh\necho {name} "$@" >> {tmp_path}/told\n')
        program.chmod(0o755)
    return tmp_path / "told"


def test_a_run_that_dies_leaves_a_machine_that_votes_again_by_itself(told: Path) -> None:
    shell(f"PATH={told.parent}:$PATH\n" + "\n".join(guard.stop_keepalived()))
    lines = told.read_text().splitlines()
    (armed,) = [line for line in lines if line.startswith("systemd-run")]
    assert f"--on-active={guard.ALONE_S} sh -c " in armed
    assert armed.endswith("&& systemctl start keepalived")
    assert lines.index(armed) < lines.index("systemctl stop keepalived")


def test_who_comes_back_needs_no_timer(told: Path) -> None:
    shell(f"PATH={told.parent}:$PATH\n" + "\n".join(guard.start_keepalived()))
    lines = told.read_text().splitlines()
    assert lines[-2:] == ["systemctl start keepalived", f"systemctl stop {guard.TIMER}.timer"]


def test_a_timer_of_an_earlier_run_gives_way(told: Path) -> None:
    shell(f"PATH={told.parent}:$PATH\n" + "\n".join(guard.stop_keepalived()))
    lines = told.read_text().splitlines()
    disarmed = f"systemctl stop {guard.TIMER}.timer"
    assert lines.index(disarmed) < next(n for n, line in enumerate(lines) if "--on-active" in line)
