"""etcd: who belongs to it, is it well, does it have room."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from homelab.drift.finding import CLUSTER, Finding
from homelab.drift.view import Told, View
from homelab.site import derived

if TYPE_CHECKING:
    from facts.etcd import EtcdState, Member, Status

QUOTA = 2 * 1024**3  # --quota-backend-bytes, etcd's own default; ours sets none
FULL, FRAGMENTED = 0.8, 0.5
FRAGMENTED_FROM = 256 * 1024**2  # half of nothing is nothing


def cluster_findings(view: View) -> Iterator[Finding]:
    """The member list, by whichever member answers; then each declared member's own state."""
    states = {told.name: told.facts.etcd for told in view.planes if told.facts.etcd is not None}
    speaking = next((s for s in states.values() if s.members is not None), None)
    if speaking is not None:
        yield from _members(view, speaking.members or ())
    if speaking is not None and speaking.alarms:
        names = {m.id: m.name for m in speaking.members or ()}
        for alarm in speaking.alarms:
            yield Finding("etcd.alarm", names.get(alarm.member) or CLUSTER, alarm.alarm,
                          "no alarm", alarm.alarm)  # fmt: skip
    statuses = {name: s.status() for name, s in states.items()}
    for told in view.planes:
        state = states.get(told.name)
        if state is not None:
            yield from _own(told, state, statuses[told.name])
    yield from _together({name: s for name, s in statuses.items() if s is not None})


def _members(view: View, members: tuple[Member, ...]) -> Iterator[Finding]:
    declared = {m.name: m for m in derived.control_planes(view.site)}
    there = {member.name: member for member in members}
    joined = {
        told.name
        for told in view.planes
        if told.facts.survey and told.facts.survey.membership(view.site.name) == "ours"
    }
    for name in declared:
        if name not in there and (name in joined or view.of(name).silent):
            yield Finding("etcd.member-missing", name, name, "a voter", "no member")
    for member in members:
        if member.name not in declared:
            urls = ", ".join(member.peer_urls)
            yield Finding("etcd.member-undeclared", CLUSTER, member.name or urls, "no member",
                          f"{'a learner' if member.is_learner else 'a voter'} at {urls}",
                          "undeclared")  # fmt: skip
            continue
        url = f"https://{declared[member.name].address}:2380"
        if member.peer_urls != (url,):
            yield Finding("etcd.peer-url", member.name, member.name, url,
                          ", ".join(member.peer_urls))  # fmt: skip
        if member.is_learner:
            yield Finding("etcd.learner", member.name, member.name, "a voter", "a learner")


def _own(told: Told, state: EtcdState, status: Status | None) -> Iterator[Finding]:
    for health in state.healths or ():
        # nothing healthy without a leader: one cause, told once for all
        if not health.healthy and (status is None or status.leader != "0"):
            words = health.error or "not healthy"
            yield Finding("etcd.unhealthy", told.name, told.name, "healthy", words)
    if status is None:
        return
    if status.leader == "0":
        yield Finding("etcd.no-leader", told.name, told.name, "a leader", "none")
    if status.db_size > FULL * QUOTA:
        yield Finding("etcd.size", told.name, told.name, f"below {FULL:.0%} of its quota",
                      f"{status.db_size / QUOTA:.0%}")  # fmt: skip
    used = status.db_size_in_use
    if used is not None and FRAGMENTED_FROM < status.db_size > used / FRAGMENTED:
        yield Finding("etcd.fragmented", told.name, told.name, "mostly in use",
                      f"{used / status.db_size:.0%} of {status.db_size >> 20} MiB")  # fmt: skip


def _together(statuses: dict[str, Status]) -> Iterator[Finding]:
    versions = {status.version for status in statuses.values()}
    if len(versions) > 1:
        newest = max(versions, key=lambda v: [int(p) for p in v.split("-")[0].split(".")])
        for name, status in statuses.items():
            if status.version != newest:
                yield Finding("etcd.version", name, name, newest, status.version)
    leaders = {s.leader for s in statuses.values() if s.leader != "0"}
    if len(leaders) > 1:
        yield Finding("etcd.two-leaders", CLUSTER, "leader", "one leader for all",
                      f"{len(leaders)} leaders, as members see it")  # fmt: skip
