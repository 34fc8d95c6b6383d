"""Chapter 8: machines leave the cluster and come back, the first control plane too."""

from __future__ import annotations

import pytest

from tests.e2e.support import etcd
from tests.e2e.support.cluster import Cluster
from tests.e2e.support.health import wait_until_healthy
from tests.e2e.support.pyinfra import changes, deploy, predict, reset, without_gates
from tests.e2e.support.rig import Rig

pytestmark = pytest.mark.usefixtures("healthy")


@pytest.mark.parametrize("which", [-1, 0], ids=["the last", "the first"])
def test_a_control_plane_leaves_and_joins_again(rig: Rig, which: int) -> None:
    machine = rig.control_planes[which]
    left = reset(rig, f"reset-{machine}", "--data", f"machine={machine}")
    assert left.returncode == 0, left.output[-3000:]
    kept = next(name for name in rig.control_planes if name != machine)
    assert machine not in [member.name for member in etcd.members(rig, kept)]
    with Cluster(rig) as cluster:
        assert machine not in cluster.nodes()

    joined = deploy(rig, f"rejoin-{machine}")
    assert joined.returncode == 0, joined.output[-3000:]
    wait_until_healthy(rig)


def test_a_reset_that_would_break_quorum_is_refused(rig: Rig) -> None:
    dead, machine = rig.control_planes[:2]
    rig.lab.kill(dead)
    try:
        refused = reset(rig, "reset-refused", "--data", f"machine={machine}")
        assert refused.returncode == 1
        assert "quorum" in refused.output
        assert "Traceback" not in refused.output
    finally:
        rig.lab.start(dead)
    wait_until_healthy(rig)


def test_a_worker_leaves_and_is_added(rig: Rig) -> None:
    machine = rig.workers[-1]
    left = reset(rig, f"reset-{machine}", "--data", f"machine={machine}")
    assert left.returncode == 0, left.output[-3000:]
    with Cluster(rig) as cluster:
        assert machine not in cluster.nodes()

    with rig.setting(HOMELAB_WORKERS=str(len(rig.workers) - 1)):
        without = deploy(rig, "without-worker")
        assert without.returncode == 0, without.output[-3000:]
        wait_until_healthy(rig)

    predicted = predict(rig, "predict-add-worker")
    added = deploy(rig, "add-worker", "--json")
    assert added.returncode == 0, added.output[-3000:]
    assert without_gates(changes(added).made) == without_gates(changes(predicted).planned)
    wait_until_healthy(rig)


@pytest.mark.long  # kubeadm waits two minutes for a kubelet
def test_a_worker_that_can_not_join_says_why(rig: Rig) -> None:
    """Its kubelet ends at once; the machine's post-mortem names it, and mending it is enough."""
    machine, arguments = rig.workers[-1], "/etc/default/kubelet"
    left = reset(rig, f"reset-{machine}", "--data", f"machine={machine}")
    assert left.returncode == 0, left.output[-3000:]

    rig.root(machine, f"echo KUBELET_EXTRA_ARGS=--no-such-flag > {arguments}")
    try:
        failed = deploy(rig, "join-fails")
    finally:
        rig.root(machine, f"rm {arguments}")
    assert failed.returncode == 1
    assert "Traceback" not in failed.output, failed.output[-3000:]
    assert f"post-mortem of {machine}:" in failed.output, failed.output[-3000:]
    assert "not so: kubelet is healthy:" in failed.output, failed.output[-3000:]
    with Cluster(rig) as cluster:
        assert machine not in cluster.nodes()

    joined = deploy(rig, "join-mended")
    assert joined.returncode == 0, joined.output[-3000:]
    wait_until_healthy(rig)
