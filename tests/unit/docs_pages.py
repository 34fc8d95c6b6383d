"""README.md and docs/*.md, cut into what the tests look at."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from homelab.lab.paths import REPO

PAGES = [REPO / "README.md", *sorted((REPO / "docs").glob("*.md"))]
CODE = ("homelab", "facts", "operations", "deploys", "inventories")


@dataclass(frozen=True)
class Fence:
    info: str
    text: str


@cache
def fences(page: Path) -> list[Fence]:
    found = re.findall(r"^```([^\n]*)\n(.*?)^```$", page.read_text(), re.MULTILINE | re.DOTALL)
    return [Fence(info.strip(), text) for info, text in found]


@cache
def prose(page: Path) -> str:
    """The page without its fences."""
    return re.sub(r"^```.*?^```$", "", page.read_text(), flags=re.MULTILINE | re.DOTALL)


def inline(page: Path) -> list[str]:
    """All `code` of the page's text."""
    return re.findall(r"`([^`\n]+)`", prose(page))
