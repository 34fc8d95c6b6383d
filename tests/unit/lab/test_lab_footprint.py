"""The comparison of the host before and after a lab."""

import pytest

from homelab.lab import footprint


def test_it_looks_at_all_that_a_lab_could_change() -> None:
    found = footprint.take()
    assert {"sysctls", "modules", "mounts", "routes", "packet filter"} <= set(found)
    assert any(line.startswith("/proc/sys/vm/overcommit_memory=") for line in found["sysctls"])
    assert not any("/random/" in line for line in found["sysctls"])


def test_differences_are_told_one_by_one() -> None:
    before = {"modules": ("overlay", "veth"), "routes": ("default via 10.0.0.1",)}
    after = {"modules": ("overlay", "bridge"), "routes": ("default via 10.0.0.1",)}
    assert footprint.differences(before, after) == ["modules: - veth", "modules: + bridge"]
    assert footprint.differences(before, before) == []


def test_what_others_do_all_the_time_is_not_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOMELAB_STATE_DIR", "/srv/labs")
    mine = (
        "/dev/loop0 /srv/labs/e2e/disks/cp1 ext4 rw 0 0",
        "/dev/vda /run/netns ext4 rw 0 0",
        "/sys/fs/cgroup/homelab-lab-e2e",
        "/sys/fs/cgroup/memory/docker",
        "overlay /var/lib/homelab-lab/e2e/docker/overlay2/x/merged overlay rw 0 0",
    )
    others = (
        "tmpfs /run/user/0 tmpfs rw 0 0",
        "tmpfs /run/credentials/systemd-tmpfiles.service ramfs ro 0 0",
        "/sys/fs/cgroup/system.slice/apt-daily.service",
        "/sys/fs/cgroup/user.slice/user-0.slice",
    )
    assert footprint.ours([*others, *mine]) == tuple(sorted(mine))


def test_modules_that_the_kernel_loads_for_a_rule_are_nobodys() -> None:
    loaded = (
        *("nf_tables", "nft_ct", "nft_chain_nat", "nfnetlink", "xt_comment", "x_tables"),
        *("ip_tables", "iptable_nat", "ip6_tables", "nf_conntrack", "libcrc32c"),
        *("overlay", "br_netfilter", "veth", "ipv6"),
    )
    lines = [f"{name} 16384 1 - Live 0x0" for name in loaded]
    assert footprint.modules(lines) == ("br_netfilter", "ipv6", "overlay", "veth")


def test_a_setting_counts_by_its_value_and_not_by_the_module_that_brings_it() -> None:
    before: footprint.Footprint = {"sysctls": ("/proc/sys/vm/panic_on_oom=0",)}
    with_module: footprint.Footprint = {
        "sysctls": ("/proc/sys/net/nf_conntrack_max=65536", "/proc/sys/vm/panic_on_oom=0")
    }
    assert footprint.differences(before, with_module) == []
    assert footprint.differences(with_module, before) == []
    changed: footprint.Footprint = {"sysctls": ("/proc/sys/vm/panic_on_oom=1",)}
    assert footprint.differences(before, changed) == [
        *("sysctls: - /proc/sys/vm/panic_on_oom=0", "sysctls: + /proc/sys/vm/panic_on_oom=1")
    ]


def test_other_labs_can_be_left_out() -> None:
    found = footprint.without({"mounts": ("a /var/lib/homelab-lab/x", "b /")}, "homelab-lab/x")
    assert found == {"mounts": ("b /",)}
