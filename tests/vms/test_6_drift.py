"""Drift of what only a machine with a kernel, a bond and a clock of its own can have."""

from __future__ import annotations

import time

import pytest

from tests.e2e.support.drift import drift, until_clean
from tests.e2e.support.drifts import Drift
from tests.e2e.support.drifts.drift import made
from tests.e2e.support.rig import Rig
from tests.vms.twin import MACHINE

# Reading one emulated machine takes a minute and a half, so none of it is part of CI.
pytestmark = pytest.mark.long
SETTLED_S = 600.0
BOND = "/sys/class/net/bond0/bonding"

DRIFTS = (
    made("leg-down", MACHINE, "ip link set $(ls -d /sys/class/net/bond0/lower_* | head -1 | sed 's/.*lower_//') down", "ip link set $(ls -d /sys/class/net/bond0/lower_* | head -1 | sed 's/.*lower_//') up", "network.bond/cp1", patience=20),
    made("hash-changed", MACHINE, f"echo layer2 > {BOND}/xmit_hash_policy", f"echo layer3+4 > {BOND}/xmit_hash_policy", "network.bond/cp1"),
    made("network-file-edited", MACHINE, "f=$(ls /etc/systemd/network/*.netdev | head -1); cp -p $f /root/n; echo '# mine' >> $f", "f=$(ls /etc/systemd/network/*.netdev | head -1); cat /root/n > $f; touch -r /root/n $f; rm /root/n", "network.file/cp1"),
    made("kernel-setting", MACHINE, "sysctl -qw kernel.panic=0", "sysctl -qw kernel.panic=10", "host.sysctl/cp1/kernel.panic"),
    made("swap-on", MACHINE, "fallocate -l 64M /root/swap; chmod 600 /root/swap; mkswap -q /root/swap; swapon /root/swap", "swapoff /root/swap; rm /root/swap", "host.swap/cp1"),
    made("time-sync-stopped", MACHINE, "systemctl stop systemd-timesyncd", "systemctl start systemd-timesyncd", "host.unit/cp1"),
    made("clock-off", MACHINE, "systemctl stop systemd-timesyncd; date -s '+30 seconds' >/dev/null; systemctl start systemd-timesyncd", "date -s '-30 seconds' >/dev/null", "host.clock-off/cp1"),
)  # fmt: skip


def test_a_vm_as_declared_has_no_finding(rig: Rig) -> None:
    seen = until_clean(rig, SETTLED_S)
    assert (seen.ids, seen.code) == (set(), 0)
    print(f"read in {seen.seconds:.1f} s")


@pytest.mark.parametrize(
    "wanted",
    [pytest.param(d, id=d.name) for d in DRIFTS],
)
def test_a_drift_is_found_as_what_it_is(rig: Rig, wanted: Drift) -> None:
    rig.root(MACHINE, f"set -e\n{wanted.inject}")
    try:
        seen = drift(rig)
        deadline = time.monotonic() + wanted.patience
        while not seen.findings and time.monotonic() < deadline:
            seen = drift(rig)
    finally:
        rig.root(MACHINE, f"set -e\n{wanted.heal}")
    assert [i for i in seen.ids if i.startswith(wanted.finding)], seen.ids
    assert all(i.startswith(wanted.finding) or "network.note" in i for i in seen.ids), seen.ids
    assert until_clean(rig, SETTLED_S).ids == set()
