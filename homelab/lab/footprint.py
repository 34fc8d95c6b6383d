"""Everything of the host that a lab could change, so that a test can compare before and after.

Of what others change all the time on a host with systemd (mounts and control groups of sessions and
services), only what a lab could have made is looked at.
"""

import os
import re
import subprocess
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from homelab.lab.paths import state_root

Footprint = dict[str, tuple[str, ...]]

# Counters and random numbers among the settings: they change by themselves.
RESTLESS = re.compile(
    r"random/|/ns_last_pid|-nr$|/nr$|-state$|/dentry-|/inode-|netdev_budget_usecs|"
    r"nf_conntrack_count|/neigh/|stat_refresh|compact_memory|drop_caches|/route/flush|fs/quota/|"
    r"user/max_|sched_domain|/perf_event_max_sample_rate|/perf_cpu_time_max|/hung_task_detect_count"
)
# The lab's folders and groups are named after it; Docker, containerd and kubelet name theirs so.
OURS = ("homelab", "docker", "containerd", "kubepods", "/run/netns")
# The kernel itself loads these (and what they need) when a rule asks for them, in any network
# namespace, and keeps them while any rule of anybody's does: nobody's to unload, and no change that
# a lab could take back. Those that `up` loads by name are compared (homelab/lab/modules.py).
AUTOLOADED = re.compile(
    r"nf_|nft_|nfnetlink|xt_|x_tables|ip_tables|iptable_|ipt_|ip6|ebt|ip_set|ip_vs|libcrc32c"
)
COMMANDS = {
    "links": ("ip", "-br", "link"),
    "addresses": ("ip", "-br", "address"),
    "routes": ("ip", "route", "show", "table", "all"),
    "rules": ("ip", "rule"),
    "packet filter": ("nft", "--stateless", "list", "ruleset"),  # counters count
    "loop devices": ("losetup", "--list", "--noheadings", "--output", "BACK-FILE"),
}


def take() -> Footprint:
    """The host as it is now."""
    found = {name: _lines(argv) for name, argv in COMMANDS.items()}
    found["sysctls"] = tuple(sorted(_sysctls()))
    found["modules"] = modules(_text(Path("/proc/modules")))
    found["mounts"] = ours(_text(Path("/proc/self/mounts")))
    found["namespaces"] = tuple(sorted(_names(Path("/run/netns"))))
    found["control groups"] = ours(_cgroups())
    return found


def ours(lines: Iterable[str]) -> tuple[str, ...]:
    """Those that a lab could have made."""
    words = (*OURS, str(state_root()))
    return tuple(sorted(line for line in lines if any(word in line for word in words)))


def modules(lines: Iterable[str]) -> tuple[str, ...]:
    """The names in /proc/modules, without those that come by themselves."""
    names = (line.split()[0] for line in lines)
    return tuple(sorted(name for name in names if not AUTOLOADED.match(name)))


def differences(before: Footprint, after: Footprint) -> list[str]:
    """What changed, one line each; empty is what a test wants to see."""
    before, after = _known_to_both(before, after), _known_to_both(after, before)
    told = []
    for name in before:
        gone = set(before[name]) - set(after[name])
        come = set(after[name]) - set(before[name])
        told += [f"{name}: - {line}" for line in sorted(gone)]
        told += [f"{name}: + {line}" for line in sorted(come)]
    return told


def without(found: Footprint, *words: str) -> Footprint:
    """Leave out lines with one of these words: other labs that run at the same time."""
    kept: Mapping[str, tuple[str, ...]] = {
        name: tuple(line for line in lines if not any(word in line for word in words))
        for name, lines in found.items()
    }
    return dict(kept)


def _known_to_both(found: Footprint, other: Footprint) -> Footprint:
    """Settings come and go with modules and interfaces; what a lab could leave is another value."""
    there = {line.partition("=")[0] for line in other.get("sysctls", ())}
    kept = tuple(s for s in found.get("sysctls", ()) if s.partition("=")[0] in there)
    return {**found, "sysctls": kept}


def _sysctls() -> Iterator[str]:
    for folder, _, files in os.walk("/proc/sys"):
        for path in (Path(folder, file) for file in files):
            if not RESTLESS.search(str(path)):
                yield f"{path}={' '.join(_text(path))}"


def _cgroups() -> Iterator[str]:
    """Only the two upper levels: what is deeper belongs to whoever owns these."""
    root = Path("/sys/fs/cgroup")
    yield from (str(path) for path in root.glob("*/") if path.is_dir())
    yield from (str(path) for path in root.glob("*/*/") if path.is_dir())


def _text(path: Path) -> list[str]:
    try:
        return path.read_text(errors="replace").splitlines()
    except OSError:  # not readable, or not there on this kernel
        return []


def _names(folder: Path) -> list[str]:
    return [path.name for path in folder.iterdir()] if folder.is_dir() else []


def _lines(argv: tuple[str, ...]) -> tuple[str, ...]:
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    return tuple(done.stdout.splitlines())
