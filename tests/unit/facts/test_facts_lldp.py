"""Who is at the other end of a cable."""

from __future__ import annotations

from facts import lldp
from tests.unit.facts.fact_captures import capture


def test_the_neighbours_of_three_legs_by_their_permanent_addresses() -> None:
    found = lldp.parse(capture("lldp-three-legs"))
    assert not found.unread
    assert [(n.port, n.permanent_mac, n.remote) for n in found.neighbours or ()] == [
        ("eth0", "0c:c4:7a:10:00:21", "GigabitEthernet0/0/4"),
        ("eth1", "0c:c4:7a:10:00:22", "GigabitEthernet0/0/5"),
        ("eth2", "0c:c4:7a:10:00:23", "GigabitEthernet0/0/7"),
    ]
    assert {(n.system, n.chassis) for n in found.neighbours or ()} == {
        ("rack-sw", "4c:1f:cc:45:a8:f8")
    }
    assert [n.remote for n in found.on("eth2")] == ["GigabitEthernet0/0/7"]
    assert found.on("eth3") == ()


def test_a_neighbour_that_says_no_more_than_it_must() -> None:
    (found,) = lldp.parse(capture("lldp-terse-neighbour")).neighbours or ()
    assert (found.system, found.remote_description) == (None, None)
    assert (found.chassis, found.remote) == ("58:86:94:00:11:22", "58:86:94:00:11:23")


def test_nobody_is_heard() -> None:
    found = lldp.parse(capture("lldp-nobody"))
    assert found.neighbours == ()
    assert not found.unread


def test_without_lldpd_nothing_is_known() -> None:
    found = lldp.parse(capture("lldp-no-lldpd"))
    assert found.neighbours is None
    assert "unable to get a connection to lldpd" in found.unread["lldp"]
