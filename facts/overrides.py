"""What systemd and kubelet's own unit take besides the files that the deploy writes."""

from __future__ import annotations

import re
from dataclasses import dataclass

from pyinfra.api.facts import FactBase

from facts.questions import answers, questions
from facts.record import Reading, Record, parsed, unknown

# Services that the cluster stands on; systemd.unit(5) has the folders, /etc before /run.
UNITS = ("containerd", "crio", "haproxy", "homelab-firewall", "keepalived", "kubelet", "ssh",
         "systemd-networkd", "systemd-timesyncd")  # fmt: skip
DEFAULTS = "/etc/default/kubelet"


@dataclass(frozen=True)
class UnitFile(Record):
    path: str
    changed_at: float  # seconds since 1970


@dataclass(frozen=True)
class Overrides(Reading):
    """``files`` are units and drop-ins below /etc and /run of those services; ``kubelet_args`` is
    what a person gives kubelet in its defaults file, "" for nothing."""

    files: tuple[UnitFile, ...] | None = None
    kubelet_args: str | None = None


def parse(output: list[str]) -> Overrides:
    """Output of :class:`UnitOverrides`' command; ValueError on lines that it does not know."""
    asked = answers(output)
    if not asked:
        return UnitOverrides.default()
    unread = {name: answer.failure for name, answer in asked.items() if answer.failure}
    files = None if "files" in unread else tuple(map(_file, asked["files"].output.splitlines()))
    args = None if "kubelet" in unread else _args(asked["kubelet"].output)
    return Overrides(files=files, kubelet_args=args, unread=unread)


def _file(line: str) -> UnitFile:
    changed, sign, path = line.partition(" ")
    if not sign or not path.startswith("/"):
        raise ValueError(f"expected a unit's file, met {line[:60]!r}")
    return UnitFile(path, float(changed))


def _args(text: str) -> str:
    """The last assignment counts, as in systemd's EnvironmentFile (systemd.exec(5))."""
    found = re.findall(r"^[ \t]*KUBELET_EXTRA_ARGS=(.*)$", text, re.MULTILINE)
    return str(found[-1]).strip().strip("\"'").strip() if found else ""


class UnitOverrides(FactBase[Overrides]):
    """Files that change how the cluster's services start.

    .. code:: python

        [file.path for file in host.get_fact(UnitOverrides).files]
    """

    def command(self) -> str:
        where = " ".join(
            f"{folder}/{unit}.service{kind}"
            for folder in ("/etc/systemd/system", "/run/systemd/system")
            for unit in UNITS
            for kind in ("", ".d/*.conf")
        )
        # a link is a unit that was enabled under another name, or masked
        files = f'for f in {where}; do [ ! -f "$f" ] || stat -c "%Y %n" "$f" || exit 1; done'
        return questions({"files": files, "kubelet": f"[ ! -e {DEFAULTS} ] || cat {DEFAULTS}"})

    @staticmethod
    def default() -> Overrides:
        return Overrides(unread=unknown("overrides"))

    def process(self, output: list[str]) -> Overrides:
        return parsed("overrides", parse, output)
