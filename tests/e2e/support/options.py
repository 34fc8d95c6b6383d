"""What both suites of machines, tests/e2e and tests/vms, are told on the command line."""

from __future__ import annotations

import os
from collections.abc import Callable

import pytest


def add(group: pytest.OptionGroup) -> None:
    """--lab, --all, --repeats, --keep."""
    group.addoption("--lab", help="use this lab, which is up, instead of a fresh one")
    group.addoption("--all", action="store_true", help="also what takes long; 5 repeats")
    group.addoption("--repeats", type=int, help="of each fault (default 1, with --all 5)")
    group.addoption(
        "--keep",
        choices=("never", "failure", "always"),
        default=os.environ.get("HOMELAB_KEEP") or "never",
        help="the fresh lab's machines after the run (or HOMELAB_KEEP)",
    )


def repeats(config: pytest.Config) -> int:
    """How often each fault is measured."""
    return int(config.getoption("--repeats") or (5 if config.getoption("--all") else 1))


def keeps(config: pytest.Config, failed: bool) -> bool:
    """Whether the fresh lab stays up after this run."""
    wanted = config.getoption("--keep")
    return wanted == "always" or (wanted == "failure" and failed)


def leave_out(
    config: pytest.Config,
    items: list[pytest.Item],
    elsewhere: Callable[[pytest.Item], bool] = lambda item: False,
) -> None:
    """Deselect what has the mark ``long``, but with --all; and what ``elsewhere`` is true of."""
    kept, left_out = list[pytest.Item](), list[pytest.Item]()
    for item in items:
        is_long = has(item, "long") and not config.getoption("--all")
        (left_out if is_long or elsewhere(item) else kept).append(item)
    config.hook.pytest_deselected(items=left_out)
    items[:] = kept


def has(item: pytest.Item, mark: str) -> bool:
    return item.get_closest_marker(mark) is not None
