"""All rules on one site.

First keys and types; then every other rule on what is well typed, so that one slip neither hides
the others nor makes a rule fail.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace

from homelab.site.fault import Fault
from homelab.site.model import Site
from homelab.site.rules import (
    access,
    api,
    artefacts,
    bonds,
    ingress,
    kubernetes,
    labels,
    machines,
    monitors,
    network,
    nics,
    roles,
    switch,
    timings,
    types,
    vlans,
)
from homelab.site.rules.rule import Rule, Unsure, rule_id, rules_of, source_of

SUBJECTS = (
    machines,
    roles,
    access,
    nics,
    labels,
    network,
    bonds,
    monitors,
    vlans,
    switch,
    api,
    ingress,
    kubernetes,
    artefacts,
    timings,
)
RULES: dict[str, Rule] = {rule_id(rule): rule for subject in SUBJECTS for rule in rules_of(subject)}
IDS = frozenset(types.RULES) | frozenset(RULES)


def check(site: Site, file: str) -> list[Fault]:
    """All faults of the site, whatever it holds; an empty list says that it is valid."""
    of_types = list(types.faults(site))
    ill = {fault.field for fault in of_types if fault.rule != "unknown-key"}
    ground = types.sound(site)
    found = list(of_types)
    for name, rule in RULES.items():
        found += [
            replace(fault, rule=name, source=source_of(rule))
            for fault in _run(rule, ground, bool(ill))
            if not _below(fault.field, ill)
        ]
    return [replace(fault, file=file, machine=_machine(ground, fault.field)) for fault in found]


def _run(rule: Rule, site: Site, ill_typed: bool) -> Iterator[Fault]:
    try:
        yield from rule(site)
    except Unsure:
        return
    except AttributeError:
        if not ill_typed:  # else: asked for a field that is missing, which is told already
            raise


def _below(field: str, ill: set[str]) -> bool:
    """Is the field, or what holds it, ill-typed? Then what is there is our default, not theirs."""
    return any(field == path or field.startswith((f"{path}.", f"{path}[")) for path in ill)


def _machine(site: Site, field: str) -> str:
    number = re.match(r"machines\[(\d+)\]", field)
    return getattr(site.machines[int(number[1])], "name", "") if number else ""
