"""Does it work? Asked of the switch and of the machines, and both have to say the same."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from homelab.switch.machines import Leg
from homelab.switch.parse import Member, Trunk
from homelab.switch.wanted import Group, Plug, Single, Wanted


def problems(
    ports: frozenset[str], wanted: Wanted, trunks: dict[int, Trunk], legs: Iterable[Leg]
) -> list[str]:
    """What does not work of ``ports``, a line each; none: proven from both ends."""
    by_mac = {leg.mac: leg for leg in legs}
    members = {m.port: (trunk, m) for trunk in trunks.values() for m in trunk.members}
    found: list[str] = []
    for group in wanted.groups:
        asked = [plug for plug in group.plugs if plug.port in ports]
        for plug in asked:
            found += _of_member(group, plug, members.get(plug.port), by_mac.get(plug.mac))
        if len({members[p.port][0].number for p in asked if p.port in members}) > 1:
            found.append(f"{group.machine}: {group.bond}'s ports are in several Eth-Trunks")
        systems = {m[1].partner for p in asked if (m := members.get(p.port)) and m[1].partner}
        if group.lacp and len(systems) > 1:
            found.append(
                f"{group.machine}: {', '.join(sorted(map(str, systems)))} answer on the ports of "
                f"one group: a cable leads to another machine"
            )
    for single in wanted.singles:
        if single.plug.port in ports:
            found += _of_single(single, members.get(single.plug.port), by_mac.get(single.plug.mac))
    return found


def _of_member(
    group: Group, plug: Plug, here: tuple[Trunk, Member] | None, leg: Leg | None
) -> Iterator[str]:
    at = f"{plug.machine}: leg {plug.mac} in {plug.port}"
    if here is None:
        yield f"{at} is in no Eth-Trunk, says the switch"
        return
    trunk, member = here
    if not member.passes:
        yield f"{at} passes nothing in Eth-Trunk{trunk.number}, says the switch"
    if leg is None:
        yield f"{at}: the machine says nothing of it"
    elif not leg.up:
        yield f"{at} has no link, says the machine"
    elif group.lacp and leg.aggregated is False:
        yield f"{at} is not aggregated, says the machine"
    elif group.lacp and leg.aggregated is None:
        yield f"{at}: the machine can't tell whether it is aggregated (its mode is {leg.mode})"
    elif group.lacp and trunk.system and leg.partner != trunk.system:
        yield f"{at} hears {leg.partner}, which is not this switch ({trunk.system})"


def _of_single(single: Single, here: tuple[Trunk, Member] | None, leg: Leg | None) -> Iterator[str]:
    at = f"{single.plug.machine}: leg {single.plug.mac} in {single.plug.port}"
    if here is not None:
        yield f"{at} is in Eth-Trunk{here[0].number}, says the switch"
    if leg is not None and not leg.up:
        yield f"{at} has no link, says the machine"
