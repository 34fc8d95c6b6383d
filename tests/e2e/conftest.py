"""The end-to-end suite: one lab, chapters in the order of their numbers.

nox -s e2e                  a fresh lab, every fault once, three of the kill points
nox -s e2e -- --all         everything, with repeats
nox -s e2e -- --lab lab     on a lab that is up already; it is left as it is
nox -s e2e -- --provider libvirt --all    the cluster's core on VMs, docs/vms.md
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator

import pytest

from homelab.lab import footprint, lifecycle, plan
from homelab.lab.paths import REPO
from homelab.lab.provider import PROVIDERS, opened
from homelab.lab.vms.faults import Vms
from homelab.probe import writes
from tests.e2e.support import logs, options
from tests.e2e.support.cluster import Cluster
from tests.e2e.support.health import wait_until_healthy
from tests.e2e.support.report import Report
from tests.e2e.support.rig import Rig, network_of

FRESH = "e2e"


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("homelab")
    options.add(group)
    group.addoption(
        "--provider",
        choices=PROVIDERS,
        default="docker",
        help="what the fresh lab's machines are: containers (docker, the default) or VMs "
        "(libvirt: only tests marked on_vms, most others look into a container from the host)",
    )
    group.addoption("--minutes", type=float, default=30.0, help="of the test against flapping")


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "long: runs with --all only")
    config.addinivalue_line("markers", "on_vms: also where the machines are VMs")
    config.addinivalue_line("markers", "only_vms: not on containers")
    config.pluginmanager.register(logs)
    # Third parties (kubernetes, websocket) leave sockets to the garbage collector; what counts
    # here is the cluster, not their tidiness.
    config.addinivalue_line("filterwarnings", "default")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    def elsewhere(item: pytest.Item) -> bool:
        if on_vms(config):
            return not options.has(item, "on_vms")
        return options.has(item, "only_vms")

    options.leave_out(config, items, elsewhere)


def on_vms(config: pytest.Config) -> bool:
    name = config.getoption("--lab")
    if name:
        return isinstance(opened(name), Vms)
    return bool(config.getoption("--provider") == "libvirt")


def planned(config: pytest.Config) -> tuple[plan.Machine, ...]:
    """The lab's machines; of VMs three by default, emulated ones are dear."""
    if name := config.getoption("--lab"):
        return opened(name).machines()
    return plan.from_environment(workers=0) if on_vms(config) else plan.from_environment()


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """``machine``: once for each machine; ``control_plane``: for each control plane."""
    machines = planned(metafunc.config)
    planes = [machine.name for machine in machines if "control-plane" in machine.roles]
    if "machine" in metafunc.fixturenames:
        metafunc.parametrize("machine", [machine.name for machine in machines])
    if "control_plane" in metafunc.fixturenames:
        metafunc.parametrize("control_plane", planes)


@pytest.fixture(scope="session")
def rig(request: pytest.FixtureRequest) -> Iterator[Rig]:
    """The lab: fresh, or the one that was named."""
    option = request.config.getoption
    attached = option("--lab")
    folder = REPO / ".homelab" / (attached or FRESH) / time.strftime("e2e-%Y%m%d-%H%M%S")
    folder.mkdir(parents=True)
    if attached:
        lab = opened(attached)
    else:
        lifecycle.down(FRESH)  # of a run that crashed
        host = footprint.take()
        asked = request.config.getoption("--provider")
        lab = logs.fresh(request.config, FRESH, planned(request.config), asked, folder)
    rig = Rig(lab, folder)
    request.session.stash[logs.RIG] = rig
    with network_of(lab):
        yield rig
        if attached or options.keeps(request.config, request.session.testsfailed > 0):
            with contextlib.suppress(Exception):  # what the probes wrote; the cluster may be broken
                writes.forget(rig.api())
            print(f"\nthe lab {lab.name!r} is left up; logs and output: {folder}")
            return
    lifecycle.down(lab.name)
    changed = footprint.differences(host, footprint.take())
    assert not changed, f"the host is not as it was before the lab: {changed}"


@pytest.fixture(scope="module")
def healthy(rig: Rig) -> None:
    """The cluster and the workload are whole when a chapter begins."""
    wait_until_healthy(rig)


@pytest.fixture
def cluster(rig: Rig) -> Iterator[Cluster]:
    """The kubernetes client, through the VIP."""
    with Cluster(rig) as cluster:
        yield cluster


@pytest.fixture(scope="session")
def report(request: pytest.FixtureRequest, rig: Rig) -> Report:
    """Collects figures; written after each, so that an aborted run keeps what it had."""
    everything = request.config.getoption("--all")
    folder = REPO / "docs/results" if everything else REPO / "docs/results/latest"
    if on_vms(request.config):
        return Report(rig, folder, "faults-vms", "Faults of VMs and what a client saw of them")
    return Report(rig, folder)


@pytest.fixture(scope="session")
def repeats(request: pytest.FixtureRequest) -> int:
    """How often each fault is measured."""
    return options.repeats(request.config)
