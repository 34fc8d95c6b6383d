"""A room and a machine for each test that asks for one."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.unit.operations.room import Machine, Room


@pytest.fixture
def room(tmp_path: Path) -> Iterator[Room]:
    with Room(tmp_path / "room") as room:
        yield room


@pytest.fixture
def machine(room: Room) -> Machine:
    return room.machine("cp1")
