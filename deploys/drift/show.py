"""From an inventory's name to the report, its exit code, and what is kept and sent of it."""

from __future__ import annotations

import os
import shlex
import sys
import time
from argparse import Namespace
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from rich.console import Console

from deploys.drift import hooks, mend
from deploys.drift.options import options
from deploys.drift.rack import rack
from deploys.drift.read import read
from homelab.drift import baseline, history
from homelab.drift.compare import compare
from homelab.drift.forms import RENDER, json_form, terminal
from homelab.drift.report import UNKNOWN, Acceptance, Report
from homelab.drift.rule import Severity
from homelab.drift.view import View
from homelab.site import SiteError, bind, load_site
from homelab.site.early import tell
from homelab.site.model import Site

Ask = Callable[[Site, Iterable[tuple[str, dict[str, Any]]]], View]


def main(arguments: Sequence[str], ask: Ask = read) -> int:
    """Read every machine of the site by ``ask``; the exit code (homelab.drift.report).

    Faults of the site or of the baseline go to stderr, and nothing is connected to.
    """
    asked = options(arguments)
    try:
        site = load_site(asked.inventory)
        accepted = _accepted(asked)
    except SiteError as error:
        tell(error)
        return UNKNOWN
    code = UNKNOWN
    try:
        while True:
            code = _once(asked, site, accepted, ask)
            if not asked.watch:
                return code
            time.sleep(asked.watch)
    except KeyboardInterrupt:
        print("ended", file=sys.stderr)
        return code


def _once(asked: Namespace, site: Site, accepted: tuple[Acceptance, ...], ask: Ask) -> int:
    """The exit code of a run; a report that could not be put where it was wanted is none."""
    try:
        report = run(asked, site, accepted, ask)
        if asked.mend and mend.mend(asked.inventory, report):
            report = run(asked, site, accepted, ask)
    except OSError as error:
        print(f"drift: {error.filename or 'a file'}: {error.strerror}", file=sys.stderr)
        return UNKNOWN
    return report.exit_code


def run(asked: Namespace, site: Site, accepted: tuple[Acceptance, ...], ask: Ask) -> Report:
    """One reading, shown, kept and sent."""
    began = time.monotonic()
    groups = bind(site, asked.inventory)
    hosts = {name: data for group in groups.values() for name, data in group}
    print(f"reading {len(hosts)} machines", file=sys.stderr)
    view = ask(site, hosts.items())
    now = datetime.now(UTC)
    findings, pairs = baseline.apply(compare(view), accepted, now.date())
    report = Report(
        site.name, now, time.monotonic() - began, rack(view), findings, pairs,
        fail_on=Severity[asked.fail_on.upper()],
    )  # fmt: skip
    if asked.history:
        report = _compared(report, asked)
    _show(asked, report)
    if asked.history:
        history.keep(asked.history, json_form.render(report))
    _notify(asked, report)
    return report


def _accepted(asked: Namespace) -> tuple[Acceptance, ...]:
    beside = Path(asked.inventory).with_suffix(".accepted.toml")
    file = asked.baseline or (beside if beside.exists() else None)
    return baseline.read(file) if file else ()


def _compared(report: Report, asked: Namespace) -> Report:
    """What is new, still there and gone against an earlier run; and since when it is known."""
    found, warnings = (
        history.since(asked.history, report.site, asked.since)
        if asked.since
        else history.last(asked.history, report.site)
    )
    for warning in warnings:
        print(f"history: {warning}", file=sys.stderr)
    everything = (*report.findings, *(finding for finding, _ in report.accepted))
    news, gone = history.compare(everything, found)
    before = found.first_seen if found else {}
    seen = {finding.id: before.get(finding.id) or report.at for finding in everything}
    return replace(report, since_last=news, gone=tuple(gone), first_seen=seen)


def _show(asked: Namespace, report: Report) -> None:
    on_stdout = False
    for form, render in RENDER.items():
        where = getattr(asked, form)
        if where == "-":
            on_stdout = True
            print(render(report))
        elif where:
            # node_exporter is another user; counts are no secret
            mode = 0o644 if form == "prometheus" else 0o600
            history.write(Path(where), render(report).encode(), mode)
            print(f"{form}: {where}", file=sys.stderr)
    Console(stderr=on_stdout).print(terminal.draw(report))


def _notify(asked: Namespace, report: Report) -> None:
    """Where runs are kept only what has changed is news; else everything that is not clean is."""
    wanted: list[hooks.Hook] = [hooks.Command(tuple(shlex.split(text))) for text in asked.notify]
    for variable in asked.webhook:
        if url := os.environ.get(variable):
            wanted.append(hooks.Webhook(url))
        else:
            print(f"--webhook: the environment has no {variable}", file=sys.stderr)
    if not wanted:
        return
    # without an earlier run everything is news
    news = report.findings if not report.since_last else "new" in report.since_last.values()
    if not (report.gone or news or (report.findings and not asked.history)):
        return
    outbox = hooks.Outbox(asked.history / "outbox") if asked.history else None
    for failure in hooks.notify(wanted, json_form.render(report), outbox):
        print(f"notification: {failure}", file=sys.stderr)
