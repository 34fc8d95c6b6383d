"""The faults of issue 7, section 6, point 4: each by name, how it is done, and how it ends."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

from homelab.lab.vms.faults import Vms
from operations import guard
from tests.e2e.support import balancers, etcd
from tests.e2e.support.rig import Rig

# Whom it hits. The VIP is where it is; etcd's leadership is moved to where the fault wants it.
Victim = Literal["holder", "holder+leader", "leader", "neither", "worker"]
Act = Callable[[Rig, str], float]  # returns the monotonic time at which it took effect

FAILOVER = {"vip": 1.0, "reads": 1.5, "writes": 2.0}
WITH_ELECTION = {"vip": 1.0, "reads": 1.5, "writes": 3.0}
LEADER = {"vip": 0.0, "reads": 2.0, "writes": 2.0}
ONE_SECOND = {"vip": 1.0, "reads": 1.0, "writes": 1.0}
HUNG = {"vip": 3.0, "reads": 3.0, "writes": 3.0}
PLANNED = {"vip": 0.5, "reads": 0.5, "writes": 0.5}
UNSEEN = {"vip": 0.0, "reads": 0.0, "writes": 0.0}


@dataclass(frozen=True)
class Fault:
    """One thing that happens to one machine.

    ``mend`` is not a repair of the cluster but the end of the fault (power is back, the cable is
    in); None if it ends by itself. ``hold`` is how many seconds the fault lasts at least; after a
    power cut it lasts until the cluster serves again without the machine.
    """

    name: str
    title: str
    victim: Victim
    strike: Act
    mend: Act | None
    aims: Mapping[str, float]
    hold: float = 5.0
    long: bool = False  # only with --all
    # A machine that can't hear the others' adverts may rightly think that it is alone.
    may_share_vip: bool = False
    machines: Literal["containers", "vms", "all"] = "containers"  # where it is measured


def choose(rig: Rig, victim: Victim) -> str:
    """The machine to hit; moves etcd's leadership so that the fault means what it says."""
    holder = balancers.holder(rig)
    others = [name for name in rig.control_planes if name != holder]
    if victim == "worker":
        return rig.workers[0]
    if victim == "holder+leader":
        etcd.lead(rig, holder)
        return holder
    etcd.lead(rig, others[0])
    return {"holder": holder, "leader": others[0], "neither": others[1]}[victim]


def _root(script: str) -> Act:
    def act(rig: Rig, machine: str) -> float:
        rig.root(machine, script)
        return time.monotonic()

    return act


def _signal(process: str, signal: str) -> Act:
    # By exact name of the program, from outside of its container: systemd knows nothing of it.
    return _root(f"pkill -{signal} -x {process}")


def _power_off(rig: Rig, machine: str) -> float:
    return rig.lab.kill(machine)


def _power_on(rig: Rig, machine: str) -> float:
    return rig.lab.start(machine)


def _loss(percent: float) -> Act:
    return lambda rig, machine: rig.lab.loss(machine, percent)


# Killed, and kept from being started again by systemd, as a broken binary would be.
def _stays_dead(unit: str) -> Act:
    return _root(f"systemctl mask --runtime --quiet {unit}; systemctl kill -s KILL {unit}")


def _lives_again(unit: str) -> Act:
    return _root(f"systemctl unmask --runtime --quiet {unit}; systemctl start {unit}")


