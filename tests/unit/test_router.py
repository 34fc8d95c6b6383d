"""The router's page, and what is made of what answers at its outer address."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from homelab import router
from tests.unit.site.example_site import changed, example

OPEN = [80, 443, 8443]


def test_what_the_world_may_reach_is_the_port_tables() -> None:
    assert router.open_to_world(example()) == {
        80: "haproxy",
        443: "haproxy",
        8443: "the API, on the VIP",
    }
    closed = router.closed_to_world(example())
    assert {22, 2379, 2380, 6443, 8404, 10250, 30080, 30443} <= closed.keys()
    assert not {*OPEN} & closed.keys()


def test_without_a_way_in_all_is_closed() -> None:
    site = changed({"ingress": None})
    assert router.open_to_world(site) == {}
    assert 8443 in router.closed_to_world(site)
    assert "Nothing: no way in for the world is declared" in router.page(site)


def test_the_page_names_what_to_set_and_what_not() -> None:
    said = router.page(example())
    assert '- DMZ host ("exposed host"): `192.168.10.11` (n1).' in said
    assert "outer TCP `8443` to `192.168.10.10`, port `8443`" in said
    assert "  - `2379/tcp` etcd" in said
    assert "`192.168.10.14` (n4)" in said


@pytest.mark.parametrize(
    ("answered", "said"),
    [
        (OPEN, []),
        ([80, 443], ["8443/tcp (the API, on the VIP) does not answer"]),
        ([*OPEN, 22, 10250], ["22/tcp (sshd) answers, and must not", "10250/tcp (kubelet)"]),
    ],
)
def test_what_answers_is_held_against_the_site(answered: list[int], said: list[str]) -> None:
    found = router.judged(example(), answered)
    assert len(found) == len(said)
    assert all(want in have for want, have in zip(said, found, strict=True))


def test_a_probe_from_inside_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert router.probe(example(), "192.168.10.1") == 2
    assert "192.168.10.1 is inside the node subnet" in capsys.readouterr().err


def test_a_probe_from_outside(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    asked: list[tuple[str, list[int]]] = []

    def answers(address: str, ports: list[int]) -> list[int]:
        asked.append((address, ports))
        return OPEN

    monkeypatch.setattr(router, "open_ports", answers)
    monkeypatch.setattr(router, "_source", lambda _: "203.0.113.9")
    file = "inventories/homelab.py"
    assert router.main([file, "--probe", "127.0.0.1"]) == 0
    ((address, ports),) = asked
    assert address == "127.0.0.1"
    assert {*OPEN, 22, 2379} <= {*ports}
    assert "443/tcp answers (haproxy)" in capsys.readouterr().out
    monkeypatch.setattr(router, "open_ports", lambda *_: [*OPEN, 2379])
    assert router.main([file, "--probe", "127.0.0.1"]) == 2
    assert "2379/tcp (etcd) answers, and must not" in capsys.readouterr().err


def test_the_program(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    assert router.main(["inventories/homelab.py"]) == 0
    assert capsys.readouterr().out.startswith("# The router of homelab")
    assert router.main(["inventories/none.py"]) == 2

    def unknown(_: str) -> str:
        raise socket.gaierror("no such name")

    monkeypatch.setattr(socket, "gethostbyname", unknown)
    assert router.main(["inventories/homelab.py", "--probe", "home.invalid"]) == 2
    assert "home.invalid can't be asked from here" in capsys.readouterr().err
