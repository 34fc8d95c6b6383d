"""Every rule of drift, in one table by area: how bad its findings are, and what mends them."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from homelab.drift.catalogue import cluster, layers, machines
from homelab.drift.finding import Finding
from homelab.drift.rule import Rule, Severity

RULES: Mapping[str, Rule] = MappingProxyType(
    {**machines.RULES, **layers.RULES, **cluster.RULES},
)


def rule_of(finding: Finding) -> Rule:
    """KeyError for a finding whose rule nobody has written down."""
    return RULES[finding.rule]


def severity_of(finding: Finding) -> Severity:
    """How bad the finding is."""
    return rule_of(finding).severity


def mend_of(finding: Finding) -> str:
    """What to do about this very finding."""
    return rule_of(finding).mend.format(machine=finding.machine, subject=finding.subject)
