"""What a case is: a rule, the field of its fault, and what is changed in the example site."""

from __future__ import annotations

from typing import Any

from homelab.site import Machine
from tests.unit.site.example_site import example

Case = tuple[str, str, dict[str, Any]]

M0 = "machines[0]"
MACHINES = example().machines
BALANCERS = tuple(
    Machine(name=f"b{n}", address=f"192.168.10.2{n}", roles=("balancer",), network="foreign")
    for n in (1, 2)
)
ON_MACHINES = {"api.balancers": "machines", "ingress.dmz": "b1"}


def one(rule: str, field: str, *values: Any) -> list[Case]:
    """Cases that set the very field at which the fault is expected."""
    return [(rule, field, {field: value}) for value in values]
