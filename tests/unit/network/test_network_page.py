"""docs/bonding.md says what the code knows: modes and their partners, letters, exit codes."""

from __future__ import annotations

import re
from dataclasses import fields

from facts.lacp import LETTERS, LacpState
from homelab.lab.paths import REPO
from homelab.site.bonding import PARTNER

PAGE = (REPO / "docs/bonding.md").read_text()


def test_every_mode_with_what_the_switch_has_to_be() -> None:
    assert dict(re.findall(r"^\| `([\w.-]+)` \| `(\w+)` \|", PAGE, re.MULTILINE)) == PARTNER


def test_every_letter_of_lacps_state() -> None:
    rows = re.findall(r"^\| ([A-Z]) \| (\w+) \|", PAGE, re.MULTILINE)
    names = [field.name for field in fields(LacpState)]
    assert rows == list(zip(LETTERS, names, strict=True))
