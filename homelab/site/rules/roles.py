"""Roles: how many machines do what."""

from __future__ import annotations

from collections.abc import Iterator

from homelab.site import derived
from homelab.site.fault import Fault
from homelab.site.model import Site
from homelab.site.rules.rule import items, machines, repeated, roles_are_known, rule


@rule
def no_roles(site: Site) -> Iterator[Fault]:
    """Every machine is there for something."""
    for path, machine in machines(site, "roles"):
        if not machine.roles:
            mend = 'give it "control_plane", "worker" or "balancer", or remove the machine'
            yield Fault(f"{path}.roles", machine.roles, "is empty", mend)


@rule
def duplicate_role(site: Site) -> Iterator[Fault]:
    """A role is named once."""
    for path, machine in machines(site, "roles"):
        named = [(at, role, role) for at, role in items(f"{path}.roles", machine.roles)]
        for at, first, role in repeated(named):
            yield Fault(at, role, f"is {first} too", "name it once")


@rule
def no_control_plane(site: Site) -> Iterator[Fault]:
    """A cluster has a control plane."""
    if site.machines and not _control_planes(site):
        mend = 'give three machines the role "control_plane"'
        yield Fault("machines", _names(site), "none is a control plane", mend)


@rule
def single_control_plane(site: Site) -> Iterator[Fault]:
    """One control plane is not highly available; it has to be wanted."""
    if _control_planes(site) == 1 and not site.allow_no_ha:
        problem = "one control plane is not highly available"
        mend = "declare three, or write allow_no_ha=True if this is meant"
        yield Fault("machines", _names(site), problem, mend)


@rule
def even_control_planes(site: Site) -> Iterator[Fault]:
    """An even number survives no more than one less (https://etcd.io/docs/latest/faq/)."""
    count = _control_planes(site)
    if count and count % 2 == 0:
        problem = f"{count} control planes survive no more losses than {count - 1}"
        mend = f"declare {max(count - 1, 3)} or {max(count + 1, 5)}"
        yield Fault("machines", _names(site), problem, mend)


@rule
def too_many_control_planes(site: Site) -> Iterator[Fault]:
    """etcd's FAQ: no more than seven members; each write waits for a majority."""
    count = _control_planes(site)
    if count > 7:
        problem = f"{count} control planes make every write to etcd slow"
        mend = "declare seven at most, the others as workers"
        yield Fault("machines", _names(site), problem, mend)


@rule
def allow_no_ha_superfluous(site: Site) -> Iterator[Fault]:
    """The exception is not kept once it is not needed, or it would hide a later loss."""
    if site.allow_no_ha and _control_planes(site) > 1:
        problem = "would hide that control planes are missing, once they are"
        yield Fault("allow_no_ha", True, problem, "remove it: it is for one control plane only")


@rule
def no_worker(site: Site) -> Iterator[Fault]:
    """Pods need a place: kubeadm taints control planes that are not workers as well."""
    roles_are_known(site)
    if site.machines and not derived.with_role(site, "worker"):
        problem = "none is a worker, so no pod of yours could run"
        mend = 'add "worker" to the roles of the machines that shall run pods (control planes may)'
        yield Fault("machines", _names(site), problem, mend)


def _control_planes(site: Site) -> int:
    roles_are_known(site)
    return len(derived.control_planes(site))


def _names(site: Site) -> str:
    """Who is what, short enough for a line."""
    return ", ".join(f"{m.name}: {'+'.join(m.roles)}" for _, m in machines(site, "name", "roles"))
