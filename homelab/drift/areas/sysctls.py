"""Kernel settings: those in force, and files that will decide at the next boot instead of ours."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from homelab.documents.host import MODULES, sysctls
from homelab.drift.finding import Finding
from homelab.drift.view import Told, View

if TYPE_CHECKING:
    from facts.kernel import Kernel
    from facts.sysctl_files import Setting

OURS = "/etc/sysctl.d/90-homelab.conf"
LAST = "/etc/sysctl.conf"  # where nothing leads to it, only procps reads it, after all others
IN_FORCE, AT_BOOT = "in force now", "from the next boot on"
BRIDGE = MODULES[1]  # without it there are no settings net.bridge.*


def findings(view: View, told: Told) -> Iterator[Finding]:
    """One for each setting that is not as declared.

    If our own file is not as declared, that is the layers area's finding, and what is in force
    follows from it. A setting that has another file's value is told as that file's; one that is
    missing with its module as the module's (areas/host.py).
    """
    kernel, survey = told.facts.kernel, told.facts.survey
    if kernel is None or survey is None:
        return
    declared = sysctls(view.site, told.machine, survey.traits(told.machine.address))
    overrides = tuple(_overrides(kernel.settings or (), declared))
    for setting in overrides:
        now = (kernel.sysctls or {}).get(setting.name) == setting.value
        yield Finding(
            "host.sysctl-override", told.name, f"{setting.file} {setting.name}",
            declared[setting.name], f"{setting.value} ({IN_FORCE if now else AT_BOOT})",
            "undeclared",
        )  # fmt: skip
    if kernel.sysctls is None:
        return
    told_of = {(setting.name, setting.value) for setting in overrides}
    for name, value in declared.items():
        now_is = kernel.sysctls.get(name)
        if now_is == value or (name, now_is) in told_of or _by_our_file(kernel, name, value):
            continue
        if now_is is not None:
            yield Finding("host.sysctl", told.name, name, value, now_is)
        elif not name.startswith("net.bridge.") or BRIDGE in (kernel.modules or ()):
            yield Finding("host.sysctl", told.name, name, value, "no such setting")


def _overrides(settings: tuple[Setting, ...], declared: Mapping[str, str]) -> Iterator[Setting]:
    """Settings after ours with another value, unless a later file sets ours again.

    Wildcards are left out: they never win over a name that is set without (:mod:`facts.
    sysctl_files`), and all of ours are.
    """
    decided: set[str] = set()
    for setting in reversed(settings):
        name = setting.name
        if name not in declared or name in decided or not _after_ours(setting.file):
            continue
        if setting.value == declared[name]:
            decided.add(name)
        else:
            yield setting


def _after_ours(path: str) -> bool:
    return path == LAST or path.rpartition("/")[2] > OURS.rpartition("/")[2]


def _by_our_file(kernel: Kernel, name: str, value: str) -> bool:
    """Whether our file lacks the declared value, which the layers area tells. Unread: it has it."""
    if kernel.settings is None:
        return False
    ours = [s.value for s in kernel.settings if s.file == OURS and s.name == name]
    return ours[-1:] != [value]
