"""One table decides how bad a finding is: it has every rule that is used, and no other one."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from homelab.drift.catalogue import RULES
from homelab.drift.catalogue.layers import LAYERS
from homelab.drift.catalogue.table import table

REPO = Path(__file__).resolve().parents[3]
CODE = [REPO / "homelab/drift/baseline.py", *sorted((REPO / "homelab/drift/areas").glob("*.py"))]
NAMES = {
    match for file in CODE for match in re.findall(r'"([a-z-]+\.[a-z0-9-]+)"', file.read_text())
}
# put together where they are found
KINDS = ("file", "mode", "unit", "live", "remains", "stamp")
OF_LAYERS = {f"{layer}.{kind}" for layer in LAYERS for kind in KINDS}
OF_BASELINE = {"baseline.expired", "baseline.unused"}
DAYS = {f"certificate.expires-{days}" for days in (7, 14, 30)}


def test_every_rule_is_used() -> None:
    assert set(RULES) - NAMES - OF_LAYERS - OF_BASELINE - DAYS == set()


@pytest.mark.parametrize("name", RULES)
def test_a_rule_says_why_and_how(name: str) -> None:
    rule = RULES[name]
    assert rule.why
    assert not rule.why.endswith(".")
    mend = rule.mend.format(machine="cp1", subject="x")
    assert mend
    if rule.deploy:
        assert (REPO / rule.deploy).exists()
        assert rule.deploy in mend


def test_the_page_of_rules_is_the_codes() -> None:
    assert (REPO / "docs/drift-rules.md").read_text(encoding="utf-8") == table()
