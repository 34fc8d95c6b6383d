"""The catalogue as a page for people."""

from __future__ import annotations

from homelab.drift.catalogue import RULES
from homelab.drift.rule import Rule

HEAD = """# Rules of drift

Made from the code by `python -m homelab.drift.catalogue`. How to read a report: [drift](drift.md).
"""


def table() -> str:
    """Markdown: a section for each area, its rules with the worst first."""
    areas = sorted({rule.area for rule in RULES.values()})
    return HEAD + "".join(_section(area) for area in areas)


def _section(area: str) -> str:
    rules = [(name, rule) for name, rule in RULES.items() if rule.area == area]
    rules.sort(key=lambda item: (item[1].severity, item[0]))
    head = "| rule | severity | why it matters | what mends it |\n|---|---|---|---|\n"
    return f"\n## {area.capitalize()}\n\n{head}" + "".join(_line(*item) for item in rules)


def _line(name: str, rule: Rule) -> str:
    mend = rule.mend.format(machine="the machine", subject="it").replace("|", "\\|")
    interrupts = "" if rule.restarts == "nothing" else f" (interrupts: {rule.restarts})"
    return f"| {name} | {rule.severity} | {rule.why} | {mend}{interrupts} |\n"
