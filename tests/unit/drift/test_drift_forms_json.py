"""The JSON form: stable, and as its schema says."""

from __future__ import annotations

import copy
import json
from dataclasses import replace
from typing import Any, get_args

import pytest

from homelab.drift import history
from homelab.drift.finding import Kind
from homelab.drift.forms import json_form
from homelab.drift.report import Report
from homelab.drift.rule import Severity
from tests.unit.drift.drift_readers import DEFINED, SCHEMA, fits
from tests.unit.drift.drift_reports import FILE, clean, full, hostile


def shown() -> dict[str, Any]:
    value = json.loads(json_form.render(full()))
    assert isinstance(value, dict)
    return value


@pytest.mark.parametrize("report", [clean(), full(), hostile()], ids=["clean", "full", "hostile"])
def test_what_comes_out_is_as_the_schema_says(report: Report) -> None:
    assert fits(json.loads(json_form.render(report)), SCHEMA)


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (["schema"], "homelab-drift/2"),
        (["exit_code"], 3),
        (["took_s"], -1),
        (["took_s"], True),
        (["exit_code"], True),
        (["at"], "2026-07-01 12:30:15"),
        (["more"], 1),
        (["rack", 0, "legs", 0, "well"], "yes"),
        (["findings", 0, "severity"], "fatal"),
        (["findings", 0, "kind"], None),
        (["findings", 0, "since"], "yesterday"),
        (["findings", 0, "secret"], ""),
        (["accepted", 0, "until"], "2026-08-01T00:00:00Z"),
        (["accepted", 0, "finding", "deploy"], 5),
        (["gone"], [1]),
    ],
)
def test_what_is_broken_is_not(path: list[Any], value: Any) -> None:
    broken = copy.deepcopy(shown())
    *way, last = path
    inside: Any = broken
    for step in way:
        inside = inside[step]
    inside[last] = value
    assert not fits(broken, SCHEMA)


def test_nothing_may_be_missing() -> None:
    for name in shown():
        assert not fits({k: v for k, v in shown().items() if k != name}, SCHEMA)
    for defined in (SCHEMA, *DEFINED.values()):
        if defined["type"] == "object":
            assert defined["additionalProperties"] is False
            assert set(defined["required"]) == set(defined["properties"])


def test_the_schema_knows_the_same_words() -> None:
    properties = DEFINED["finding"]["properties"]
    assert properties["severity"]["enum"] == [str(severity) for severity in Severity]
    assert properties["kind"]["enum"] == list(get_args(Kind))
    assert SCHEMA["properties"]["schema"]["const"] == history.SCHEMA


def test_a_finding() -> None:
    found = next(one for one in shown()["findings"] if one["id"] == FILE.id)
    assert found == {
        "id": "haproxy.file/n2/etc-haproxy-haproxy.cfg",
        "rule": "haproxy.file",
        "machine": "n2",
        "subject": "/etc/haproxy/haproxy.cfg",
        "area": "balancer",
        "severity": "high",
        "kind": "drift",
        "expected": "6 lines",
        "actual": "7 lines",
        "diff": FILE.diff,
        "since": "2026-06-30T04:05:06Z",
        "why": "a balancer with another configuration hides dead API servers",
        "mend": "run deploys/cluster.py",
        "deploy": "deploys/cluster.py",
        "first_seen": None,
        "status": "new",
    }


def test_the_rest_of_a_report() -> None:
    value = shown()
    assert (value["exit_code"], value["at"], value["took_s"]) == (1, "2026-07-01T12:30:15Z", 12.346)
    assert value["rack"][1]["legs"] == [
        {"bond": "bond0", "name": "enp4s0", "state": "down", "well": False}
    ]
    assert value["accepted"][0]["owner"] == "mira"
    assert value["gone"] == ["etcd.alarm/n1/NOSPACE", "host.swap/n4/swap"]


def test_the_order_is_not_the_readers() -> None:
    report = full()
    turned = replace(report, findings=report.findings[::-1], gone=report.gone[::-1])
    assert json_form.render(turned) == json_form.render(report)
