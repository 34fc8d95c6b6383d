"""A valid site to break, and a way to change one field of it by its path."""

from __future__ import annotations

import re
from typing import Any

from homelab.site import (
    Api,
    Bond,
    Ingress,
    Kubernetes,
    Machine,
    Network,
    Nic,
    Site,
)
from homelab.site.model import Artefacts


def example() -> Site:
    """Three control planes that run pods, and a worker; every optional part is there."""
    return Site(
        name="rack",
        machines=tuple(_machine(number) for number in range(1, 5)),
        network=Network(
            subnet="192.168.10.0/24",
            gateway="192.168.10.1",
            dns=("192.168.10.1", "9.9.9.9"),
            ntp=("ntp.example.org",),
            bonds=(Bond(),),
            admin_cidrs=("10.8.0.0/24",),
        ),
        api=Api(name="api.home.arpa", vip="192.168.10.10"),
        kubernetes=Kubernetes(version="1.36.4"),
        artefacts=Artefacts(),
        ingress=Ingress(dmz="n1", router="home.example.org"),
    )


def _machine(number: int) -> Machine:
    return Machine(
        name=f"n{number}",
        address=f"192.168.10.{10 + number}",
        roles=("control_plane", "worker") if number <= 3 else ("worker",),
        ssh_user="admin",
        nics=tuple(Nic(mac=f"0c:c4:7a:00:{number:02x}:{port:02x}") for port in (1, 2, 3)),
        labels={"example.org/disk": "large"},
        taints=("example.org/slow=yes:PreferNoSchedule",),
    )


def put(thing: Any, path: str, value: Any) -> Any:
    """A copy of ``thing`` with ``value`` at ``path``, written as in a fault's field."""
    found = re.fullmatch(r"\.?(\w+)(.*)|\[(\d+)\](.*)", path)
    assert found, path
    name, rest, number, others = found.groups()
    if number is not None:
        items = list(thing)
        items[int(number)] = put(items[int(number)], others, value) if others else value
        return tuple(items)
    return thing.replace(**{name: put(getattr(thing, name), rest, value) if rest else value})


def changed(changes: dict[str, Any]) -> Site:
    """The example with several changes."""
    site: Any = example()
    for path, value in changes.items():
        site = put(site, path, value)
    assert isinstance(site, Site)
    return site
