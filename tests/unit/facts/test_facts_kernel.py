"""The kernel's settings, the machine's file systems, and what has failed on it."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from facts import kernel, mounts, sysctl_files
from facts.kernel import Kernel
from facts.sysctl_files import Setting, canonical, settings_of
from tests.unit.facts.fact_captures import capture


def read(name: str) -> Kernel:
    return kernel.parse(capture(f"kernel-{name}"))


def shell(script: str) -> list[str]:
    """What a fact's script prints in dash."""
    done = subprocess.run(["sh", "-c", script], capture_output=True, text=True, check=True)
    return done.stdout.splitlines()


def test_a_machine_that_is_well() -> None:
    found = read("machine")
    assert not found.unread
    assert (found.swaps, found.failed_units, found.messages) == ((), (), ())
    assert found.modules == ("overlay", "br_netfilter", "nf_conntrack")
    assert found.sysctls is not None
    assert found.sysctls["net.bridge.bridge-nf-call-iptables"] == "1"
    assert found.time_zone == "Etc/UTC"
    assert found.counts is not None
    assert (found.counts.oom_kills, found.counts.tasks, found.counts.tainted) == (0, 812, 0)
    assert found.counts.booted_at.isoformat() == "2026-11-25T09:46:40+00:00"
    root, etcd, boot = found.mounts or ()
    assert root.holds == ("/", "/var", "/var/lib/containerd", "/var/lib/kubelet")
    assert (etcd.point, etcd.kind, etcd.read_only) == ("/var/lib/etcd", "xfs", False)
    assert (boot.size, boot.free, boot.inodes_free) == (498876416, 364507136, 127160)


def test_a_machine_on_a_bad_day() -> None:
    found = read("bad-day")
    assert found.swaps == ("/dev/zram0", "/var/swap")
    assert found.modules == ("nf_conntrack",)
    assert found.sysctls is not None
    assert found.sysctls["net.ipv4.ip_local_port_range"] == "32768 60999"
    assert found.sysctls["net.ipv4.conf.eth0/5.rp_filter"] == "2"
    assert found.time_zone == "Europe/Berlin"
    assert found.failed_units == ("logrotate.service", r"drift\x2dbreaks.service")
    assert [message.text[:12] for message in found.messages or ()] == [
        "mce: [Hardwa", "BUG: unable ", "EXT4-fs (sda",
    ]  # fmt: skip
    root, etcd = found.mounts or ()
    assert (root.read_only, etcd.read_only, etcd.inodes) == (True, False, 0)


def test_files_count_in_their_order_and_those_that_are_masked_do_not() -> None:
    assert [(s.file, s.name, s.value) for s in read("bad-day").settings or ()] == [
        ("/etc/sysctl.d/90-homelab.conf", "net.ipv4.ip_forward", "1"),
        ("/run/sysctl.d/95-tuned.conf", "net.ipv4.ip_local_port_range", "1024 65535"),
        ("/etc/sysctl.d/99-mine.conf", "net.ipv4.ip_forward", "0"),
        ("/etc/sysctl.d/99-mine.conf", "net.ipv4.conf.*.rp_filter", "1"),
        ("/etc/sysctl.conf", "vm.overcommit_memory", "2"),
    ]


def test_a_machine_without_systemd_has_unknown_units() -> None:
    found = read("no-systemd")
    assert found.failed_units is None
    assert set(found.unread) == {"failed_units"}
    assert found.counts is not None


def test_messages_of_dmesg() -> None:
    lines = capture("kernel-machine")
    at = lines.index("@@ask messages")
    lines[at + 1] = "2026-11-26T18:26:01,123456+01:00 EDAC MC0: 1 UE memory read error"
    (message,) = kernel.parse(lines).messages or ()
    assert message.at.isoformat() == "2026-11-26T18:26:01.123456+01:00"
    assert message.text == "EDAC MC0: 1 UE memory read error"
    lines[at + 1] = "2026-11-26T18:26:01 of no time zone"
    with pytest.raises(ValueError, match="a time and a message"):
        kernel.parse(lines)


