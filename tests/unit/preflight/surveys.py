"""Surveys for tests: captured ones, and those of machines that are sound and bare."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

from homelab.preflight.survey import Survey, parse
from homelab.site.derived import mac
from homelab.site.model import Machine, Site

NOW = 1_795_000_000.0
CAPTURES = Path(__file__).parent / "captures"


def capture(name: str) -> list[str]:
    """The lines of ``captures/NAME.txt``, as pyinfra hands them to the fact."""
    return (CAPTURES / f"{name}.txt").read_text().splitlines()


def bare(site: Site, machine: Machine) -> list[str]:
    """What the script prints on a machine of ``site`` that has nothing of this project yet.

    A machine whose network is somebody else's is a container, as in the lab; the others are x99
    boxes with their declared ports.
    """
    number = site.machines.index(machine) + 1
    container = machine.network == "foreign"
    ports = [
        {"ifname": f"enp{n}s0", "address": mac(nic.mac)} for n, nic in enumerate(machine.nics, 3)
    ]
    inet = [{"ifname": "eth0", "addr_info": [{"family": "inet", "local": machine.address}]}]
    sysctls = {
        "net.bridge.bridge-nf-call-iptables": 1,
        "fs.inotify.max_user_instances": 1024,
        "fs.inotify.max_user_watches": 524288,
    }
    return [
        f"@began {NOW + number / 100}",
        "@user root 0",
        "@os debian 12",
        "@kernel x86_64 6.1.0-41-amd64",
        "@cgroup cgroup2fs",
        f"@virt {'docker' if container else 'none'}",
        "@capabilities 000001ffffffffff",
        "@cores 28",
        "@memory 65805112",
        "@free /var/lib/etcd 104857600",
        "@free /var/lib/containerd 104857600",
        "@free /var/lib/containers 104857600",
        "@free /var 104857600",
        f"@hostname {machine.name}",
        f"@machine-id {number:032x}",
        f"@product-uuid {'' if container else f'00000000-0000-0000-0000-{number:012x}'}",
        "@listens 22 sshd",
        f"@addresses {json.dumps(inet)}",
        f"@links {json.dumps(ports)}",
        "@claim ",
        "@sandboxes 0 0",
        "@package bash 5.2.15-2+b7",
        "@etcd-initial ",
        "@disk ",
        *(f"@sysctl {name} {value}" for name, value in sysctls.items()),
        "@filesystems proc ext4 overlay",
        f"@time {NOW + number / 100}",
    ]


def sound(site: Site) -> dict[str, Survey]:
    """A survey of every machine of the site, none with a problem."""
    found = {machine.name: parse(bare(site, machine)) for machine in site.machines}
    return {n: replace(s, asked=NOW - 0.1, answered=NOW + 0.2) for n, s in found.items()}
