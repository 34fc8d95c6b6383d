"""Kernel settings as files set them at the next boot, in the order in which they count.

By sysctl.d(5): of files of one name that in the first folder counts, all others are sorted by
their names across folders, and of one setting the last. A name with a wildcard never wins over one
without, wherever it stands (systemd-sysctl 252 and procps 4, both tried). ``sysctl --system`` of
procps reads /etc/sysctl.conf at the end; systemd does only if a link leads to it (Debian 12).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from facts.record import Record

CONF = "/etc/sysctl.conf"
FOLDERS = ("/etc/sysctl.d", "/run/sysctl.d", "/usr/local/lib/sysctl.d", "/usr/lib/sysctl.d")

# All files by name: an empty one, or a link to /dev/null, puts those of the same name out of force.
# Two settings of the kernel are secrets: net.ipv6.conf.*.stable_secret, net.ipv4.tcp_fastopen_key.
READ = rf"""set --
for f in {" ".join(f"{folder}/*.conf" for folder in FOLDERS)} {CONF}; do
  [ -e "$f" ] || [ -L "$f" ] || continue
  t=$f; [ ! -L "$f" ] || t=$(readlink -f "$f") || t=
  printf 'file\t%s\t%s\n' "$f" "$t"
  [ ! -f "$f" ] || set -- "$@" "$f"
done
[ $# = 0 ] || awk '/^[ \t]*[#;]/ || !/=/ || /secret|key/ {{ next }}
  {{ printf "set\t%s\t%s\n", FILENAME, $0 }}' "$@" || exit 1"""


@dataclass(frozen=True)
class Setting(Record):
    """One line of a file. ``name`` has dots between its parts, and may have wildcards."""

    file: str
    name: str
    value: str  # with one space wherever there is white space


def settings_of(lines: Iterable[str]) -> tuple[Setting, ...]:
    """Output of :data:`READ`: what counts, the last of a name last; ValueError on other text."""
    targets: dict[str, str] = {}
    found: list[Setting] = []
    for line in lines:
        kind, path, text = line.split("\t", 2)
        if kind == "file":
            targets[path] = text
        elif kind == "set" and path in targets:
            found.append(_setting(path, text))
        else:
            raise ValueError(f"expected a file or its setting, met {line!r}")
    order = {path: at for at, path in enumerate(_in_order(targets))}
    counts = (setting for setting in found if setting.file in order)
    return tuple(sorted(counts, key=lambda setting: order[setting.file]))


def canonical(name: str) -> str:
    """``net/ipv4/conf/eth0.5/rp_filter`` as ``net.ipv4.conf.eth0/5.rp_filter``.

    The first of both characters separates, the other one is a part's (sysctl.d(5)).
    """
    slash, dot = name.find("/"), name.find(".")
    if slash >= 0 and (dot < 0 or slash < dot):
        return name.translate(str.maketrans("/.", "./"))
    return name


def _in_order(targets: dict[str, str]) -> list[str]:
    """Paths that count, as they are read; the target of a link counts where the link stands."""
    first: dict[str, str] = {}
    for path in targets:  # in the order of the folders
        if path != CONF:
            first.setdefault(path.rpartition("/")[2], path)
    order = [first[name] for name in sorted(first)]
    linked = CONF in {targets[path] for path in order}
    return order if linked or CONF not in targets else [*order, CONF]


def _setting(path: str, text: str) -> Setting:
    name, sign, value = text.partition("=")
    name = name.strip().removeprefix("-").strip()  # "-": never mind if it fails
    if not sign:
        raise ValueError(f"expected NAME = VALUE in {path}, met {text!r}")
    return Setting(path, canonical(name), " ".join(value.split()))
