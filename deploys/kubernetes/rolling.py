"""Changes that interrupt a member: one machine at a time, behind the quorum guard and a gate."""

from __future__ import annotations

from deploys import conditions, layers
from deploys.run import Run
from homelab.documents.document import Layer
from homelab.documents.kubelet import kubelet
from homelab.documents.runtime import runtime
from homelab.site import derived
from homelab.site.model import Machine
from operations import gate, guard, layer
from operations.condition import Condition


def to_roll(run: Run) -> list[Machine]:
    """Members whose runtime, kubelet or control plane is not as declared."""
    return [machine for machine in run.members if _changed(run, machine)]


def roll(run: Run, machine: Machine) -> None:
    """Every line names the machine: each is a step of its own, and the next one waits for it."""
    changed = _changed(run, machine)
    if guarded(run, machine):
        guard.leave(
            name=f"Rolling: {machine.name} gives away VIP and leadership",
            address=machine.address,
            others=others(run, machine),
        )
    for item in changed:
        layer.apply(name=f"Rolling: {machine.name}, {item.name}", layer=item)
    if machine in derived.control_planes(run.site):
        guard.come_back(name=f"Rolling: {machine.name} may hold the VIP again")
    gate.passed(
        name=f"Rolling: {machine.name}, gate",
        gate=f"{machine.name} is back",
        conditions=conditions_of(run, machine),
        seconds=run.site.timings.gate_s,
    )


def _changed(run: Run, machine: Machine) -> list[Layer]:
    traits = run.traits(machine)
    wanted = [runtime(run.site, machine, traits), kubelet(run.site, machine, traits)]
    if machine in derived.workers(run.site):
        wanted.append(layers.worker(run, machine))
    if machine in derived.control_planes(run.site):
        initial = run.surveys[machine.name].etcd_initial
        wanted.append(layers.control_plane(run, machine, initial))
    return [item for item in wanted if run.differs(machine, item)]


def guarded(run: Run, machine: Machine) -> bool:
    """Is it a control plane among others, which hold what it gives away?"""
    planes = derived.control_planes(run.site)
    return machine in planes and len(planes) > 1


def others(run: Run, machine: Machine) -> list[str]:
    """Addresses of the other control planes that are members."""
    planes = derived.control_planes(run.site)
    return [m.address for m in planes if m != machine and run.phase(m) == "ours"]


def conditions_of(run: Run, machine: Machine) -> list[Condition]:
    """What must hold of an interrupted member before the next one may go."""
    found = [conditions.runtime(run.site), conditions.kubelet()]
    if machine in derived.control_planes(run.site):
        members = [m for m in derived.control_planes(run.site) if run.phase(m) == "ours"]
        found += [
            *conditions.restarted(),
            *conditions.etcd(run.site, len(members)),
            *conditions.static_pods(run.site),
        ]
    return found
