"""docs/failures.md quotes what the code says, and has a line for every condition.

How it is written so that this can be checked: our messages stand in ```message fences, pyinfra's
in ```message pyinfra, with <what differs> in angle brackets.
"""

from __future__ import annotations

import ast
import importlib.util
import re
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from homelab.lab.paths import REPO
from tests.unit.docs_pages import CODE, Fence, fences, prose

FAILURES = REPO / "docs" / "failures.md"
# Where conditions are named, and by the first argument of which call.
CONDITIONS = {
    "deploys/conditions.py": "Condition",
    "homelab/preflight/conditions.py": "view.problem",
    "homelab/preflight/together.py": "view.problem",
}


@cache
def texts(origin: str) -> str:
    """Every string of our sources, or of pyinfra's SSH connector."""
    if origin == "pyinfra":
        spec = importlib.util.find_spec("pyinfra")
        assert spec
        assert spec.origin
        files = [*(Path(spec.origin).parent / "connectors").rglob("ssh*/*.py"),
                 *(Path(spec.origin).parent / "connectors").glob("*.py")]  # fmt: skip
    else:
        files = [path for folder in CODE for path in (REPO / folder).rglob("*.py")]
    nodes = (node for file in files for node in ast.walk(ast.parse(file.read_text())))
    return "\n".join(n.value for n in nodes if isinstance(n, ast.Constant) and type(n.value) is str)


def pieces(message: str) -> list[str]:
    """What must stand in the sources: between <…>, and between the parts of a composed line."""
    parts = re.split(r"<[^>]*>|: |; |\. |…", message)
    return [part for part in (p.strip(" .:;,[]()") for p in parts) if len(part) > 2]


@pytest.mark.parametrize("fence", [f for f in fences(FAILURES) if "message" in f.info])
def test_a_message_is_said_by_the_code(fence: Fence) -> None:
    said = texts(fence.info.removeprefix("message").strip())
    parts = [part for line in fence.text.splitlines() for part in pieces(line)]
    # a field of the site, in an example, is the reader's
    missing = [p for p in parts if p not in said and not re.match(r"(machines|network|api)\b", p)]
    assert not missing


def test_every_condition_has_its_line() -> None:
    """Of the preflight and of all gates, by the first argument of each."""
    page = prose(FAILURES)
    for file, call in CONDITIONS.items():
        for node in ast.walk(ast.parse((REPO / file).read_text())):
            if isinstance(node, ast.Call) and ast.unparse(node.func) == call:
                for part in constants(node.args[0]):
                    assert part in page, f"{file}: {part!r} is not explained"


def constants(node: Any) -> list[str]:
    values = (n.value for n in ast.walk(node) if isinstance(n, ast.Constant))
    return [value.strip(" ,") for value in values if isinstance(value, str) and value.strip(" ,")]
