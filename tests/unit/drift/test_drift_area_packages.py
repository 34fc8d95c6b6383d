"""Packages, where they come from, and boots: a machine as the lab makes it is clean."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from facts import apt
from facts.apt import Apt
from facts.apt_sources import Source
from homelab.drift.areas.packages import findings
from homelab.drift.finding import Finding
from tests.unit.documents.document_sites import lab, rack
from tests.unit.drift.drift_views import member, view
from tests.unit.facts.fact_captures import capture

WANTED = ("containerd", "curl", "systemd-timesyncd")
THERE = dict.fromkeys(WANTED, "1")
KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg"
DEBIAN = "http://deb.debian.org/debian"


def found(
    read: Apt | None, packages: dict[str, str] | None = None, virt: str = "none", on: str = "cp1"
) -> list[Finding]:
    survey = member(lab(), virt=virt, packages=THERE if packages is None else packages)
    seen = view({on: {"apt": read, "survey": survey}})
    return list(findings(seen, replace(seen.of(on), packages=WANTED)))


def rules(some: list[Finding]) -> list[tuple[str, str]]:
    return [(finding.rule, finding.subject) for finding in some]


def good() -> Apt:
    return apt.parse(capture("apt-lab"))


def bad_day() -> Apt:
    return apt.parse(capture("apt-bad-day"))


@pytest.mark.parametrize("virt", ["none", "docker"])
def test_a_machine_as_the_lab_makes_it_is_clean(virt: str) -> None:
    assert found(good(), virt=virt) == []
    assert found(replace(good(), pins=("/etc/apt/preferences.d/homelab",)), virt=virt) == []


def test_what_was_not_read_is_not_judged() -> None:
    assert found(Apt()) == []
    seen = view({"cp1": {"apt": None, "survey": None}})
    assert list(findings(seen, replace(seen.of("cp1"), packages=WANTED))) == []


def test_a_bad_day() -> None:
    day = found(bad_day())
    cd = (
        "cdrom:[Debian GNU/Linux 12.5.0 _Bookworm_ - Official amd64 NETINST with firmware "
        "20240210-11:27]/ bookworm"
    )
    mirror = "http://ftp.example.org/debian"
    assert rules(day) == [
        ("packages.foreign-source", cd),
        ("packages.foreign-source", "file:/srv/packages ./"),
        *(("packages.foreign-source", f"{mirror} bookworm{part}")
          for part in ("", "-updates", "-backports")),
        ("packages.foreign-source", f"{DEBIAN} trixie"),
        ("packages.foreign-source", "https://download.docker.com/linux/debian bookworm"),
        ("packages.pin", "/etc/apt/preferences.d/kubernetes.pref"),
        ("packages.half-installed", "broken"),
        ("packages.half-installed", "half"),
        ("host.reboot-pending", "reboot"),
    ]  # fmt: skip
    assert {f.kind for f in day if f.rule == "packages.foreign-source"} == {"undeclared"}
    assert day[1].actual == "./, in /etc/apt/sources.list, taken unsigned"


def source(uri: str, suite: str = "bookworm", signed_by: str = "", **more: Any) -> Source:
    whole = Source("/x.list", ("deb",), (uri,), (suite,), ("main",), signed_by, False)
    return replace(whole, **more)


@pytest.mark.parametrize(
    "item",
    [
        source(DEBIAN),
        source("https://security.debian.org/debian-security", "bookworm-security"),
        source("http://ftp.de.debian.org/debian/", "bookworm-updates"),
        source("tor+http://deb.debian.org/debian"),
        source("http://mirror.lan:3142/debian", signed_by=KEYRING),  # Debian has signed it
        source("https://example.org/debian", types=("deb-src",)),
    ],
)
def test_sources_that_are_debians(item: Source) -> None:
    assert found(replace(good(), sources=(item,))) == []


@pytest.mark.parametrize(
    ("item", "expected"),
    [
        (source("http://deb.debian.org.example.org/debian"), "packages of Debian alone"),
        (source("http://notdebian.org/debian"), "packages of Debian alone"),
        (source("http://mirror.lan/debian", signed_by=f"{KEYRING},/x"), "packages of Debian alone"),
        (source("http://mirror.lan/d", signed_by=KEYRING, trusted=True),
         "packages of Debian alone"),
        (source("mirror://deb.debian.org/x"), "packages of Debian alone"),
        (source("file:/srv/x", signed_by=KEYRING), "packages of Debian alone"),
        (source(DEBIAN, trusted=True), "packages that are signed"),
        (source(DEBIAN, "sid"), "packages of bookworm"),
        (source(DEBIAN, "bookworms"), "packages of bookworm"),
        (source(DEBIAN, "stable"), "packages of bookworm"),
    ],
)  # fmt: skip
def test_sources_that_are_not(item: Source, expected: str) -> None:
    (finding,) = found(replace(good(), sources=(item,)))
    assert (finding.rule, finding.expected) == ("packages.foreign-source", expected)


def test_a_machine_that_does_not_say_its_release() -> None:
    assert found(replace(good(), codename="", sources=(source(DEBIAN, "sid"),))) == []


def test_a_package_that_is_missing() -> None:
    (finding,) = found(good(), {"curl": "1", "systemd-timesyncd": "1"})
    assert (finding.id, finding.kind) == ("packages.missing/cp1/containerd", "drift")


def test_what_is_held_or_half_there_is_not_missing() -> None:
    """The survey lists neither."""
    assert found(replace(good(), held=WANTED), {}) == []
    assert rules(found(replace(good(), broken={"curl": "iU"}, held=WANTED[::2]), {})) == [
        ("packages.half-installed", "curl")
    ]


@pytest.mark.parametrize(
    ("package", "on"),
    [("ufw", "cp1"), ("firewalld", "w1"), ("docker.io", "w1"), ("kubelet", "cp1"),
     ("cri-o", "cp1"), ("etcd-server", "cp1"), ("chrony", "w1")],
)  # fmt: skip
def test_packages_that_are_in_the_way(package: str, on: str) -> None:
    (finding,) = found(good(), {**THERE, package: "1.2-3"}, on=on)
    assert (finding.rule, finding.subject) == ("packages.unwanted", package)
    assert (finding.actual, finding.kind) == ("1.2-3 is installed", "undeclared")


def test_a_rival_took_the_others_place_which_is_one_finding() -> None:
    packages = {"curl": "1", "chrony": "1", "containerd.io": "1"}
    assert rules(found(good(), packages)) == [
        ("packages.unwanted", "chrony"), ("packages.unwanted", "containerd.io"),
    ]  # fmt: skip


def test_what_is_in_nobodys_way() -> None:
    extra = {"ifupdown": "1", "network-manager": "1", "haproxy": "1", "podman": "1"}
    assert found(good(), {**THERE, **extra}) == []
    assert found(good(), {**THERE, "etcd-server": "1"}, on="w1") == []
    assert found(good(), {**THERE, "chrony": "1"}, virt="docker") == []  # no clock of its own


def test_a_balancer_runs_no_pods() -> None:
    site = rack()
    survey = member(site, virt="none", packages={"docker.io": "1", "kubectl": "1", "ufw": "1"})
    seen = view({"b1": {"survey": survey}}, site)
    assert rules(list(findings(seen, seen.of("b1")))) == [("packages.unwanted", "ufw")]


def boot(**changes: Any) -> list[Finding]:
    return found(replace(good(), **changes))


def test_a_boot_is_one_finding_however_many_ask_for_it() -> None:
    finding = found(bad_day())[-1]
    assert finding.id == "host.reboot-pending/cp1/reboot"
    assert finding.actual == (
        "kernel 6.1.0-56-cloud-amd64 runs, 6.1.0-57-cloud-amd64 is installed; "
        "asked for by libc6, linux-image-6.1.0-57-cloud-amd64"
    )
    assert "host.reboot-pending" not in {f.rule for f in found(bad_day(), virt="docker")}


@pytest.mark.parametrize(
    ("running", "images", "newer"),
    [
        ("6.1.0-9-amd64", ["6.1.0-10-amd64"], "6.1.0-10-amd64"),
        ("6.1.0-49-amd64", ["6.12.12+bpo-amd64", "6.1.0-50-amd64"], "6.12.12+bpo-amd64"),
        ("6.12.43+deb13-amd64", ["6.12.48+deb13-amd64"], "6.12.48+deb13-amd64"),
        ("6.12.43+deb13-amd64", ["6.12.48+deb13-cloud-amd64", "6.1.0-50-amd64"], ""),
        ("6.1.0-49-amd64", ["6.1.0-48-amd64", "6.1.0-50-rt-amd64"], ""),
        ("6.18.44-fc-v595", ["6.19.0-1-amd64"], ""),
        ("6.18.44", ["6.19.0-1-amd64"], ""),
    ],
)
def test_later_kernels_of_one_flavour(running: str, images: list[str], newer: str) -> None:
    some = boot(running=running, running_version="", images=dict.fromkeys(images, "1"))
    assert [f.actual for f in some] == (
        [f"kernel {running} runs, {newer} is installed"] if newer else []
    )  # fmt: skip


def test_a_kernel_may_be_replaced_under_its_own_name() -> None:
    (finding,) = boot(running_version="6.1.190-1")
    assert finding.actual == "kernel 6.1.0-56-cloud-amd64 runs, 6.1.192-2 is installed"
    assert boot(running_version="") == []
