"""The tests' rack: two machines' legs in GE0/0/1 to 0/0/6, a switch, and both ends asked."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from homelab.site import Site, Switch
from homelab.site.derived import mac
from homelab.switch import plan, reading
from homelab.switch.apply import Timing, apply
from homelab.switch.machines import Leg
from homelab.switch.parse import trunks
from homelab.switch.session import Session
from homelab.switch.wanted import Plug, wanted
from tests.unit.site.cases.switch import with_ports
from tests.unit.site.example_site import example, put
from tests.unit.switch import vrp_switch
from tests.unit.switch.vrp_config import Config
from tests.unit.switch.vrp_server import PASSWORD, Server

PATIENCE_S = 3.0  # a dropped connection is noticed after this
OTHERS = {  # ports that the site does not name
    "GigabitEthernet0/0/20": ["description uplink", "port link-type trunk",
                              "port trunk allow-pass vlan 10 20"],
    "GigabitEthernet0/0/21": ["port link-type access", "port default vlan 10"],
    "GigabitEthernet0/0/22": ["eth-trunk 1"],
    "Eth-Trunk1": ["mode lacp", "description to the other switch"],
}  # fmt: skip


def site(port: int = 22, changes: dict[str, Any] | None = None, **switch: Any) -> Site:
    """Two machines with a switch on loopback; ``changes`` by path."""
    own: dict[str, Any] = {
        "address": "127.0.0.1",
        "ssh_user": "admin",
        "ssh_port": port,
        "ssh_host_key": "ignore",
    }
    found: Any = example().replace(machines=with_ports()[:2], switch=Switch(**(own | switch)))
    for path, value in (changes or {}).items():
        found = put(found, path, value)
    assert isinstance(found, Site)
    return found


def config(v8: bool = False, ports: dict[str, list[str]] | None = None) -> Config:
    """24 ports, none of ours in a group; ``ports`` has lines of some."""
    plain: dict[str, list[str]] = {f"GigabitEthernet0/0/{n}": [] for n in range(1, 25)}
    lines = plain | {name: [*own] for name, own in OTHERS.items()} | (ports or {})
    return Config({1, 10}, lines, v8=v8)


def machine(v8: bool = False, ports: dict[str, list[str]] | None = None) -> vrp_switch.Switch:
    """A switch whose running configuration is saved."""
    return vrp_switch.Switch(config(v8, ports), config(v8, ports), v8=v8)


class Machines:
    """The machines' side: a leg is aggregated where the switch has its port in a group."""

    def __init__(self, switch: vrp_switch.Switch, plugs: tuple[Plug, ...]) -> None:
        self.switch, self.plugs = switch, plugs
        self.mode = "802.3ad"
        self.asked = 0

    def __call__(self) -> tuple[Leg, ...]:
        self.asked += 1
        running = trunks(self.switch.groups)
        members = {m.port: (t, m) for t in running.values() for m in t.members}
        return tuple(self._leg(plug, members.get(plug.port)) for plug in self.plugs)

    def _leg(self, plug: Plug, here: Any) -> Leg:
        passes = here is not None and here[0].lacp and here[1].passes
        return Leg(
            machine=plug.machine,
            mac=plug.mac,
            bond="bond0",
            mode=self.mode,
            up=True,
            active=plug.mac.endswith(":02"),  # the second leg of each is its lifeline
            aggregated=passes,
            partner=mac("4c1f-cc45-a8f8") if passes else None,
        )


class Rig:
    """A session with the switch, and what a run of ours does with it."""

    def __init__(self, switch: vrp_switch.Switch, declared: Site) -> None:
        assert declared.switch is not None
        self.switch, self.site = switch, declared
        self.session = Session(declared.switch, PASSWORD, PATIENCE_S)
        self.wanted = wanted(declared)
        self.machines = Machines(switch, self.wanted.plugs)
        self.said: list[str] = []

    def steps(self) -> list[plan.Step]:
        assert self.site.switch is not None
        found = reading.switch(self.session, self.site.switch.platform)
        return plan.plan(self.wanted, found, self.site.switch.first_trunk, self.machines())

    def timing(self, sleep: Callable[[float], None] | None = None) -> Timing:
        return Timing(
            minutes=10, settle_s=20, clock=lambda: self.switch.now,
            sleep=sleep or self.switch.advance,
        )  # fmt: skip

    def apply(self, steps: list[plan.Step] | None = None, **timing: Any) -> None:
        prove = reading.prover(self.session, self.wanted, self.machines)
        chosen = self.steps() if steps is None else steps
        apply(self.session, chosen, prove, self.timing(**timing), self.said.append)


@contextmanager
def rig(switch: vrp_switch.Switch, **declared: Any) -> Iterator[Rig]:
    """A site with ``declared`` of its switch, over a server that runs as long as this."""
    with Server(switch) as server:
        found = Rig(switch, site(server.port, platform="vrp8" if switch.v8 else "vrp5", **declared))
        try:
            yield found
        finally:
            found.session.close()
