"""VMs with bonds of their own against a real LACP switch: `nox -s e2e -- bonds`.

The first tests need no cluster: one bare machine, its three legs, and `deploys/network.py`.
"""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest

from homelab.lab import lifecycle, opened, plan
from homelab.lab.paths import REPO
from tests.e2e.support import logs, options
from tests.e2e.support.report import Report
from tests.e2e.support.rig import Rig, network_of

NAME = "bonds"
COLUMNS = ("silence", "packets lost", "noticed after")


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("homelab")
    options.add(group)


def pytest_configure(config: pytest.Config) -> None:
    # the lab's machines and its switch outlive the call that starts them
    config.addinivalue_line("filterwarnings", "ignore:subprocess .* is still running")
    config.addinivalue_line("markers", "long: runs with --all only")
    config.pluginmanager.register(logs)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    options.leave_out(config, items)


@pytest.fixture(scope="session")
def rig(request: pytest.FixtureRequest) -> Iterator[Rig]:
    """One VM, bare, and the switch; taken away at the end unless it was named or is to be kept."""
    attached = request.config.getoption("--lab")
    folder = REPO / ".homelab" / (attached or NAME) / time.strftime("bonds-%Y%m%d-%H%M%S")
    folder.mkdir(parents=True)
    if attached:
        lab = opened(attached)
    else:
        lifecycle.down(NAME)  # of a run that crashed
        lab = logs.fresh(request.config, NAME, plan.machines(1, 0), "libvirt", folder)
    rig = Rig(lab, folder)
    request.session.stash[logs.RIG] = rig
    with network_of(lab):
        yield rig
    failed = request.session.testsfailed > 0
    if not attached and not options.keeps(request.config, failed):
        lifecycle.down(NAME)


@pytest.fixture(scope="session")
def repeats(request: pytest.FixtureRequest) -> int:
    return options.repeats(request.config)


@pytest.fixture(scope="session")
def report(request: pytest.FixtureRequest, rig: Rig) -> Report:
    """docs/results/bonds.md with --all, docs/results/latest/bonds.md without."""
    every = request.config.getoption("--all")
    folder = REPO / "docs/results" / ("" if every else "latest")
    return Report(rig, folder, "bonds", "What a ping sees of a bond's legs", COLUMNS)
