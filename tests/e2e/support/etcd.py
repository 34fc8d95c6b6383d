"""etcd as its members see it, asked by etcdctl on a machine that runs one."""

from __future__ import annotations

import json
from dataclasses import dataclass

from tests.e2e.support.rig import OnMachineError, Rig

PKI = "/etc/kubernetes/pki/etcd"
ETCDCTL = (
    "ETCDCTL_API=3 etcdctl --endpoints=https://127.0.0.1:2379 --command-timeout=5s "
    f"--cacert={PKI}/ca.crt --cert={PKI}/healthcheck-client.crt --key={PKI}/healthcheck-client.key"
)


@dataclass(frozen=True)
class Member:
    """A member of the cluster; ``name`` is empty until it has started once."""

    number: str  # hexadecimal, as etcdctl takes it
    name: str
    learner: bool


def etcdctl(rig: Rig, machine: str, command: str) -> str:
    """What etcdctl printed on ``machine``."""
    return rig.root(machine, f"{ETCDCTL} {command}", timeout=30)


def members(rig: Rig, machine: str) -> list[Member]:
    """All members as one of them knows them."""
    listed = json.loads(etcdctl(rig, machine, "member list -w json"))
    return [
        Member(f"{m['ID']:x}", m.get("name", ""), m.get("isLearner", False))
        for m in listed["members"]
    ]


def leader(rig: Rig, asked: str | None = None) -> str:
    """The machine whose etcd leads; asks the control planes in turn until one knows."""
    problems = []
    for machine in [asked] if asked else rig.control_planes:
        try:
            status = json.loads(etcdctl(rig, machine, "endpoint status -w json"))[0]["Status"]
            number = f"{status['leader']:x}"
            return next(m.name for m in members(rig, machine) if m.number == number)
        except (OnMachineError, StopIteration, OSError) as error:
            problems.append(str(error))
    raise LookupError(f"no etcd leader: {problems}")


def lead(rig: Rig, machine: str) -> None:
    """Move the leadership to ``machine``, if it is not there."""
    now = leader(rig)
    if now == machine:
        return
    number = next(m.number for m in members(rig, now) if m.name == machine)
    etcdctl(rig, now, f"move-leader {number}")


def problem(rig: Rig) -> str:
    """Why etcd is not whole: every member a started voter, one leader, healthy, no alarms."""
    expected = sorted(rig.control_planes)
    # In one go: each start of etcdctl and of an SSH session costs more than the answer.
    script = f"""
        {ETCDCTL} member list -w json
        {ETCDCTL} endpoint status --cluster -w json
        {ETCDCTL} endpoint health --cluster -w json
        {ETCDCTL} alarm list
    """
    said = rig.root(expected[0], script).splitlines()
    listed, statuses, healths = (json.loads(line) for line in said[:3])
    names = sorted(member.get("name", "") for member in listed["members"])
    if names != expected:
        return f"members {names}, not {expected}"
    learners = [member["name"] for member in listed["members"] if member.get("isLearner")]
    if learners:
        return f"learners: {learners}"
    leaders = {status["Status"].get("leader", 0) for status in statuses}
    if len(statuses) != len(expected) or len(leaders) != 1:
        return f"{len(statuses)} answer, leaders {[f'{number:x}' for number in leaders]}"
    sick = [health["endpoint"] for health in healths if not health["health"]]
    if sick:
        return f"sick: {sick}"
    return f"alarms: {said[3:]}" if said[3:] else ""
