"""The surroundings of a plan, and plans that several tests read: made once for all workers."""

from __future__ import annotations

import fcntl
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path

import pytest

from tests.plan.cli import Ran
from tests.unit.artefacts.sites import make_bundle

Shared = Callable[[str, Callable[[Path], Ran]], Ran]


@pytest.fixture(scope="session")
def common(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of this run; pytest-xdist gives each worker one of its own below it."""
    own = tmp_path_factory.getbasetemp()
    folder = (own.parent if own.name.startswith("popen-") else own) / "plans"
    folder.mkdir(exist_ok=True)
    return folder


@pytest.fixture(scope="session")
def bundle(common: Path) -> Path:
    """A bundle for the lab in which every file is small."""
    folder = common / "bundle"
    with _alone(folder):
        return folder if folder.exists() else make_bundle(folder)


@pytest.fixture(autouse=True)
def surroundings(common: Path, bundle: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """``inventories/lab.py`` is what it is by default, but for its bundle and its key."""
    key = common / "key"
    key.touch(0o600)
    for name in ("LAB", "CONTROL_PLANES", "WORKERS"):
        monkeypatch.delenv(f"HOMELAB_{name}", raising=False)
    monkeypatch.setenv("HOMELAB_BUNDLE", str(bundle))
    monkeypatch.setenv("HOMELAB_SSH_KEY", str(key))
    monkeypatch.setenv("XDG_CACHE_HOME", str(common / "cache"))


@pytest.fixture
def shared(common: Path) -> Shared:
    """``shared(name, make)``: what ``make`` gave to whoever asked first for ``name``.

    ``make`` gets a folder of its own to run in.
    """

    def once(name: str, make: Callable[[Path], Ran]) -> Ran:
        folder = common / name
        with _alone(folder):
            kept = folder / "ran.json"
            if not kept.exists():
                folder.mkdir()
                kept.write_text(json.dumps(asdict(make(folder))))
            return Ran(**json.loads(kept.read_text()))

    return once


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """One worker at a time."""
    with folder.with_suffix(".lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
