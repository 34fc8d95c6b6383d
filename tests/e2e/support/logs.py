"""What is kept of a lab that failed, so that a run that nobody watched can be understood.

A plugin of both suites of machines, tests/e2e and tests/vms.
"""

from __future__ import annotations

from collections.abc import Generator
from pathlib import Path

import pytest

from homelab.lab import lifecycle, plan
from homelab.lab.errors import LabError
from homelab.lab.faults import Lab
from homelab.lab.provider import opened
from tests.e2e.support.rig import Rig

RIG = pytest.StashKey[Rig]()


def fresh(
    config: pytest.Config, name: str, machines: tuple[plan.Machine, ...], asked: str, folder: Path
) -> Lab:
    """A suite's own lab; one that does not come up is looked at and taken away again."""
    try:
        return lifecycle.up(name, machines, asked=asked)
    except BaseException:  # Ctrl-C too
        print(f"\nlogs of the lab that did not come up: {collected(opened(name), folder / 'up')}")
        if config.getoption("--keep") == "never":
            lifecycle.down(name)
        raise


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "foundation: if it fails, nothing after it makes sense")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """After a failure: the logs of all machines, and an end if it was a foundation."""
    report = yield
    rig = item.session.stash.get(RIG, None)
    if report.failed and rig is not None:
        dest = rig.folder / "failures" / item.name.replace("/", "-")
        report.sections.append(("Logs of all machines", collected(rig.lab, dest)))
        if item.get_closest_marker("foundation"):
            item.session.shouldfail = f"{item.name} failed, and all else builds on it"
    return report


def collected(lab: Lab, dest: Path) -> str:
    """Where the logs are, or why there are none: what is left of a lab may be anything."""
    try:
        lab.logs(dest)
    except (LabError, OSError) as error:
        return f"not collected: {error}"
    return str(dest)
