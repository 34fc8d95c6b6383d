"""The kernel and the machine's own life: settings, modules, swap, file systems, failures."""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from pyinfra.api.facts import FactBase

from facts import mounts, sysctl_files
from facts.mounts import Mount
from facts.questions import answers, questions
from facts.record import Reading, Record, parsed, unknown
from facts.sysctl_files import Setting
from homelab.documents.host import MODULES

# awk, not the shell's `read`: that takes byte after byte, and /proc/sys gives only the first. Tasks
# are what pid_max counts, threads too. A module that is built in has no folder in /sys/module
# unless it has parameters, but what it makes is there.
NOW = r"""awk 'FILENAME == "/proc/stat" && $1 == "btime" { print "count btime", $2 }
  FILENAME == "/proc/vmstat" && $1 == "oom_kill" { print "count oom_kills", $2 }
  FILENAME == "/proc/uptime" { print "count uptime_s", $1 }
  FILENAME == "/proc/loadavg" { split($4, n, "/"); print "count tasks", n[2] }
  FILENAME == "/proc/filesystems" && $NF == "overlay" { print "module overlay" }
  FILENAME == "/proc/swaps" { print FNR == 1 ? "swaps" : "swap", $1 }
  FILENAME ~ "^/proc/sys/" && FNR == 1 { print "sysctl", substr(FILENAME, 11), $0 }
' /proc/stat /proc/vmstat /proc/uptime /proc/loadavg /proc/filesystems /proc/swaps "$@" || exit 1
m() { [ ! -e "$2" ] || echo "module $1"; }
m br_netfilter /proc/sys/net/bridge; m nf_conntrack /proc/sys/net/netfilter/nf_conntrack_max
"""
ALWAYS = ("kernel.pid_max", "kernel.tainted")
ZONE = r"""if [ -L /etc/localtime ]; then z=$(readlink /etc/localtime) || exit 1
elif [ ! -e /etc/localtime ]; then z=UTC
else z=; [ ! -r /etc/timezone ] || read -r z < /etc/timezone; fi
printf 'zone\t%s\n' "${z:-a file without a name}"
"""
# The journal keeps what the kernel's own buffer has lost; where it has nothing, that buffer counts.
# In a container both would be the host's.
MESSAGES = r"""! systemd-detect-virt --container --quiet || exit 0
m=$(journalctl -q -k -b -p crit -n 20 -o short-unix --no-pager --no-hostname) || m=
[ -n "$m" ] || m=$(dmesg --level=emerg,alert,crit --time-format iso) || exit 1
printf '%s\n' "$m" | tail -n 20"""
FAILED = "systemctl list-units --state=failed --plain --no-legend --no-pager --full"


@dataclass(frozen=True)
class Message(Record):
    """One line of the kernel's, of level crit or worse."""

    at: datetime  # aware
    text: str


@dataclass(frozen=True)
class Counts(Record):
    """Numbers that the kernel keeps. ``tainted`` is the bit field of its document
    https://docs.kernel.org/admin-guide/tainted-kernels.html."""

    booted_at: datetime  # aware, UTC
    uptime_s: float
    oom_kills: int  # since then, of whole machine and single pods
    tasks: int
    pid_max: int  # so many tasks there may be
    tainted: int


@dataclass(frozen=True)
class Kernel(Reading):
    """Parts in ``unread``: ``now`` (sysctls, modules, swaps, counts), ``files`` (settings,
    time_zone), and ``mounts``, ``failed_units``, ``messages``.

    ``sysctls`` are the live values of what was asked for and of :data:`ALWAYS`, with one space
    wherever there is white space; a name that the kernel does not have is left out. ``modules``
    are those of :data:`homelab.documents.host.MODULES` that are there, loaded or built in.
    ``settings`` are of all names, in the order in which they count at boot. ``time_zone`` is
    "Europe/Berlin". ``messages`` are the last 20 since boot; in a container there are none.
    """

    sysctls: Mapping[str, str] | None = None
    modules: tuple[str, ...] | None = None
    swaps: tuple[str, ...] | None = None
    counts: Counts | None = None
    settings: tuple[Setting, ...] | None = None
    time_zone: str | None = None
    mounts: tuple[Mount, ...] | None = None
    failed_units: tuple[str, ...] | None = None
    messages: tuple[Message, ...] | None = None


