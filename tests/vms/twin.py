"""The one VM of these tests: its switch, the sites that it is given, and when it is settled."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

from homelab.documents.trial import SCRIPT
from homelab.lab.paths import REPO
from homelab.lab.vms.faults import Vms
from homelab.site.bonding import partner
from tests.e2e.support import sites
from tests.e2e.support.pyinfra import Run, Running
from tests.e2e.support.rig import INVENTORY, Rig
from tests.e2e.support.waiting import Condition, wait_for
from tests.vms.bond import bond, whole

MACHINE = "cp1"
NETWORK = "deploys/network.py"
TRIAL_S = 120  # emulated machines take seconds for a login
TAKEN_BACK = "network: the new one was taken back"
SETTLED_S = 60
BOOTED_S = 180


def vms(rig: Rig) -> Vms:
    """The lab, with what only VMs have."""
    assert isinstance(rig.lab, Vms)
    return rig.lab


def apply(rig: Rig, name: str, inventory: str | Path = INVENTORY, *more: str) -> Run:
    """The deploy of the network alone; the caller looks at the return code."""
    return Running(rig, name, NETWORK, "-y", *more, inventory=inventory).wait()


def other(rig: Rig, name: str, network: str) -> Path:
    """The site with another network, and a short trial."""
    trial = f"timings=_lab.timings.replace(network_trial_s={TRIAL_S})"
    return sites.changed(rig, name, f"network=_lab.network.replace({network}), {trial}")


def bonded(rig: Rig, name: str, options: str) -> Path:
    """The site with other options of its bond, and a short trial."""
    return other(rig, name, f"bonds=(_lab.network.bonds[0].replace({options}),)")


def change_mode(
    rig: Rig, name: str, site: str | Path, *more: str, patience: float | None = None
) -> Run:
    """The deploy changes the machine over the bond itself; the switch follows as soon as it has.

    So a person would do it, one at each end, and it is within the time that a change is on trial.
    Both ends are of one declaration: the switch's ports become what the site's bond needs.
    """
    (wanted,) = rig.declared(site).network.bonds
    changes = mode_of(rig) != wanted.mode
    running = Running(rig, name, NETWORK, "-y", *more, inventory=site)
    while changes and running.process.poll() is None:
        if mode_of(rig) == wanted.mode:
            vms(rig).switch.bundle(vms(rig).machine(MACHINE), partner(wanted))
            break
        time.sleep(1)
    return running.wait(patience)


def mode_of(rig: Rig) -> str:
    """ "" while there is no bond."""
    there = bond(rig, MACHINE)
    return there.mode if there else ""


def verdict(rig: Rig) -> str:
    """What the machine says of its last change."""
    return rig.root(MACHINE, f"{SCRIPT} verdict").strip()


def state(rig: Rig) -> str:
    """Its network as files and addresses have it."""
    return rig.root(MACHINE, "cat /etc/systemd/network/*.network; ip -br addr show bond0")


def report_of(rig: Rig) -> tuple[int, str]:
    """Exit code and text of `nox -s network`, on one line."""
    argv = rig.lab.nsenter([sys.executable, "-m", "deploys.report", INVENTORY])
    env = {**os.environ, **rig.environment, "PYTHONPATH": str(REPO)}
    done = subprocess.run(argv, cwd=REPO, env=env, capture_output=True, text=True, timeout=300)
    return done.returncode, " ".join((done.stdout + done.stderr).split())


def settle(rig: Rig, seconds: float = SETTLED_S) -> None:
    """Wait until the bond carries on all its legs."""
    wait_for([Condition("the bond is whole", lambda: whole(rig, MACHINE))], seconds)
