"""Debian's packages: what the deploy relies on, what is in its way, where apt gets them from.

ifupdown and NetworkManager are left out: the network's layer switches them off where they are.
Debian's containerd beside ours as well: our unit runs our own.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from homelab.documents.host import NOT_FROM_APT
from homelab.drift.finding import Finding
from homelab.drift.view import Told, View
from homelab.preflight.survey import Survey
from homelab.site import derived

if TYPE_CHECKING:
    from facts.apt import Apt
    from facts.apt_sources import Source

# What these sign is Debian's, from whatever mirror (debian-archive-keyring 2023 and 2025).
KEYRINGS = (
    "/usr/share/keyrings/debian-archive-keyring.gpg",
    "/usr/share/keyrings/debian-archive-keyring.pgp",
)
PINS = "/etc/apt/preferences.d/homelab"  # ours, judged with the host's layer
FIREWALLS = ("firewalld", "ufw")
# Each comes with another containerd, or takes over forwarding and iptables for itself.
RUNTIMES = ("containerd.io", "docker-ce", "docker.io", "moby-engine")
CLOCKS = ("chrony", "ntp", "ntpsec", "openntpd")
# Debian lets only one of these in: where the rival is, the other is not missing for itself.
RIVALS = {"containerd": ("containerd.io",), "systemd-timesyncd": CLOCKS}


def findings(view: View, told: Told) -> Iterator[Finding]:
    """Packages by the survey; sources, pins, states and boots by apt's fact."""
    survey, apt = told.facts.survey, told.facts.apt
    if survey is not None:
        yield from _missing(told, survey, apt)
        yield from _unwanted(view, told, survey)
    if apt is None:
        return
    for source in apt.sources or ():
        yield from _source(told, source, apt.codename or "")
    for path in apt.pins or ():
        if path != PINS:
            yield Finding("packages.pin", told.name, path, "no such file", "there", "undeclared")
    for package, state in (apt.broken or {}).items():
        yield Finding("packages.half-installed", told.name, package, "ii", f"{state} by dpkg -l")
    if survey is not None and not survey.is_container:
        yield from _boot(told, apt)


def _missing(told: Told, survey: Survey, apt: Apt | None) -> Iterator[Finding]:
    # the survey has those alone that are neither held nor half installed
    there = {*survey.packages}
    if apt is not None:
        there |= {*(apt.held or ()), *(apt.broken or {})}
    for package in told.packages:
        if package not in there and not there & {*RIVALS.get(package, ())}:
            yield Finding("packages.missing", told.name, package, "installed", "not installed")


def _unwanted(view: View, told: Told, survey: Survey) -> Iterator[Finding]:
    unwanted = dict.fromkeys(FIREWALLS, "the firewall is nftables, by the deploy")
    if told.machine in derived.nodes(view.site):
        unwanted |= dict.fromkeys(NOT_FROM_APT, "the deploy installs it, apt must not")
        unwanted |= dict.fromkeys(RUNTIMES, f"the runtime is {view.site.kubernetes.runtime}")
    if told.machine in derived.control_planes(view.site):
        unwanted["etcd-server"] = "etcd is a static pod"
    if not survey.is_container:  # it has no clock of its own
        unwanted |= dict.fromkeys(CLOCKS, "systemd-timesyncd keeps the time")
    for package in sorted(unwanted.keys() & survey.packages.keys()):
        version = f"{survey.packages[package]} is installed"
        yield Finding(
            "packages.unwanted", told.name, package, unwanted[package], version, "undeclared"
        )


def _source(told: Told, source: Source, codename: str) -> Iterator[Finding]:
    """Binary packages from elsewhere than Debian, or from another Debian than this one."""
    if "deb" not in source.types:  # sources of packages install nothing
        return
    release = re.compile(rf"{re.escape(codename)}([-/].*)?") if codename else re.compile(".*")
    for uri in source.uris:
        for suite in source.suites:
            if not _is_debian(uri, source):
                expected = "packages of Debian alone"
            elif source.trusted:
                expected = "packages that are signed"
            elif not release.fullmatch(suite):
                expected = f"packages of {codename}"
            else:
                continue
            unsigned = ", taken unsigned" if source.trusted else ""
            actual = f"{suite} {' '.join(source.components)}".strip() + f", in {source.path}"
            yield Finding(
                "packages.foreign-source",
                told.name,
                f"{uri} {suite}",
                expected,
                actual + unsigned,
                "undeclared",
            )


def _is_debian(uri: str, source: Source) -> bool:
    """A mirror that only passes on what Debian has signed is as good as Debian's own host."""
    found = re.match(r"(?:[a-z]+\+)?(?:https?|ftp)://([^/:?#]+)", uri)
    if not found:  # file:, cdrom: and whatever there is: no site can declare them
        return False
    signers = source.signed_by.replace(",", " ").split()
    signed = bool(signers) and all(signer in KEYRINGS for signer in signers)
    return f".{found[1]}".endswith(".debian.org") or (signed and not source.trusted)


def _boot(told: Told, apt: Apt) -> Iterator[Finding]:
    """One finding, however many packages wait for it."""
    reasons: list[str] = []
    if newer := _newer_kernel(apt):
        reasons.append(f"kernel {apt.running} runs, {newer} is installed")
    if apt.reboot_required:
        asked = ", ".join(apt.reboot_packages or ()) or "a package"
        reasons.append(f"asked for by {asked}")
    if reasons:
        words = "what is installed is what runs"
        yield Finding("host.reboot-pending", told.name, "reboot", words, "; ".join(reasons))


def _newer_kernel(apt: Apt) -> str:
    """The release and version of a later kernel of the running one's flavour; "" if there is none.

    Debian also replaces a kernel by one of the same release: then the package's version differs.
    """
    if apt.images is None or apt.running is None:
        return ""
    running, flavour = _release(apt.running)
    later = [
        (numbers, release)
        for release, (numbers, other) in ((name, _release(name)) for name in apt.images)
        if other == flavour and numbers > running
    ]
    if later:
        return max(later)[1]
    version = apt.images.get(apt.running)
    return version if version and apt.running_version not in ("", version) else ""


def _release(text: str) -> tuple[tuple[int, ...], str]:
    """Numbers and flavour: "6.1.0-49-cloud-amd64", "6.12.43+deb13-amd64"."""
    found = re.fullmatch(r"([\d.]+(?:\+[a-z0-9.]+)?(?:-\d[\w.]*)?)-([a-z].*)", text)
    if not found:  # a kernel that is no package of Debian's
        return (), text
    return tuple(int(number) for number in re.findall(r"\d+", found[1])), found[2]
