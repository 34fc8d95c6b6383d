"""What every machine gets before anything of Kubernetes: packages, its base, its firewall."""

from __future__ import annotations

from pyinfra.operations import apt

from deploys import packages
from deploys.machine import sound
from deploys.run import Run
from homelab.documents.firewall import firewall
from homelab.documents.host import host
from homelab.site import derived
from homelab.site.model import Machine
from operations import disk, gate, layer
from operations import firewall as trial

APT = "-o DPkg::Lock::Timeout=120"  # somebody else's apt may be at work


def install_packages(run: Run, machine: Machine) -> None:
    """Debian's packages; asked of apt only where the survey misses one."""
    survey = run.surveys[machine.name]
    wanted = packages.wanted(run.site, machine, survey.is_container)
    missing = [name for name in wanted if name not in survey.packages]
    if missing:
        apt.packages(
            name="Host: packages",
            packages=missing,
            update=True,
            cache_time=3600,
            no_recommends=True,
            extra_install_args=APT,
        )


def configure_host(run: Run, machine: Machine) -> None:
    """Names, kernel settings, time, logs, swap; then what may reach the machine."""
    base = host(run.site, machine, run.traits(machine))
    if run.differs(machine, base):
        layer.apply(name="Host: base", layer=base)
    rules = firewall(run.site, machine, run.traits(machine))
    if run.differs(machine, rules):
        trial.apply(name="Host: firewall, kept after a new login", layer=rules)
    if run.differs(machine, base) or run.differs(machine, rules):
        gate.passed(
            name="Host: gate",
            gate="host",
            conditions=sound.base(run.site, machine, run.traits(machine)),
            seconds=30,
        )
    if (
        machine in derived.control_planes(run.site)
        and run.surveys[machine.name].disk_p99_ms is None
    ):
        disk.measure(
            name="Host: speed of the disk under etcd",
            bar_ms=run.site.disk_p99_ms,
            strict=run.site.disk_strict,
        )
