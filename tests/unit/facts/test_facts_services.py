"""HAProxy, and who keeps the time."""

from __future__ import annotations

import pytest

from facts import haproxy, time_sync
from tests.unit.facts.fact_captures import capture


def test_one_backend_up_and_one_down() -> None:
    found = haproxy.parse(capture("haproxy-one-up-one-down"))
    assert found.version == "2.6.12-1+deb12u4"
    assert found.stopping is False
    assert found.pid is not None
    up, down = found.backend("api")
    assert (up.name, up.up, up.status, up.check, up.check_code) == ("cp1", True, "UP", "L7OK", 200)
    assert (down.name, down.up, down.check, down.check_code) == ("cp2", False, "L4TOUT", None)
    assert down.address == "10.77.0.12:6443"
    assert down.last_check == "Layer4 timeout"
    assert [(p.name, p.kind, p.status) for p in found.proxies or ()] == [
        ("api", "FRONTEND", "OPEN"),
        ("api", "BACKEND", "UP"),
    ]


def test_a_haproxy_that_does_not_answer_has_unknown_backends() -> None:
    for name in ("dead", "stopped"):
        found = haproxy.parse(capture(f"haproxy-{name}"))
        assert found.servers is None
        assert set(found.unread) == {"info", "stat"}


def test_a_server_on_its_way_down_is_still_up() -> None:
    lines = [
        line.replace(",UP,1,1,0,", ",UP 1/2,1,1,0,") if line.startswith("api,cp1,") else line
        for line in capture("haproxy-one-up-one-down")
    ]
    server = haproxy.parse(lines).backend("api")[0]
    assert (server.status, server.up) == ("UP 1/2", True)


def test_chrony_in_sync() -> None:
    found = time_sync.parse(capture("time-sync-chrony"))
    assert (found.service, found.server, found.stratum) == ("chrony", "10.77.0.11", 9)
    # chronyc's -0.000001135 reads "fast of NTP time" in its own words: this clock is ahead.
    assert found.offset_s == pytest.approx(1.135e-6)
    assert not found.unread


def test_chrony_without_a_source() -> None:
    found = time_sync.parse(capture("time-sync-chrony-local"))
    assert found.service == "chrony"
    assert found.synchronized is False


def test_timesyncd() -> None:
    found = time_sync.parse(capture("time-sync-timesyncd"))
    assert (found.service, found.server, found.stratum) == ("systemd-timesyncd", "10.77.0.11", 8)
    assert found.offset_s is not None
    assert -0.001 < found.offset_s < 0  # its "+": the server's clock is ahead


def test_a_machine_that_keeps_no_time() -> None:
    found = time_sync.parse(capture("time-sync-none"))
    assert (found.service, found.synchronized, found.server) == (None, False, None)
    assert found.timezone == "Etc/UTC"


@pytest.mark.parametrize(
    ("offset", "seconds"), [("+1.5ms", -0.0015), ("-2us", 2e-6), ("-1min 2.5s", 62.5), ("0", None)]
)
def test_spans_of_time_as_systemd_writes_them(offset: str, seconds: float | None) -> None:
    lines = [
        f"       Offset: {offset}" if line.strip().startswith("Offset:") else line
        for line in capture("time-sync-timesyncd")
    ]
    if seconds is None:
        with pytest.raises(ValueError, match="offset"):
            time_sync.parse(lines)
    else:
        assert time_sync.parse(lines).offset_s == pytest.approx(seconds)
