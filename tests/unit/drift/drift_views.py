"""Views as the areas get them: the lab's site, with the facts that a test has put into it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from homelab.drift.view import Facts, Told, View
from homelab.preflight.survey import Survey
from homelab.site.model import Site
from tests.unit.documents.document_sites import lab

NOW = datetime(2026, 11, 26, 12, 0, tzinfo=UTC)


def member(site: Site, **changes: Any) -> Survey:
    """A finished member's survey, in a node container."""
    survey = Survey(virt="docker", claim={"site": site.name, "phase": "member"}, balances=True)
    for name, value in changes.items():
        setattr(survey, name, value)
    return survey


def view(facts: Mapping[str, dict[str, Any]] | None = None, site: Site | None = None) -> View:
    """All machines are members; ``facts`` by machine are added to their survey."""
    site = site or lab()
    told = tuple(
        Told(m, replace(Facts(survey=member(site)), **(facts or {}).get(m.name, {})))
        for m in site.machines
    )
    return View(site, told, NOW)
