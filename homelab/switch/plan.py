"""From what the switch has to what the site wants, in an order that leaves each machine a path.

A machine's bond is as the site says before its ports are touched. With 802.3ad and no partner it
uses one leg: that one, the lifeline, moves last, when its other legs are proven in their group. A
group's mode never changes under its members: legs move into a new one. Machines come one by one.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from homelab.switch import render
from homelab.switch.machines import Leg
from homelab.switch.parse import Interface, Running, Trunk, Version
from homelab.switch.render import Edit
from homelab.switch.wanted import Group, Plug, Single, Wanted

LAST_TRUNK = 127
BONDED = {True: ("802.3ad",), False: ("balance-rr", "balance-xor", "broadcast")}


class Refused(Exception):
    """Nothing was touched; ``problems`` says, a line each, why and what to do."""

    def __init__(self, problems: Sequence[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = tuple(problems)


@dataclass(frozen=True)
class Step:
    """What is done at once. ``proves``: ports that have to work, from both ends, after it."""

    what: str
    edits: tuple[Edit, ...]
    proves: frozenset[str] = frozenset()

    @property
    def lines(self) -> list[str]:
        return render.lines(self.edits)

    @property
    def undo(self) -> list[str]:
        return render.undo_lines(self.edits)


@dataclass(frozen=True)
class Switch:
    """What was read of the switch. ``platform`` is the site's word for it."""

    running: Running
    trunks: dict[int, Trunk]
    version: Version
    platform: str


def plan(wanted: Wanted, switch: Switch, first: int, legs: Iterable[Leg]) -> list[Step]:
    """The steps; none if all is as wanted. Refused, if a port or a machine is not ready for it."""
    by_mac = {leg.mac: leg for leg in legs}
    if absent := list(_absent(wanted, switch.running)):
        raise Refused(absent)
    steps: list[Step] = []
    if missing := wanted.vlans - switch.running.vlans:
        steps.append(Step("the VLANs that are missing", (render.make_vlans(missing),)))
    problems: list[str] = []
    for group, number in numbered(wanted, switch, first):
        found = list(_group_steps(group, number, switch, by_mac))
        problems += _not_ready(group, by_mac) if any(step.proves for step in found) else ()
        steps += found
    leaving = [s for s in wanted.singles if switch.running.trunk_of(s.plug.port) is not None]
    staying = [s for s in wanted.singles if s not in leaving]
    leaving.sort(key=lambda s: (s.plug.machine, _is_lifeline(s.plug, by_mac)))
    for single in [*staying, *leaving]:
        steps += _single_steps(single, switch)
    problems += [
        f"port {plug.port} of {plug.machine} has {line!r}, which is not undone here: take it off "
        f"by hand"
        for plug in wanted.plugs
        for line in render.vlan_lines(switch.running.interfaces[plug.port])
        if render.inverse(line) is None
    ]
    if problems:
        raise Refused(problems)
    return steps


def numbered(wanted: Wanted, switch: Switch, first: int) -> Iterator[tuple[Group, int]]:
    """Each group with its Eth-Trunk: the one that has its ports, else the next free number.

    So no machine that comes or goes renumbers another one's.
    """
    known = [(group, _present(group, switch)) for group in wanted.groups]
    taken = {name for name in switch.running.interfaces if name.startswith("Eth-Trunk")}
    free = (n for n in range(first, LAST_TRUNK + 1) if f"Eth-Trunk{n}" not in taken)
    for group, number in known:
        if number is None:
            number = next(free, None)
        if number is None:
            raise Refused(["the switch has no free Eth-Trunk: lower switch.first_trunk"])
        yield group, number


def _present(group: Group, switch: Switch) -> int | None:
    """The Eth-Trunk of the right mode that has some of the group's ports, and nobody else's."""
    ports = set(group.ports)
    numbers = {n for port in ports if (n := switch.running.trunk_of(port)) is not None}
    fitting = [
        number
        for number in sorted(numbers)
        if switch.running.members(number) <= ports and _is_lacp(number, switch) == group.lacp
    ]
    count = switch.running.members
    return max(fitting, key=lambda number: len(count(number) & ports), default=None)


