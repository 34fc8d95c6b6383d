"""The comparison of the host before and after a lab."""

from homelab.lab import footprint


def test_it_looks_at_all_that_a_lab_could_change() -> None:
    found = footprint.take()
    assert {"sysctls", "modules", "mounts", "routes", "packet filter"} <= set(found)
    assert any(line.startswith("/proc/sys/vm/overcommit_memory=") for line in found["sysctls"])
    assert not any("/random/" in line for line in found["sysctls"])


def test_differences_are_told_one_by_one() -> None:
    before = {"modules": ("overlay", "veth"), "routes": ("default via 10.0.0.1",)}
    after = {"modules": ("overlay", "bridge"), "routes": ("default via 10.0.0.1",)}
    assert footprint.differences(before, after) == ["modules: - veth", "modules: + bridge"]
    assert footprint.differences(before, before) == []


def test_other_labs_can_be_left_out() -> None:
    found = footprint.without({"mounts": ("a /var/lib/homelab-lab/x", "b /")}, "homelab-lab/x")
    assert found == {"mounts": ("b /",)}
