"""What only shows when a machine is held against the others, or against what a deploy started."""

from __future__ import annotations

from dataclasses import replace

from homelab.preflight.conditions import problems
from tests.unit.documents.document_sites import lab, rack
from tests.unit.preflight.surveys import NOW, sound

MEMBER = {"site": "rack", "phase": "member"}


def test_a_cloned_disk_is_told_on_both_machines() -> None:
    site, surveys = rack(), sound(rack())
    surveys["x3"] = replace(surveys["x3"], machine_id=surveys["x1"].machine_id)
    found = problems(site, surveys)
    assert [(p.machine, p.condition, p.fatal) for p in found] == [
        ("x1", "unique machine_id", True),
        ("x3", "unique machine_id", True),
    ]
    assert "x3" in found[0].value


def test_boards_with_the_same_placeholder_are_a_warning() -> None:
    """As many x99 boards have it in their firmware; nobody can set it."""
    site = rack()
    uuid = "03000200-0400-0500-0006-000700080009"
    found = problems(site, {n: replace(s, product_uuid=uuid) for n, s in sound(site).items()})
    assert [p.fatal for p in found] == [False] * len(site.machines)
    assert not any("machine-id-setup" in p.mend for p in found)


def test_control_planes_with_different_keys_are_refused() -> None:
    site, surveys = rack(), sound(rack())
    for name, key in (("x1", "aa"), ("x2", "bb"), ("x3", "aa")):
        surveys[name] = replace(surveys[name], claim=MEMBER, encrypts=key)
    (problem,) = problems(site, surveys)
    assert (problem.machine, problem.condition, problem.fatal) == ("x2", "encryption key", True)
    assert problem.value == "its digest is bb, the others' is aa"


def test_a_lost_key_is_no_problem_while_another_machine_has_it() -> None:
    site, surveys = rack(), sound(rack())
    for name, key in (("x1", ""), ("x2", "aa"), ("x3", "aa")):
        surveys[name] = replace(surveys[name], claim=MEMBER, encrypts=key)
    assert problems(site, surveys) == []


def test_a_machine_that_answers_late_has_no_wrong_clock() -> None:
    """All clocks are the same; a busy machine took 40 s to begin, and 20 s to answer."""
    site, surveys = rack(), sound(rack())
    surveys["x2"] = replace(surveys["x2"], began=NOW + 40, time=NOW + 45, answered=NOW + 65)
    assert problems(site, surveys) == []
    ahead = replace(surveys["x2"], began=NOW + 90, time=NOW + 95)
    (problem,) = problems(site, surveys | {"x2": ahead})
    assert problem.value.startswith("+29.")


def test_our_own_haproxy_may_listen_before_the_machine_is_a_member() -> None:
    """A first run that was killed has balanced already; a pure balancer never is a member."""
    site, surveys = rack(), sound(rack())
    listens = {22: "sshd", 6443: "haproxy", 8404: "haproxy", 80: "haproxy"}
    surveys["b1"] = replace(surveys["b1"], listens=listens, balances=True)
    assert problems(site, surveys) == []


def test_equal_host_names_are_a_warning_for_the_deploy_sets_them() -> None:
    site, surveys = rack(), sound(rack())
    surveys["x3"] = replace(surveys["x3"], hostname="x1")
    assert [(p.machine, p.fatal) for p in problems(site, surveys)] == [("x1", False), ("x3", False)]


def test_containers_share_the_product_uuid_of_their_host() -> None:
    site = lab()
    surveys = {n: replace(s, product_uuid="4c4c4544") for n, s in sound(site).items()}
    assert problems(site, surveys) == []


def test_a_member_of_another_cluster_of_the_same_name_is_refused() -> None:
    """Three of the cluster, and one whose authority is another's."""
    site, surveys = rack(), sound(rack())
    for name, ca in (("x1", "AA"), ("x2", "AA"), ("x3", "BB")):
        surveys[name] = replace(surveys[name], claim=MEMBER, ca=ca, encrypts="5ec2e7")
    (problem,) = problems(site, surveys)
    assert (problem.machine, problem.condition) == ("x3", "cluster CA")
    assert "BB, the others' is AA" in problem.value
