"""One deploy at a time: the lock lives as long as the session that holds it."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from operations import lock


@contextmanager
def session() -> Iterator[tuple[subprocess.Popen[str], str]]:
    """As SSH runs it; what it said first. It ends with its standard input."""
    process = subprocess.Popen(
        ["sh", "-c", lock.command(sudo=False)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout
    try:
        yield process, process.stdout.readline().strip()
    finally:
        process.communicate(timeout=60)


@pytest.fixture(autouse=True)
def own_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Not this machine's: a real deploy to it may be at work."""
    file = tmp_path / "machine-id"
    file.touch()
    monkeypatch.setattr(lock, "FILE", str(file))


def test_the_second_one_is_told_who_is_at_work() -> None:
    with session() as (_, first), session() as (other, second):
        assert first == "held"
        assert second.startswith("busy homelab-deploy-by-")
        assert other.wait(60) == 0


def test_it_is_free_again_when_the_session_ends_however_it_ends() -> None:
    with session() as (holder, first):
        assert first == "held"
        holder.communicate(timeout=60)  # its standard input is closed: the controller is gone
        with session() as (_, second):
            assert second == "held"


def test_who_it_is_has_no_spaces() -> None:
    assert " " not in lock.holder()
    assert lock.holder().startswith("homelab-deploy-by-")


def test_with_sudo_it_never_asks_for_a_password() -> None:
    assert lock.command(sudo=True).startswith("sudo -n sh -c ")


def test_a_run_takes_its_own_lock_over_from_a_dead_connection() -> None:
    """A machine whose address has changed keeps the old session, which nobody will ever end."""
    with session() as (old, first):
        assert first == "held"
        subprocess.run(["sh", "-c", lock.release()], check=True, timeout=30)
        old.wait(timeout=10)
        with session() as (_, again):
            assert again == "held"