def _is_lacp(number: int, switch: Switch) -> bool:
    return any("lacp" in line for line in _trunk(number, switch).having("mode "))


def _trunk(number: int, switch: Switch) -> Interface:
    name = f"Eth-Trunk{number}"
    return switch.running.interfaces.get(name, Interface(name, ()))


def _group_steps(
    group: Group, number: int, switch: Switch, by_mac: dict[str, Leg]
) -> Iterator[Step]:
    now, name = _trunk(number, switch), f"Eth-Trunk{number}"
    edits = [] if name in switch.running.interfaces else [render.make_trunk(number)]
    edits += render.shape(group, number, now, switch.trunks.get(number), switch.version)
    edits += render.frames(f"interface {name}", now, group.frame)
    edits += render.link(f"interface {name}", now, group.carried, switch.platform)
    members = set(switch.running.members(number))
    if edits:
        what = f"{group.machine}: {name} for {group.bond}"
        yield Step(what, tuple(edits), frozenset(members))
    moving = [plug for plug in group.plugs if plug.port not in members]
    moving.sort(key=lambda plug: _is_lifeline(plug, by_mac))  # stable: else as declared
    for left, plug in zip(range(len(moving) - 1, -1, -1), moving, strict=True):
        members.add(plug.port)
        proven = frozenset(members) if left <= 1 else frozenset()
        yield Step(
            f"{group.machine}: {plug.port} joins {name}",
            tuple(_move(plug, number, group.frame, switch)),
            proven,
        )


def _move(plug: Plug, number: int, frame: int, switch: Switch) -> Iterator[Edit]:
    port = switch.running.interfaces[plug.port]
    old = switch.running.trunk_of(plug.port)
    view = f"interface {port.name}"
    if old is not None:
        yield render.leave(old, port.name)
    yield from render.frames(view, port, frame)
    yield from render.bare(view, port)
    yield render.join(number, port.name)


def _single_steps(single: Single, switch: Switch) -> Iterator[Step]:
    plug, port = single.plug, switch.running.interfaces[single.plug.port]
    old = switch.running.trunk_of(plug.port)
    view = f"interface {port.name}"
    edits = [] if old is None else [render.leave(old, port.name)]
    edits += render.frames(view, port, single.frame)
    edits += render.link(view, port, single.carried, switch.platform)
    if edits:
        what = "carries its VLANs" if old is None else f"leaves Eth-Trunk{old}"
        yield Step(f"{plug.machine}: {plug.port} {what}", tuple(edits), frozenset({plug.port}))


def _is_lifeline(plug: Plug, by_mac: dict[str, Leg]) -> tuple[bool, bool]:
    """Sorts last what carries the machine's traffic now, and among those the preferred leg."""
    leg = by_mac.get(plug.mac)
    return leg is not None and leg.active, plug.primary


def _absent(wanted: Wanted, running: Running) -> Iterator[str]:
    there = [name for name in running.interfaces if "/" in name]
    for plug in wanted.plugs:
        if plug.port not in running.interfaces:
            shown = f"{there[0]} to {there[-1]}" if there else "no port at all"
            yield (
                f"the switch has no port {plug.port}, where the site has {plug.mac} of "
                f"{plug.machine}; it has {shown}: mend Nic.port"
            )


def _not_ready(group: Group, by_mac: dict[str, Leg]) -> Iterator[str]:
    """A machine whose bond is not yet as the site says would lose its path, or does not answer."""
    for plug in group.plugs:
        leg = by_mac.get(plug.mac)
        if leg is None:
            yield (
                f"{group.machine} does not say how its leg {plug.mac} is (in {plug.port}): is the "
                f"machine up, is {group.bond} set up? Run the deploy first, then this"
            )
        elif leg.mode not in BONDED[group.lacp]:
            yield (
                f"{group.machine}'s {leg.bond} is {leg.mode}, and would lose its path in a group: "
                f"run the deploy first (one leg goes on until the switch answers), then this"
            )
            return
