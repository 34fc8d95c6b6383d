"""The forms for other programs: JUnit, SARIF, Prometheus."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any
from xml.etree import ElementTree

from homelab.drift.catalogue import RULES
from homelab.drift.forms import junit, sarif
from homelab.drift.report import Report
from homelab.drift.rule import Severity
from tests.unit.drift.drift_readers import samples
from tests.unit.drift.drift_reports import FILE, KEY, UID, clean, full, hostile


def suite(report: Report) -> ElementTree.Element:
    found = ElementTree.fromstring(junit.render(report)).find("testsuite")
    assert found is not None
    return found


def case(of: ElementTree.Element, name: str) -> ElementTree.Element:
    (found,) = (one for one in of.findall("testcase") if one.get("name") == name)
    return found


def test_junit_of_a_clean_day_has_a_case() -> None:
    found = suite(clean())
    assert found.get("tests") == "1"
    assert (found.get("failures"), found.get("errors"), found.get("skipped")) == ("0", "0", "0")
    assert list(case(found, "clean: 4 machines as declared")) == []


def test_junit_tells_failures_errors_accepted_and_mild_ones_apart() -> None:
    found = suite(full())
    results = {c.get("name"): [child.tag for child in c] for c in found.findall("testcase")}
    assert results == {
        "access.uid-0": ["failure"],
        "haproxy.file": ["failure"],
        "read.machine": ["error"],
        "node.taint": ["failure"],
        "network.note": ["system-out"],
        KEY.id: ["skipped"],
    }
    counts = [found.get(name) for name in ("tests", "failures", "errors", "skipped")]
    assert counts == ["6", "3", "1", "1"]
    assert (found.get("timestamp"), found.get("time")) == ("2026-07-01T12:30:15", "12.346")
    failure = case(found, "haproxy.file")[0]
    assert failure.get("type") == "high"
    assert failure.get("message") == "/etc/haproxy/haproxy.cfg: 7 lines, expected 6 lines"
    assert failure.text is not None
    assert FILE.diff in failure.text
    assert "mend: run deploys/cluster.py" in failure.text


def test_junit_fails_as_the_exit_code_does() -> None:
    report = replace(full(), findings=(FILE,), fail_on=Severity.CRITICAL)
    assert report.exit_code == 0
    assert suite(report).get("failures") == "0"


def test_junit_has_one_case_for_a_rule_on_a_machine() -> None:
    other = replace(FILE, subject="/etc/haproxy/errors")
    found = suite(replace(full(), findings=(FILE, other)))
    message = case(found, "haproxy.file")[0].get("message")
    assert message is not None
    assert message.endswith("; and 1 more")


def run(report: Report) -> dict[str, Any]:
    log = json.loads(sarif.render(report))
    assert log["version"] == "2.1.0"
    (found,) = log["runs"]
    assert isinstance(found, dict)
    return found


def test_sarif_of_a_finding() -> None:
    found = run(full())
    rules = found["tool"]["driver"]["rules"]
    (result,) = (r for r in found["results"] if r["ruleId"] == "haproxy.file")
    assert rules[result["ruleIndex"]]["id"] == "haproxy.file"
    assert rules[result["ruleIndex"]]["shortDescription"]["text"] == RULES["haproxy.file"].why
    assert result["level"] == "error"
    assert result["baselineState"] == "new"
    assert result["partialFingerprints"] == {"homelabDrift/v1": FILE.id}
    assert result["locations"][0]["logicalLocations"][0] == {
        "name": "/etc/haproxy/haproxy.cfg",
        "fullyQualifiedName": "n2//etc/haproxy/haproxy.cfg",
        "kind": "resource",
    }
    assert result["properties"]["diff"] == FILE.diff
    assert result["message"]["text"].startswith("n2: /etc/haproxy/haproxy.cfg. expected: 6 lines; ")


def test_sarif_of_the_others() -> None:
    found = run(full())
    by_rule = {result["ruleId"]: result for result in found["results"]}
    levels = {name: result["level"] for name, result in by_rule.items()}
    assert levels["access.uid-0"] == levels["read.machine"] == "error"
    assert (levels["node.taint"], levels["network.note"]) == ("warning", "note")
    assert by_rule["access.uid-0"]["baselineState"] == "unchanged"
    assert "baselineState" not in by_rule["node.taint"]
    (suppression,) = by_rule["access.key"]["suppressions"]
    assert suppression["justification"] == "until 2026-08-01, mira: until the new key is out"
    assert found["invocations"] == [{"executionSuccessful": False, "exitCode": 1}]
    assert len(found["tool"]["driver"]["rules"]) == len(by_rule) == 6


def test_sarif_of_a_clean_day() -> None:
    assert run(clean())["results"] == []
    assert run(clean())["invocations"] == [{"executionSuccessful": True, "exitCode": 0}]


def test_sarif_messages_hold_no_placeholder_and_no_link() -> None:
    for result in run(hostile())["results"]:
        text = result["message"]["text"]
        assert "](" not in text
        assert "{" not in text.replace("{{", "").replace("}}", "")


def test_prometheus_of_a_clean_day() -> None:
    assert samples(clean()) == {
        "homelab_drift_unknown": 0,
        "homelab_drift_last_run_timestamp_seconds": 1782909015,
        "homelab_drift_duration_seconds": 12.3456,
    }


def test_prometheus_counts() -> None:
    report = replace(full(), findings=(*full().findings, replace(UID, subject="toor2")))
    found = samples(report)
    of = "homelab_drift_findings{severity="
    assert found[f'{of}"critical",machine="n2",area="access",kind="undeclared"}}'] == 2
    assert found[f'{of}"high",machine="n3",area="reading",kind="unknown"}}'] == 1
    assert found["homelab_drift_unknown"] == 1
    assert sum(value for name, value in found.items() if name.startswith(of)) == 6


def test_prometheus_labels_are_escaped() -> None:
    report = replace(full(), findings=(replace(FILE, machine='a"b\\c\x1b}'),))
    (name,) = (name for name in samples(report) if "{" in name)
    assert r'machine="a\"b\\c\\x1b}"' in name
