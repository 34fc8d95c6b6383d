"""Whatever a machine says, in no form does it draw, run, or break the form."""

from __future__ import annotations

import json
import re
from xml.etree import ElementTree

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from rich.cells import cell_len

from homelab.drift.forms import html, json_form, junit, markdown, prometheus, sarif
from homelab.drift.report import Report
from tests.unit.drift.drift_readers import SCHEMA, Page, fits, kinds, samples
from tests.unit.drift.drift_reports import EVIL, FORMS, hostile, printed, unseen

PIECES = re.findall(r"\S+|\s", EVIL)
TEXTS = st.lists(st.sampled_from(PIECES) | st.text(st.characters(), max_size=5), max_size=12).map(
    "".join
)


@pytest.mark.parametrize("form", FORMS)
def test_nothing_unseen_is_in_any_form(form: str) -> None:
    shown = FORMS[form](hostile())
    assert unseen(shown) == set()
    assert r"\x1b[2J" in shown.replace(r"\\", "\\")


def check(report: Report) -> None:
    """Every form of ``report`` is what it says it is."""
    for form in FORMS.values():
        assert unseen(form(report)) == set()
    assert max(map(cell_len, printed(report, 40).splitlines())) <= 40
    assert fits(json.loads(json_form.render(report)), SCHEMA)
    assert json.loads(sarif.render(report))["runs"][0]["results"]
    ElementTree.fromstring(junit.render(report).encode())
    samples(report)
    page = Page(html.render(report))
    assert page.open == []
    assert [tag for tag, _ in page.tags].count("script") == 1
    assert {"html_inline", "html_block", "link_open", "image"} & set(kinds(report)) == set()
    assert kinds(report).count("td_open") == 8 * 2
    for text in (markdown.render(report), prometheus.render(report)):
        text.encode()


@settings(deadline=None, max_examples=50, suppress_health_check=[HealthCheck.too_slow])
@given(TEXTS)
def test_whatever_a_machine_says(text: str) -> None:
    check(hostile(text))
