"""The report for a CI server, as JUnit XML: a test case for each rule and machine with findings.

A case holds all findings of its rule on its machine, as servers tell cases apart by these two.
"""

from __future__ import annotations

from collections.abc import Sequence
from xml.etree.ElementTree import Element, SubElement, indent, tostring

from homelab.drift.forms.entry import Entry, accepted, entries, utc
from homelab.drift.forms.escape import visible
from homelab.drift.report import Report

DECLARATION = '<?xml version="1.0" encoding="utf-8"?>\n'


def render(report: Report) -> str:
    """A case fails of ``fail_on`` or worse, is an error if anything could not be told.

    Milder findings pass and say so; accepted ones are skipped, each under its id. If there are none
    of all these, one case says that everything is as declared.
    """
    root = Element("testsuites")
    name = f"drift of {visible(report.site)}"
    suite = SubElement(root, "testsuite", name=name, time=f"{report.took_s:.3f}")
    suite.set("timestamp", utc(report.at).removesuffix("Z"))  # the format knows no zone
    cases: dict[tuple[str, str], list[Entry]] = {}
    for entry in entries(report):
        cases.setdefault((entry.machine, entry.rule), []).append(entry)
    for (machine, rule), found in cases.items():
        _result(_case(suite, machine, rule), report, found)
    for known in accepted(report):
        case = _case(suite, known.entry.machine, known.entry.id)
        why = f"until {known.until}, {known.owner}: {known.reason}"
        SubElement(case, "skipped", message=f"{_line(known.entry)}; accepted {why}")
    if not len(suite):
        _case(suite, visible(report.site), report.verdict)
    counted = {"tests": "", "failures": "/failure", "errors": "/error", "skipped": "/skipped"}
    for key, path in counted.items():
        suite.set(key, str(len(suite.findall(f"testcase{path}"))))
    indent(root)
    return DECLARATION + tostring(root, encoding="unicode") + "\n"


def _case(suite: Element, machine: str, name: str) -> Element:
    return SubElement(suite, "testcase", classname=machine, name=name, time="0")


def _result(case: Element, report: Report, found: Sequence[Entry]) -> None:
    first, *others = found
    if any(entry.kind == "unknown" for entry in found):
        result = SubElement(case, "error", type=str(first.severity))
    elif first.severity <= report.fail_on:  # the same for all: it is the rule's
        result = SubElement(case, "failure", type=str(first.severity))
    else:
        result = SubElement(case, "system-out")
    if result.tag != "system-out":  # it has no attributes
        result.set("message", _line(first) + (f"; and {len(others)} more" if others else ""))
    result.text = "\n".join(map(_paragraph, found))


def _line(entry: Entry) -> str:
    expected = f", expected {entry.expected}" if entry.expected else ""
    return f"{entry.subject}: {entry.actual}{expected}"


def _paragraph(entry: Entry) -> str:
    said = "".join(f"  {name}: {text}\n" for name, text in entry.said.items())
    return f"{entry.subject} ({entry.standing})\n{said}{entry.diff}"
