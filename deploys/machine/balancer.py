"""HAProxy and keepalived: one address for the API, whichever machine is alive."""

from __future__ import annotations

from deploys import conditions
from deploys.run import Run
from homelab.documents.balancer import haproxy
from homelab.documents.vip import keepalived
from homelab.site.model import Machine
from operations import gate, layer


def balance(run: Run, machine: Machine) -> None:
    """Both reload without losing a connection, so members need no guard here."""
    proxy = haproxy(run.site, machine)
    holder = keepalived(run.site, machine, run.traits(machine))
    if not (run.differs(machine, proxy) or run.differs(machine, holder)):
        return
    layer.apply(name="Balancers: HAProxy", layer=proxy)
    layer.apply(name="Balancers: keepalived", layer=holder)
    gate.passed(
        name="Balancers: gate",
        gate="balancers",
        conditions=conditions.balancer(run.site, machine),
        seconds=30,
    )
