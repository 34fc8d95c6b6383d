"""Chapter 9: what a person gets to read on a bad day: one line, rc 1, and nothing half done."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from homelab.lab.machines import wait_for_ssh
from tests.e2e.support import fingerprint
from tests.e2e.support.health import wait_until_healthy
from tests.e2e.support.pyinfra import CLUSTER, Run, Running, deploy
from tests.e2e.support.rig import Rig

pytestmark = pytest.mark.usefixtures("healthy")


def explained(run: Run, *words: str) -> str:
    """The one line that says what went wrong, by the words that must be in it."""
    assert run.returncode == 1, f"rc {run.returncode}"
    assert "Traceback" not in run.output, run.output[-3000:]
    lines = [line for line in run.output.splitlines() if all(word in line for word in words)]
    assert lines, f"no line with {words}:\n{run.output[-2000:]}"
    return lines[0]


@contextmanager
def untouched(rig: Rig, restarts: str | None = None) -> Iterator[None]:
    """No file changes and nothing restarts on any machine in the meantime.

    ``restarts``: the machine on which the fault itself ends what runs there.
    """
    others = [name for name in rig.nodes if name != restarts]
    files, running = fingerprint.files(rig), fingerprint.running(rig, others)
    yield
    assert not fingerprint.changed(files, fingerprint.files(rig))
    assert not fingerprint.changed(running, fingerprint.running(rig, others))


def test_a_machine_is_unreachable(rig: Rig) -> None:
    machine = rig.nodes[-1]
    # Its own pods may be started again: nobody but it knows whether they still run.
    with untouched(rig, restarts=machine):
        rig.lab.cut(machine)
        try:
            run = deploy(rig, "unreachable")
        finally:
            rig.lab.heal(machine)
            wait_for_ssh(rig.lab, machine)
    explained(run, machine, "Could not connect")  # pyinfra's own words
    wait_until_healthy(rig)


def test_the_disk_under_etcd_is_full(rig: Rig) -> None:
    machine = rig.control_planes[-1]
    with untouched(rig, restarts=machine):  # its etcd can't write, and ends
        rig.lab.fill_disk(machine)
        try:
            run = deploy(rig, "disk-full")
        finally:
            rig.lab.free_disk(machine)
    explained(run, machine, "/var/lib/etcd")
    wait_until_healthy(rig)


def test_sudo_wants_a_password(rig: Rig) -> None:
    machine = rig.nodes[-1]
    sudoers = "/etc/sudoers.d/vagrant"
    # Not by SSH, which needs the sudo that is being taken away.
    take = f"cp -p {sudoers} /root/sudoers && sed -i s/NOPASSWD:// {sudoers}"
    give = f"cp -p /root/sudoers {sudoers} && rm /root/sudoers"
    with untouched(rig):
        rig.lab.run_on(machine, take, through="exec").check_returncode()
        try:
            run = deploy(rig, "sudo")
        finally:
            rig.lab.run_on(machine, give, through="exec").check_returncode()
    explained(run, machine, "sudo")


def test_apts_lock_is_held(rig: Rig) -> None:
    """A package is missing while somebody else's apt is at work."""
    machine = rig.nodes[-1]
    with untouched(rig), without_package(rig, machine, "ethtool"), apt_at_work(rig, machine):
        run = deploy(rig, "apt-lock")
    explained(run, machine, "lock")


@contextmanager
def without_package(rig: Rig, machine: str, package: str) -> Iterator[None]:
    """dpkg believes a package to be gone; its files stay, as the lab has no archive to ask."""
    status = "/var/lib/dpkg/status"
    gone = f"'/^Package: {package}$/,/^$/ s/^Status: .*/Status: deinstall ok config-files/'"
    rig.root(machine, f"cp -p {status} /root/status && sed -i {gone} {status}")
    try:
        yield
    finally:
        rig.root(machine, f"mv /root/status {status}")


@contextmanager
def apt_at_work(rig: Rig, machine: str) -> Iterator[None]:
    """The locks that apt holds while it runs, held as it holds them (fcntl)."""
    hold = (
        "import fcntl, time; names = 'apt/lists/lock dpkg/lock-frontend dpkg/lock'.split(); "
        "files = [open('/var/lib/' + name, 'w') for name in names]; "
        "[fcntl.lockf(file, fcntl.LOCK_EX) for file in files]; time.sleep(3600)"
    )
    unit = "e2e-apt"
    rig.root(machine, f'systemd-run --quiet --collect --unit={unit} python3 -c "{hold}"')
    try:
        yield
    finally:
        rig.root(machine, f"systemctl stop {unit}")


def test_a_byte_of_the_bundle_is_flipped(rig: Rig) -> None:
    assert rig.site.artefacts.base is not None
    whole = Path(rig.site.artefacts.base)
    # Beside it, as links can't lead to another file system (/tmp may be memory); under a name that
    # inventories/lab.py does not take for a bundle.
    with tempfile.TemporaryDirectory(prefix=".e2e-flipped-", dir=whole.parent) as folder:
        broken = Path(folder) / "bundle"
        shutil.copytree(whole, broken, copy_function=os.link)
        victim = next(broken.glob("dl.k8s.io/**/kubelet"))
        content = bytearray(victim.read_bytes())
        content[len(content) // 2] ^= 1
        victim.unlink()  # the link; the bundle's own file stays as it is
        victim.write_bytes(content)
        with untouched(rig), rig.setting(HOMELAB_BUNDLE=str(broken)):
            explained(deploy(rig, "flipped"), "kubelet", "SHA-256")


def test_two_people_deploy_at_the_same_time(rig: Rig) -> None:
    with untouched(rig):
        both = [Running(rig, f"person-{number}", CLUSTER, "-y") for number in (1, 2)]
        runs = [running.wait() for running in both]
    codes = sorted(run.returncode for run in runs)
    assert codes == [0, 1], [run.output[-1000:] for run in runs]
    explained(next(run for run in runs if run.returncode), "another deploy")
