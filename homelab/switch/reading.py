"""What the switch is, read through a session; and the proof that asks both ends."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

from homelab.switch import parse, proof
from homelab.switch.machines import Machines, Unasked
from homelab.switch.plan import Step, Switch
from homelab.switch.session import SwitchError
from homelab.switch.wanted import Wanted


class Reader(Protocol):
    """What is asked of a session."""

    def read(self, command: str) -> str: ...
    def running(self) -> str: ...


def switch(reader: Reader, platform: str) -> Switch:
    """All that a plan needs."""
    version = parse.version(reader.read("display version"))
    if version is None:
        raise SwitchError("`display version` shows no VRP version: is it a Huawei with VRP?")
    said = f"vrp{version.vrp}"
    if said != platform:
        raise SwitchError(f"it runs VRP {version.vrp}: set switch.platform to {said!r}")
    trunks = parse.trunks(reader.read("display eth-trunk"))
    return Switch(parse.running(reader.running()), trunks, version, platform)


def prover(
    reader: Reader, wanted: Wanted, machines: Machines
) -> Callable[[frozenset[str]], list[str]]:
    """Asks the switch and the machines; that these can't be asked is a problem, too."""

    def prove(ports: frozenset[str]) -> list[str]:
        trunks = parse.trunks(reader.read("display eth-trunk"))
        try:
            return proof.problems(ports, wanted, trunks, machines())
        except Unasked as error:
            return [str(error)]

    return prove


def ports(wanted: Wanted, found: Switch) -> str:
    """Each leg's port, and the group that it is in now."""
    rows = [f"{'machine':<12} {'leg':<18} {'port':<24} now in"]
    for plug in wanted.plugs:
        there = plug.port in found.running.interfaces
        number = found.running.trunk_of(plug.port) if there else None
        now = "no group" if number is None else f"Eth-Trunk{number}"
        now = now if there else "(no such port)"
        rows.append(f"{plug.machine:<12} {plug.mac:<18} {plug.port:<24} {now}")
    return "\n".join(rows)


def typed(steps: Sequence[Step]) -> str:
    """What a change would type, step by step."""
    if not steps:
        return "the switch is as the site says: nothing to change"
    lines = [line for step in steps for line in (f"# {step.what}", *step.lines)]
    return "\n".join(["would type, in the system view:", *lines])
