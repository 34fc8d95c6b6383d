"""Mend what a deploy can mend: the plan, the person's word, then the ordinary deploys."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from homelab.drift.catalogue import mend_of, rule_of
from homelab.drift.finding import Finding
from homelab.drift.report import Report
from homelab.drift.rule import CLUSTER, NETWORK

REPO = Path(__file__).resolve().parents[2]
# The cluster's deploy converges the network too, so it alone is enough where it is needed.
ORDER = (CLUSTER, NETWORK)


def mend(inventory: str, report: Report, ask: Callable[[str], str] = input) -> bool:
    """Whether a deploy was run. Only ``yes`` is a yes; without a terminal nobody is asked."""
    by_deploy, by_hand = plan(report.findings)
    for name, findings in by_deploy.items():
        print(f"\n{name} would mend:")
        for finding in findings:
            print(f"  {finding.id} (interrupts {rule_of(finding).restarts})")
    if by_hand:
        print("\nby hand:")
        for finding in by_hand:
            print(f"  {finding.id}: {mend_of(finding)}")
    deploy = next((name for name in ORDER if name in by_deploy), None)
    if deploy is None:
        print("\nnothing of it can be mended by a deploy")
        return False
    if not sys.stdin.isatty() and ask is input:
        print(f"\nnobody to ask: run it yourself: pyinfra {inventory} {deploy}", file=sys.stderr)
        return False
    if ask(f"\nrun pyinfra {inventory} {deploy}? [yes/no] ").strip() != "yes":
        return False
    done = subprocess.run([*_pyinfra(), inventory, deploy, "-y"], cwd=REPO, check=False)
    if done.returncode:
        print(f"{deploy} failed: its own last lines say why", file=sys.stderr)
    return True


def plan(findings: Sequence[Finding]) -> tuple[dict[str, list[Finding]], list[Finding]]:
    """Findings by the deploy that converges them, and those for a person. What is unknown is
    nobody's to mend before it has been read."""
    by_deploy: dict[str, list[Finding]] = {}
    by_hand: list[Finding] = []
    for finding in findings:
        deploy = rule_of(finding).deploy
        if deploy is None or finding.kind == "unknown":
            by_hand.append(finding)
        else:
            by_deploy.setdefault(deploy, []).append(finding)
    return by_deploy, by_hand


def _pyinfra() -> list[str]:
    beside = Path(sys.executable).with_name("pyinfra")
    return [str(beside)] if beside.exists() else [sys.executable, "-m", "pyinfra"]