def parse(output: list[str]) -> Kernel:
    """Output of :class:`KernelState`'s command; ValueError and the like on garbage."""
    asked = answers(output)
    if not asked:
        return KernelState.default()
    unread = {name: answer.failure for name, answer in asked.items() if answer.failure}
    lines = {
        name: [line for line in asked[name].output.splitlines() if line.strip()]
        for name in ("now", "files", "mounts", "failed_units", "messages")
        if asked[name].failure is None
    }
    now = _now(lines["now"]) if "now" in lines else None
    zone, settings = _files(lines["files"]) if "files" in lines else (None, None)
    return Kernel(
        sysctls=now.sysctls if now else None,
        modules=now.modules if now else None,
        swaps=now.swaps if now else None,
        counts=now.counts if now else None,
        settings=settings,
        time_zone=zone,
        mounts=mounts.mounts_of(lines["mounts"]) if "mounts" in lines else None,
        failed_units=_failed(lines["failed_units"]) if "failed_units" in lines else None,
        messages=_messages(lines["messages"]) if "messages" in lines else None,
        unread=unread,
    )


def _now(lines: list[str]) -> Kernel:
    sysctls: dict[str, str] = {}
    modules: dict[str, None] = {}
    numbers: dict[str, str] = {}
    swaps: list[str] | None = None
    for line in lines:
        kind, name, *values = line.split()
        match kind:
            case "count":
                (numbers[name],) = values
            case "module" if name in MODULES and not values:
                modules[name] = None
            case "swaps" if name == "Filename":
                swaps = []
            case "swap" if swaps is not None:
                swaps.append(name)
            case "sysctl":
                sysctls[sysctl_files.canonical(name)] = " ".join(values)
            case _:
                raise ValueError(f"expected a count, a module, swap or a setting, met {line!r}")
    if swaps is None:
        raise ValueError("no list of swap")
    counts = Counts(
        booted_at=datetime.fromtimestamp(int(numbers["btime"]), UTC),
        uptime_s=float(numbers["uptime_s"]),
        oom_kills=int(numbers["oom_kills"]),
        tasks=int(numbers["tasks"]),
        pid_max=int(sysctls["kernel.pid_max"]),
        tainted=int(sysctls["kernel.tainted"]),
    )
    return Kernel(sysctls, tuple(modules), tuple(swaps), counts)


def _files(lines: list[str]) -> tuple[str, tuple[Setting, ...]]:
    """A link's target, or a name; without any file it is UTC (localtime(5))."""
    kind, zone = lines[0].split("\t")
    if kind != "zone" or not zone:
        raise ValueError(f"expected a time zone, met {lines[0]!r}")
    return zone.rpartition("zoneinfo/")[2], sysctl_files.settings_of(lines[1:])


def _failed(lines: list[str]) -> tuple[str, ...]:
    """UNIT LOAD ACTIVE SUB DESCRIPTION of each."""
    rows = [line.split() for line in lines]
    if bad := [row for row in rows if len(row) < 4 or row[2] != "failed"]:
        raise ValueError(f"expected a unit that failed, met {' '.join(bad[0])!r}")
    return tuple(row[0] for row in rows)


def _messages(lines: list[str]) -> tuple[Message, ...]:
    """Of journalctl (``SECONDS kernel: TEXT``) or dmesg (``TIME TEXT``)."""
    found: list[Message] = []
    for line in lines:
        if line[0].isspace():  # of a message with more than one line
            continue
        at, _, text = line.partition(" ")
        if re.fullmatch(r"\d+\.\d+", at):
            time = datetime.fromtimestamp(float(at), UTC)
            text = text.removeprefix("kernel: ")
        else:
            time = datetime.fromisoformat(at.replace(",", "."))
        if time.tzinfo is None or not text:
            raise ValueError(f"expected a time and a message, met {line!r}")
        found.append(Message(time, text.strip()))
    return tuple(found)


class KernelState(FactBase[Kernel]):
    """What the kernel says of itself, and what is said of the machine's boot and its disks.

    .. code:: python

        host.get_fact(KernelState, sysctls=["net.ipv4.ip_forward"]).sysctls
    """

    def command(self, sysctls: list[str]) -> str:
        paths = (f"/proc/sys/{name.translate(str.maketrans('./', '/.'))}"
                 for name in dict.fromkeys((*ALWAYS, *sysctls)))  # fmt: skip
        there = (
            f"set --\nfor p in {' '.join(map(shlex.quote, paths))}; do\n"
            '  [ ! -e "$p" ] || set -- "$@" "$p"\ndone\n'
        )
        loaded = "\n".join(f"m {name} /sys/module/{name}" for name in MODULES)
        return questions(
            {
                "now": there + NOW + loaded,
                "files": ZONE + sysctl_files.READ,
                "mounts": mounts.READ,
                "failed_units": FAILED,
                "messages": MESSAGES,
            }
        )

    @staticmethod
    def default() -> Kernel:
        return Kernel(unread=unknown("kernel"))

    def process(self, output: list[str]) -> Kernel:
        return parsed("kernel", parse, output)
