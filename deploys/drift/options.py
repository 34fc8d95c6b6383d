"""What a person may ask of drift."""

from __future__ import annotations

import argparse
import re
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from homelab.drift.forms import RENDER
from homelab.drift.rule import Severity


def options(arguments: Sequence[str]) -> argparse.Namespace:
    """Parsed; argparse ends the program with its usage, and code 1, if they make no sense."""
    parser = _Parser(prog="nox -s drift --", description="What is no longer as declared.")
    parser.add_argument("inventory", help="the site, e.g. inventories/homelab.py")
    for form in RENDER:
        where = "into FILE; - is standard output, and then nothing else goes there"
        parser.add_argument(f"--{form}", metavar="FILE", help=f"the report as {form}, {where}")
    severities = [str(severity) for severity in Severity]
    parser.add_argument(
        "--fail-on", choices=severities, default=str(Severity.LOW), metavar="SEVERITY",
        help=f"exit code 2 from this on ({', '.join(severities)}); low if not said",
    )  # fmt: skip
    parser.add_argument(
        "--baseline", type=Path, metavar="FILE",
        help="findings that somebody answers for; if not said: INVENTORY.accepted.toml, if there",
    )  # fmt: skip
    parser.add_argument("--history", type=Path, metavar="FOLDER", help="keep each run's JSON there")
    parser.add_argument("--since", type=_moment, metavar="TIME",
                        help="compare with the run of then (ISO 8601), not the last")  # fmt: skip
    parser.add_argument("--watch", type=_seconds, metavar="INTERVAL", help="again and again: 15m")
    parser.add_argument("--notify", action="append", default=[], metavar="COMMAND",
                        help="gets the JSON on standard input when something changed")  # fmt: skip
    parser.add_argument("--webhook", action="append", default=[], metavar="VARIABLE",
                        help="environment variable with the URL that gets the JSON")  # fmt: skip
    parser.add_argument("--mend", action="store_true",
                        help="show the plan, ask, run the deploys, read again")  # fmt: skip
    found = parser.parse_args(arguments)
    if found.since and not found.history:
        parser.error("--since needs --history FOLDER, where the runs are kept")
    if found.watch and found.mend:
        parser.error("--mend asks a person, --watch has none: use one of them")
    return found


class _Parser(argparse.ArgumentParser):
    """2 means drift; what was asked wrongly could not be told."""

    def exit(self, status: int = 0, message: str | None = None) -> None:  # type: ignore[override]
        super().exit(1 if status else 0, message)


def _moment(text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    return moment if moment.tzinfo else moment.astimezone()


def _seconds(text: str) -> int:
    found = re.fullmatch(r"(\d+)([smh]?)", text)
    if not found or not int(found[1]):
        raise argparse.ArgumentTypeError(f"{text!r} is no interval: 90s, 15m, 1h")
    return int(found[1]) * {"": 1, "s": 1, "m": 60, "h": 3600}[found[2]]
