"""sshd's settings, and its Match blocks."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from facts.questions import answers
from facts.sshd import Match, SshdSettings, parse
from tests.unit.facts.fact_captures import capture

A = "/etc/ssh/sshd_config.d/a.conf"


def test_settings_in_effect() -> None:
    found = parse(capture("sshd-lab"))
    assert not found.unread
    assert found.matches == ()
    assert found.settings is not None
    assert found.settings["permitrootlogin"] == "without-password"
    assert found.settings["authorizedkeysfile"] == ".ssh/authorized_keys .ssh/authorized_keys2"
    assert found.settings["acceptenv"] == "LANG, LC_*"  # said twice
    assert found.settings["passwordauthentication"] == "no"


def test_match_blocks_are_read_from_the_files() -> None:
    assert parse(capture("sshd-bad-day")).matches == (
        Match(A, "User backup", {"permitrootlogin": "yes", "passwordauthentication": "yes"}),
        Match(A, "address 10.0.0.0/8", {"permitemptypasswords": "yes", "acceptenv": "A, B"}),
    )


def test_what_is_not_of_sshd_is_refused() -> None:
    lines = [line for line in capture("sshd-lab") if not line.startswith("permitrootlogin")]
    with pytest.raises(ValueError, match="permitrootlogin"):
        parse(lines)


def test_a_setting_outside_of_a_block_is_refused() -> None:
    lines = [line for line in capture("sshd-bad-day") if "User backup" not in line]
    with pytest.raises(ValueError, match="expected Match"):
        parse(lines)


def test_without_sshd_nothing_is_known(tmp_path: Path) -> None:
    command = SshdSettings().command().replace("/etc/ssh", f"{tmp_path}/etc/ssh")
    done = subprocess.run(
        ["sh", "-c", command.replace("sshd -T", "sshd-that-is-not-here -T")],
        env={"PATH": os.environ["PATH"]}, capture_output=True, text=True, check=True,
    )  # fmt: skip
    asked = answers(done.stdout.splitlines())
    assert asked["settings"].code == 127
    found = parse(done.stdout.splitlines())
    assert found.settings is None
    assert "not found" in found.unread["settings"]
    assert found.matches == ()
