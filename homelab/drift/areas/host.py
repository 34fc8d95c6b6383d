"""A machine's own life: whose it is, its name, its clock, its services, its kernel's settings.

In a container the kernel is the host's: there modules, swap and clock are not looked at.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator

from homelab.documents.host import MODULES
from homelab.drift.areas import disks, sysctls
from homelab.drift.finding import Finding
from homelab.drift.view import Told, View
from homelab.site import derived

CLOCK_S = 2.0  # for certain, however long the answer took
# Names of one time zone, of Debian's tzdata.
UTC = {"UTC", "Etc/UTC", "UCT", "Etc/UCT", "Universal", "Etc/Universal", "Zulu", "Etc/Zulu"}
EXPLAINS_LIVE = ("host.sysctl", "host.swap", "host.hostname")


def findings(view: View, told: Told) -> Iterator[Finding]:
    """Of one machine, beside the others where they ought to be alike."""
    yield from _member(view, told)
    yield from _hostname(told)
    yield from _time_zone(view, told)
    yield from _units(view, told)
    yield from sysctls.findings(view, told)
    yield from disks.findings(view, told)
    if told.facts.survey is not None and not told.facts.survey.is_container:
        yield from _own_kernel(told)
        yield from _clock(told)


def explains_live(findings: Iterable[Finding]) -> bool:
    """Whether these findings, of one machine, say why the host layer's ``live`` test failed.

    It tests the host name, all settings, and that there is no swap (documents/host.py).
    """
    return any(
        found.rule in EXPLAINS_LIVE
        or (found.rule == "host.sysctl-override" and sysctls.IN_FORCE in found.actual)
        or (found.rule == "host.module" and found.subject == sysctls.BRIDGE)
        for found in findings
    )


def _member(view: View, told: Told) -> Iterator[Finding]:
    """What a machine of no cluster lacks beside is told by each area that looks for it."""
    survey = told.facts.survey
    if survey is None or told.machine not in derived.nodes(view.site):
        return
    state = survey.membership(view.site.name)
    if state == "foreign":
        whose = survey.claim.get("site")
        actual = f"of the site {whose}" if whose else f"it has {', '.join(survey.remains)}"
        yield _found(told, "host.member", told.name, f"a member of {view.site.name}", actual)
    elif state != "ours":
        words = {"none": "of no cluster", "ours-unfinished": "joining, and not finished"}
        yield Finding("host.member", told.name, told.name, f"a member of {view.site.name}",
                      words[state], "not-yet-applied")  # fmt: skip


def _hostname(told: Told) -> Iterator[Finding]:
    """As the kernel has it; the file is the host layer's."""
    survey = told.facts.survey
    if survey is not None and survey.hostname not in ("", told.name):
        yield _found(told, "host.hostname", "hostname", told.name, survey.hostname)


def _time_zone(view: View, told: Told) -> Iterator[Finding]:
    """Any zone will do, as long as all machines have it; of as many, UTC."""
    zones = {other.name: _zone(other) for other in view.told}
    known = Counter(zone for zone in zones.values() if zone is not None)
    mine = zones[told.name]
    if mine is None:
        return
    most = max(known, key=lambda zone: (known[zone], zone == "UTC"))  # then that of the first
    if mine != most:
        yield _found(told, "host.time-zone", "time zone", most, mine)


def _zone(told: Told) -> str | None:
    zone = told.facts.kernel.time_zone if told.facts.kernel else None
    return "UTC" if zone in UTC else zone


def _units(view: View, told: Told) -> Iterator[Finding]:
    """But those of the layers, and kubelet's, which have rules of their own."""
    others: set[str] = set()
    if told.facts.layers is not None:
        others |= {unit for layer in told.layers for unit in layer.units}
    if told.facts.kubelet is not None and told.machine in derived.nodes(view.site):
        others.add("kubelet.service")
    failed = (told.facts.kernel.failed_units if told.facts.kernel else None) or ()
    for unit in failed:
        if unit not in others:
            yield _found(told, "host.failed-unit", unit, "not failed", "failed")


def _own_kernel(told: Told) -> Iterator[Finding]:
    kernel = told.facts.kernel
    if kernel is None:
        return
    for module in MODULES if kernel.modules is not None else ():
        if module not in (kernel.modules or ()):
            yield _found(told, "host.module", module, "loaded", "not loaded")
    for device in kernel.swaps or ():
        yield _found(told, "host.swap", device, "no swap", "in use")


def _clock(told: Told) -> Iterator[Finding]:
    """One finding: a clock that is off is worse than one that nobody keeps, which may follow.

    If the service that keeps it does not run, that is told by the host layer's unit.
    """
    survey, sync = told.facts.survey, told.facts.clock
    low, high = (survey.ahead if survey else None) or (0.0, 0.0)
    unsynced = sync is not None and sync.synchronized is False
    if low > CLOCK_S or high < -CLOCK_S:
        by = f"at least {min(abs(low), abs(high)):.1f} s {'ahead' if low > 0 else 'behind'}"
        actual = f"{by}, and not synchronised" if unsynced else by
        yield _found(told, "host.clock-off", "clock", "as the controller's", actual)
    elif sync is not None and unsynced and sync.service is not None:
        yield _found(told, "host.clock-unsynced", "clock", "synchronised",
                     f"{sync.service} has not synchronised it")  # fmt: skip


def _found(told: Told, rule: str, subject: str, expected: str, actual: str) -> Finding:
    return Finding(rule, told.name, subject, expected, actual)
