"""The comparison of the host before and after a lab."""

from homelab.lab import footprint


def test_twice_in_a_row_is_the_same() -> None:
    own = ("pytest", "docker", "homelab")  # what other programs do meanwhile
    found = footprint.differences(
        footprint.without(footprint.take(), *own), footprint.without(footprint.take(), *own)
    )
    assert [line for line in found if line.startswith("sysctls")] == []


def test_differences_are_told_one_by_one() -> None:
    before = {"modules": ("overlay", "veth"), "routes": ("default via 10.0.0.1",)}
    after = {"modules": ("overlay", "bridge"), "routes": ("default via 10.0.0.1",)}
    assert footprint.differences(before, after) == ["modules: - veth", "modules: + bridge"]
    assert footprint.differences(before, before) == []


def test_other_labs_can_be_left_out() -> None:
    found = footprint.without({"mounts": ("a /var/lib/homelab-lab/x", "b /")}, "homelab-lab/x")
    assert found == {"mounts": ("b /",)}
