"""Everything of the host that a lab could change, so that a test can compare before and after."""

import os
import re
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path

Footprint = dict[str, tuple[str, ...]]

# Counters and random numbers among the settings: they change by themselves.
RESTLESS = re.compile(
    r"random/|/ns_last_pid|-nr$|/nr$|-state$|/dentry-|/inode-|netdev_budget_usecs|"
    r"nf_conntrack_count|/neigh/|stat_refresh|compact_memory|drop_caches|/route/flush|fs/quota/|"
    r"user/max_|sched_domain|/perf_event_max_sample_rate|/perf_cpu_time_max|/hung_task_detect_count"
)
COMMANDS = {
    "links": ("ip", "-br", "link"),
    "addresses": ("ip", "-br", "address"),
    "routes": ("ip", "route", "show", "table", "all"),
    "rules": ("ip", "rule"),
    "packet filter": ("nft", "list", "ruleset"),
    "loop devices": ("losetup", "--list", "--noheadings", "--output", "BACK-FILE"),
}


def take() -> Footprint:
    """The host as it is now."""
    found = {name: _lines(argv) for name, argv in COMMANDS.items()}
    found["sysctls"] = tuple(sorted(_sysctls()))
    found["modules"] = tuple(sorted(line.split()[0] for line in _text(Path("/proc/modules"))))
    found["mounts"] = tuple(_text(Path("/proc/self/mounts")))
    found["namespaces"] = tuple(sorted(_names(Path("/run/netns"))))
    found["control groups"] = tuple(sorted(_cgroups()))
    return found


def differences(before: Footprint, after: Footprint) -> list[str]:
    """What changed, one line each; empty is what a test wants to see."""
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