@pytest.mark.parametrize(
    ("question", "line"),
    [
        ("now", "sysctl"),
        ("now", "module floppy"),
        ("now", "count tasks 1 2"),
        ("files", "set\t/etc/sysctl.d/90-homelab.conf\tno assignment"),
        ("files", "set\t/etc/never-listed.conf\ta = b"),
        ("mounts", "fs /dev/sda1 ext4 1 2 3 4 /somewhere /somewhere"),
        ("mounts", "fs /dev/sda1 ext4 x 2 3 4 / /"),
        ("failed_units", "sshd.service loaded active running well"),
        ("messages", "no time at all"),
    ],
)
def test_what_makes_no_sense_is_refused(question: str, line: str) -> None:
    lines = capture("kernel-machine")
    at = lines.index(f"@@ask {question}") + (2 if question != "failed_units" else 1)
    with pytest.raises((ValueError, LookupError)):
        kernel.parse([*lines[:at], line, *lines[at:]])


def test_the_whole_value_of_a_setting_is_read() -> None:
    """A shell's own ``read`` would get the first digit."""
    script = kernel.KernelState().command(["fs.inotify.max_user_watches", "no.such-setting"])
    found = kernel.parse(shell(script))
    assert found.sysctls is not None
    path = Path("/proc/sys/fs/inotify/max_user_watches")
    assert found.sysctls["fs.inotify.max_user_watches"] == path.read_text().strip()
    assert "no.such-setting" not in found.sysctls
    assert found.counts is not None
    assert found.counts.pid_max > 100


def test_files_as_they_lie_on_a_disk(tmp_path: Path) -> None:
    etc, lib = tmp_path / "etc/sysctl.d", tmp_path / "usr/lib/sysctl.d"
    etc.mkdir(parents=True)
    lib.mkdir(parents=True)
    (tmp_path / "etc/sysctl.conf").write_text("#a = 1\n ; b = 1\n\nc =\t1\nno assignment\n")
    (etc / "99-sysctl.conf").symlink_to("../sysctl.conf")
    (etc / "50-masked.conf").symlink_to("/dev/null")
    (etc / "60-gone.conf").symlink_to("nowhere")
    (lib / "50-masked.conf").write_text("d = 1\n")
    (lib / "10-default.conf").write_text("c = 0\n-net/ipv4/conf/all/rp_filter = 2\n")
    (lib / "20-hush.conf").write_text(
        "net.ipv6.conf.all.stable_secret = ::1\nnet.ipv4.tcp_fastopen_key = 00-01\n"
    )
    printed = shell(re.sub(r" /(?=etc|run|usr)", f" {tmp_path}/", sysctl_files.READ))
    assert "::1" not in "\n".join(printed)
    assert "00-01" not in "\n".join(printed)
    here = [line.replace(str(tmp_path), "") for line in printed]
    assert settings_of(here) == (
        Setting("/usr/lib/sysctl.d/10-default.conf", "c", "0"),
        Setting("/usr/lib/sysctl.d/10-default.conf", "net.ipv4.conf.all.rp_filter", "2"),
        Setting("/etc/sysctl.d/99-sysctl.conf", "c", "1"),
    )


@given(st.lists(st.text("ab5-", min_size=1, max_size=4), min_size=2, max_size=6))
def test_a_names_spelling_does_not_matter(parts: list[str]) -> None:
    """``a.b/5.c`` is ``a/b.5/c``: the first of both characters separates."""
    dotted, slashed = ".".join(parts), "/".join(parts)
    assert canonical(dotted) == canonical(slashed) == dotted
    assert (
        canonical(f"{slashed}/eth0.5/x") == canonical(f"{dotted}.eth0/5.x") == f"{dotted}.eth0/5.x"
    )


def test_a_root_must_be_there() -> None:
    with pytest.raises(ValueError, match="no mount of"):
        mounts.mounts_of([])