FAULTS = [
    Fault("nothing", "nothing happens (what the probes see at rest)", "neither",
          lambda rig, machine: time.monotonic(), None, UNSEEN, machines="all"),
    Fault("vip-holder-off", "the VIP holder loses power", "holder",
          _power_off, _power_on, FAILOVER, machines="all"),
    Fault("vip-holder-and-leader-off", "the VIP holder, etcd's leader too, loses power",
          "holder+leader", _power_off, _power_on, WITH_ELECTION),
    Fault("leader-off", "etcd's leader loses power", "leader",
          _power_off, _power_on, LEADER, machines="all"),
    Fault("neither-off", "a control plane that is neither loses power", "neither",
          _power_off, _power_on, LEADER),
    Fault("worker-off", "a worker loses power", "worker",
          _power_off, _power_on, UNSEEN, long=True),
    Fault("haproxy-dead", "HAProxy dies on the VIP holder and stays dead", "holder",
          _stays_dead("haproxy"), _lives_again("haproxy"), ONE_SECOND),
    Fault("keepalived-dead", "keepalived dies on the VIP holder", "holder",
          _root("systemctl kill -s KILL keepalived"), None, ONE_SECOND),
    Fault("keepalived-stays-dead", "keepalived dies on the VIP holder and stays dead", "holder",
          _stays_dead("keepalived"), _lives_again("keepalived"), ONE_SECOND, long=True),
    Fault("api-server-hangs", "the API server hangs (SIGSTOP) on the VIP holder", "holder",
          _signal("kube-apiserver", "STOP"), _signal("kube-apiserver", "CONT"), HUNG, hold=10),
    Fault("etcd-hangs", "etcd hangs (SIGSTOP) on its leader", "leader",
          _signal("etcd", "STOP"), _signal("etcd", "CONT"), HUNG, hold=10),
    Fault("kubelet-stops", "kubelet stops on the VIP holder", "holder",
          _root("systemctl stop kubelet"), _root("systemctl start kubelet"), UNSEEN, hold=8),
    Fault("containerd-restarts", "containerd is restarted on the VIP holder", "holder",
          _root("systemctl restart containerd"), None, UNSEEN),
    Fault("cut-20s", "a control plane's network is cut for 20 s", "neither",
          lambda rig, m: rig.lab.cut(m), lambda rig, m: rig.lab.heal(m), LEADER, hold=20),
    Fault("vip-holder-cut-20s", "the VIP holder's network is cut for 20 s", "holder",
          lambda rig, m: rig.lab.cut(m), lambda rig, m: rig.lab.heal(m), FAILOVER, hold=20),
    Fault("cut-5min", "a control plane's network is cut for 5 min", "neither",
          lambda rig, m: rig.lab.cut(m), lambda rig, m: rig.lab.heal(m), LEADER, hold=300,
          long=True),
    Fault("vip-holder-cut-5min", "the VIP holder's network is cut for 5 min", "holder",
          lambda rig, m: rig.lab.cut(m), lambda rig, m: rig.lab.heal(m), FAILOVER, hold=300,
          long=True),
    Fault("vip-holder-frozen", "the VIP holder freezes for 20 s and wakes up", "holder",
          lambda rig, m: rig.lab.freeze(m), lambda rig, m: rig.lab.thaw(m), FAILOVER, hold=20,
          machines="all"),
    Fault("two-legs-cut", "two of three legs of the VIP holder's bond are cut for 20 s", "holder",
          lambda rig, m: _two_legs(rig, m, cut=True), lambda rig, m: _two_legs(rig, m, cut=False),
          UNSEEN, hold=20, machines="vms"),
    Fault("vip-holder-and-leader-frozen",
          "the VIP holder, etcd's leader too, freezes for 20 s and wakes up", "holder+leader",
          lambda rig, m: rig.lab.freeze(m), lambda rig, m: rig.lab.thaw(m), WITH_ELECTION,
          hold=20, long=True),
    Fault("loss-1", "1 % of the VIP holder's packets are lost", "holder",
          _loss(1), _loss(0), UNSEEN, hold=15, may_share_vip=True),
    Fault("loss-20", "20 % of a control plane's packets are lost", "neither",
          _loss(20), _loss(0), {"vip": 0.0}, hold=15, may_share_vip=True),
    Fault("vip-holder-loss-20", "20 % of the VIP holder's packets are lost", "holder",
          _loss(20), _loss(0), {}, hold=30, long=True, may_share_vip=True),
    Fault("disk-full", "the disk under one etcd is full", "neither",
          lambda rig, m: rig.lab.fill_disk(m), lambda rig, m: rig.lab.free_disk(m), LEADER,
          hold=15),
    Fault("leader-disk-full", "the disk under etcd's leader is full", "leader",
          lambda rig, m: rig.lab.fill_disk(m), lambda rig, m: rig.lab.free_disk(m), LEADER,
          hold=30, long=True),
    Fault("planned-move", "VIP and leadership are moved on purpose", "holder+leader",
          lambda rig, m: _move_away(rig, m), _root("systemctl start keepalived"), PLANNED),
]  # fmt: skip


def _two_legs(rig: Rig, machine: str, cut: bool) -> float:
    assert isinstance(rig.lab, Vms)
    act = rig.lab.cut_leg if cut else rig.lab.heal_leg
    return max(act(machine, leg) for leg in (1, 2))


def _move_away(rig: Rig, machine: str) -> float:
    """As the deploy does it before a restart: the quorum guard's own script."""
    began = time.monotonic()
    others = [rig.address(name) for name in rig.control_planes if name != machine]
    rig.root(machine, guard.leave_script(rig.address(machine), others))
    return began
