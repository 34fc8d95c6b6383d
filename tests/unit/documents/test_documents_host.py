"""The base of a machine."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

from homelab.documents.host import SHUTDOWN_GRACE_S, host, sysctls
from tests.unit.documents.document_sites import BARE, at, lab, rack, shell, stage, text, tool

BLACKLISTED = ("containerd.io", "haproxy", "containerdXio")


def test_swap_lines_in_fstab_become_comments_once() -> None:
    line = next(
        x for x in host(rack(), rack().machines[0], BARE).activate.splitlines() if "fstab" in x
    )
    command = line.removesuffix(" /etc/fstab").replace("sed -ri", "sed -r")
    fstab = (
        "UUID=a / ext4 defaults 0 1\n/dev/sda2  none\tswap sw 0 0\n# /dev/sdb none swap sw 0 0\n"
    )
    once = shell(f"printf %s {shlex.quote(fstab)} | {command}")
    assert once == fstab.replace("/dev/sda2", "# homelab: /dev/sda2")
    assert shell(f"printf %s {shlex.quote(once)} | {command}") == once


def test_the_live_test_is_true_for_these_sysctls_and_false_for_others(tmp_path: Path) -> None:
    site = lab()
    layer = host(site, site.machines[0], BARE)
    check = layer.live.split(" && ")[1]
    conf = tmp_path / "sysctl.conf"
    stand_in = f'sysctl() {{ shift; for n; do grep "^$n = " {conf} | cut -d= -f2; done; }}\n'
    conf.write_text(text(layer, "/etc/sysctl.d/90-homelab.conf"))
    shell(stand_in + check)
    conf.write_text(conf.read_text().replace("ip_forward = 1", "ip_forward = 0"))
    shell(f"{stand_in}! ( {check} )")


def test_only_machines_with_pods_forward() -> None:
    site = rack()
    assert sysctls(site, site.machines[0], BARE)["net.ipv4.ip_forward"] == "1"
    assert sysctls(site, site.machines[3], BARE)["net.ipv4.ip_forward"] == "0"


def test_reverse_path_is_never_strict() -> None:
    for site in (lab(), rack()):
        values = sysctls(site, site.machines[0], BARE)
        assert {v for k, v in values.items() if "rp_filter" in k} <= {"0", "2"}
    assert sysctls(rack(), rack().machines[0], BARE)["net.ipv4.conf.all.rp_filter"] == "0"


def test_logind_waits_as_long_as_kubelet_where_kubelet_shuts_down_gracefully() -> None:
    path = "/etc/systemd/logind.conf.d/zz-homelab.conf"
    layer = host(rack(), rack().machines[0], BARE)
    assert f"InhibitDelayMaxSec={SHUTDOWN_GRACE_S}\n" in text(layer, path)
    old = at(rack(), "1.20.2")
    assert path not in {d.path for d in host(old, old.machines[0], BARE).documents}


def test_apt_reads_the_pins_and_the_blacklist(tmp_path: Path) -> None:
    tool("apt-config")
    folder = stage(host(rack(), rack().machines[0], BARE), tmp_path)
    blacklist = folder / "etc/apt/apt.conf.d/60homelab-unattended"
    shown = shell("apt-config dump", APT_CONFIG=str(blacklist))
    assert 'Unattended-Upgrade::Package-Blacklist:: "^haproxy$";' in shown
    # what unattended-upgrades gives to re.match(), once for each package
    listed = re.findall(r'Package-Blacklist:: "(.*)";', shown)
    assert [any(re.match(p, name) for p in listed) for name in BLACKLISTED] == [True, True, False]
    assert 'Unattended-Upgrade::Automatic-Reboot "false";' in shown
    pins = folder / "etc/apt/preferences.d/homelab"
    shell(f"apt-cache -o Dir::Etc::Preferences={pins} policy kubelet")  # fails if it can't parse


def test_needrestart_leaves_our_services_alone() -> None:
    conf = text(host(rack(), rack().machines[0], BARE), "/etc/needrestart/conf.d/homelab.conf")
    probe = (
        "foreach (keys %{$nrconf{override_rc}}) { print 'haproxy.service' =~ $_ ? 'kept' : 'lost' }"
    )
    assert shell('perl -e "$CODE"', CODE=f"our %nrconf;\n{conf}\n{probe}") == "kept"
