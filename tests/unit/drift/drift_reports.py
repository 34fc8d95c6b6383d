"""Reports to show: a clean day, one with everything, and one in which every field is hostile."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable
from datetime import UTC, date, datetime

from rich.console import Console

from homelab.drift.finding import Finding
from homelab.drift.forms import html, json_form, junit, markdown, prometheus, sarif, terminal
from homelab.drift.report import Acceptance, Leg, Report, Unit, sorted_findings
from homelab.drift.rule import Severity

AT = datetime(2026, 7, 1, 12, 30, 15, tzinfo=UTC)
SINCE = datetime(2026, 6, 30, 4, 5, 6, tzinfo=UTC)
DIFF = """--- declared
+++ on n2
@@ -1,3 +1,3 @@
 frontend api
-    bind 192.168.10.10:6443
+    bind 0.0.0.0:6443
--- a dashed line
"""
EVIL = (
    "\x1b[2J\x9b31m\x07\r\n\t[bold red]ok[/] \u202e\u2066\u200b\u2028\ue000\ufffe\udc80\U000e0041"
    "</script><script>alert(1)</script><img src=x onerror=alert(1)> ]]> <!-- & ' \" \\ \\| | \\n"
    "`` ``` ```` ~~~ **b** _i_ [a](http://evil.example) @everyone # {machine} {0} $site %s"
    "\n```\n# out\n\n<b>out</b>\n"
)
RACK = (
    Unit("n1", ("control plane", "balancer"), True, (Leg("bond0", "enp3s0", "1000 Mbit/s", True),)),
    Unit("n2", ("worker",), True, (Leg("bond0", "enp4s0", "down", False),)),
    Unit("n3", ("worker",), False),
    Unit("n4", ("worker",), True),
)
FILE = Finding("haproxy.file", "n2", "/etc/haproxy/haproxy.cfg", "6 lines", "7 lines", diff=DIFF,
               since=SINCE)  # fmt: skip
UNREAD = Finding("read.machine", "n3", "n3", "an answer", "no route to host", "unknown")
UID = Finding("access.uid-0", "n2", "toor", "no such user", "uid 0", "undeclared")
TAINT = Finding("node.taint", "cluster", "n1", "none", "dedicated=x:NoSchedule", "not-yet-applied")
KEY = Finding("access.key", "n1", "ops", "1 key", "2 keys")
NOTE = Finding("network.note", "n1", "enp3s0", "", "lost its link 4 times")


def clean() -> Report:
    """Four machines, nothing found."""
    rack = tuple(Unit(unit.name, unit.roles, True) for unit in RACK)
    return Report("example", AT, 12.3456, rack, ())


def full() -> Report:
    """Each kind, three severities, a diff, something accepted, something gone."""
    return Report(
        site="example",
        at=AT,
        took_s=12.3456,
        rack=RACK,
        findings=sorted_findings([FILE, UNREAD, UID, TAINT, NOTE]),
        accepted=((KEY, Acceptance(KEY.id, "until the new key is out", "mira", date(2026, 8, 1))),),
        since_last={FILE.id: "new", UID.id: "still there"},
        gone=("host.swap/n4/swap", "etcd.alarm/n1/NOSPACE"),
    )


def hostile(text: str = EVIL) -> Report:
    """``text`` in every field that may hold any."""
    findings = [
        Finding("haproxy.file", text, text, text, text, diff=text),
        Finding("host.disk-full", text, text, text, text, "unknown"),
    ]
    known = Finding("access.key", text, text, text, text, diff=text)
    return Report(
        site=text,
        at=AT,
        took_s=0,
        rack=(Unit(text, (text, text), True, (Leg(text, text, text, False),)),),
        findings=sorted_findings(findings),
        accepted=((known, Acceptance(known.id, text, text, date(2026, 8, 1))),),
        since_last={findings[0].id: "new"},
        gone=(text, text),
        fail_on=Severity.INFO,
    )


def printed(report: Report, width: int = 80) -> str:
    """As a terminal without colours shows it."""
    console = Console(width=width, color_system=None)
    with console.capture() as captured:
        console.print(terminal.draw(report))
    return captured.get()


FORMS: dict[str, Callable[[Report], str]] = {
    "terminal": printed,
    "json": json_form.render,
    "html": html.render,
    "junit": junit.render,
    "sarif": sarif.render,
    "prometheus": prometheus.render,
    "markdown": markdown.render,
}


def unseen(text: str) -> set[str]:
    """Characters that draw, hide or break lines: all but newlines that no eye sees."""
    return {c for c in text if unicodedata.category(c)[0] == "C" or c in "\u2028\u2029"} - {"\n"}
