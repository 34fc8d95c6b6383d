"""The page: complete, self-contained, usable without a mouse, and not written by a machine."""

from __future__ import annotations

import base64
import hashlib
import re

import pytest

from homelab.drift.finding import Finding
from homelab.drift.forms import html
from homelab.drift.report import Report, Unit
from tests.unit.drift.drift_readers import Page
from tests.unit.drift.drift_reports import AT, clean, full, hostile

LOADS = {"src", "href", "srcset", "action", "formaction", "data", "poster", "style"}


def page(report: Report) -> Page:
    return Page(html.render(report))


@pytest.mark.parametrize("report", [clean(), full(), hostile()], ids=["clean", "full", "hostile"])
def test_it_is_well_formed_and_asks_for_nothing(report: Report) -> None:
    found = page(report)
    assert found.open == []
    for _, attributes in found.tags:
        assert not attributes.keys() & LOADS
        assert [name for name in attributes if name.startswith("on")] == []
    ids = [attributes["id"] for _, attributes in found.tags if "id" in attributes]
    assert len(ids) == len(set(ids))


def test_only_its_own_style_and_script_may_run() -> None:
    found = page(hostile())
    policy = found.all("meta")[1]["content"]
    assert policy is not None
    rules = dict(rule.split(" ", 1) for rule in policy.split("; "))
    assert rules["default-src"] == "'none'"
    for tag in ("style", "script"):
        (text,) = found.text_of(tag)
        digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
        assert rules[f"{tag}-src"] == f"'sha256-{digest}'"


def test_a_hostile_machine_adds_no_tags() -> None:
    """The same report with harmless texts has the same tags."""
    harmless = [tag for tag, _ in page(hostile("a\nb")).tags]
    lines = {"b", "span", "ins", "del"}  # a line of a diff, whatever is in it
    tags = [tag for tag, _ in page(hostile()).tags]
    assert [t for t in tags if t not in lines] == [t for t in harmless if t not in lines]
    assert set(tags) == set(harmless)


def test_all_of_a_finding() -> None:
    found = page(full())
    assert found.text_of("h1") == ["Drift of example"]
    assert full().verdict in found.text_of("p")
    assert {"6 lines", "2026-06-30T04:05:06Z", "run deploys/cluster.py"} <= set(found.text_of("dd"))
    assert found.text_of("ins") == ["+    bind 0.0.0.0:6443"]
    assert found.text_of("del") == ["-    bind 192.168.10.10:6443", "--- a dashed line"]
    assert "high (2)" in found.text_of("h3")
    assert "Accepted" in found.text_of("h2")
    assert "host.swap/n4/swap" in found.text_of("code")


def test_without_its_script_everything_is_shown() -> None:
    found = page(full())
    assert len(found.all("details")) == 5
    assert all("open" in details for details in found.all("details"))
    assert [tag for tag, attributes in found.tags if "hidden" in attributes] == ["form"]


def test_every_finding_can_be_filtered_by_what_is_offered() -> None:
    source = html.render(full())
    found = page(full())
    names = [select["name"] for select in found.all("select")]
    assert names == ["severity", "machine", "area"]
    for name in names:
        select = source[source.index(f'name="{name}"') :].partition("</select>")[0]
        offered = re.findall(r'<option value="([^"]+)"', select)
        used = [str(details[f"data-{name}"]) for details in found.all("details")]
        assert sorted(offered) == sorted(set(used))
    assert len(re.findall(r"<label>\w+ <select", source)) == 3


def test_the_rack_in_words() -> None:
    shown = re.sub(r"<[^>]+>", "", html.render(full()))
    assert "n1 control plane, balancer\nanswered; worst is info" in shown
    assert "bond0 enp3s0: 1000 Mbit/s well" in shown
    assert "answered; worst is critical\nbond0 enp4s0: down not well" in shown
    assert "n3 worker\ndid not answer; not all could be told" in shown
    assert "n4 worker\nanswered; as declared" in shown


def test_what_could_not_be_told_is_never_as_declared() -> None:
    unit = Unit("n1", (), True)
    unread = Finding("read.fact", "n1", "bonds", "an answer", "exit code 1", "unknown")
    assert "not all could be told" in html.render(Report("s", AT, 1, (unit,), (unread,)))
    uid = Finding("access.uid-0", "n1", "toor", "", "uid 0")
    both = html.render(Report("s", AT, 1, (unit,), (uid, unread)))
    assert "worst is critical; not all could be told" in both


def contrast(one: str, other: str) -> float:
    """WCAG 2's ratio of two colours such as ``#fff`` or ``#1b1f24``."""

    def luminance(colour: str) -> float:
        digits = colour[1:] if len(colour) == 7 else "".join(d * 2 for d in colour[1:])
        parts = [int(digits[at : at + 2], 16) / 255 for at in (0, 2, 4)]
        linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
        return sum(p * share for p, share in zip(linear, (0.2126, 0.7152, 0.0722), strict=True))

    dark, light = sorted((luminance(one), luminance(other)))
    return (light + 0.05) / (dark + 0.05)


def test_every_colour_can_be_read_on_both_backgrounds() -> None:
    (style,) = page(clean()).text_of("style")
    modes = re.findall(r":root \{(.*?)\}", style, re.DOTALL)
    assert len(modes) == 2
    for mode in modes:
        colours = dict(re.findall(r"--(\w+): (#\w+);", mode))
        for name in ("text", "quiet", "bad", "warn", "good", "cool"):
            for ground in ("page", "raised"):
                assert contrast(colours[name], colours[ground]) >= 4.5, (name, ground)
