"""Static pods, stored Secrets, rights and the running kubelets, as the lab's cluster told them."""

from __future__ import annotations

from facts import configz, rbac, static_pods, stored
from homelab.documents.kept import KUBELET, MANIFESTS, NAMES
from tests.unit.facts.fact_captures import capture


def test_a_control_planes_static_pods() -> None:
    found = static_pods.parse(capture("static-pods-control-plane"))
    assert {m.path for m in found.manifests or ()} == set(MANIFESTS)
    assert set(found.kept or {}) == {*MANIFESTS, *KUBELET}
    assert found.has_kept
    for manifest in found.manifests or ():
        assert (found.kept or {})[manifest.path] == manifest.text
    by_name = {process.name: process for process in found.processes or ()}
    assert set(by_name) == set(NAMES)
    api = found.manifest("kube-apiserver")
    assert api is not None
    assert set(api.command) == set(by_name["kube-apiserver"].command)
    assert not by_name["etcd"].frozen


def test_a_worker_has_none_and_its_kubelets_files_are_kept() -> None:
    found = static_pods.parse(capture("static-pods-worker"))
    assert (found.manifests, found.processes) == ((), ())
    assert set(found.kept or {}) == set(KUBELET)


def test_a_file_that_is_no_pod_is_told_as_it_is() -> None:
    told = "==> 644 root root 1 /etc/kubernetes/manifests/x.yaml\n| {[\n"
    rest = "@@answer 0 \n@@ask processes\n@@answer 0 \n@@ask kept\n@@answer 0 "
    lines = f"@@ask manifests\n{told}\n{rest}".split("\n")
    (found,) = static_pods.parse(lines).manifests or ()
    assert (found.pod, found.name, found.text) == (None, "", "{[\n")


def test_secrets_are_encrypted_or_not() -> None:
    found = stored.parse(capture("stored-lab"))
    assert found.providers
    assert set(found.providers.values()) == {"secretbox:key1"}
    assert found.plain == ()
    plain = ["@@ask secrets", "/registry/secrets/default/x plain", "@@answer 0 "]
    assert stored.parse(plain).plain == ("default/x",)


def test_who_may_do_what() -> None:
    found = rbac.parse(capture("rbac-lab"))
    by_name = {binding.name: binding for binding in found.bindings or ()}
    assert by_name["cluster-admin"].subjects == ("Group:system:masters",)
    assert by_name["kubeadm:bootstrap-signer-clusterinfo"].namespace == "kube-public"
    assert found.wildcards == ("cluster-admin",)
    assert found.tokens == {}


def test_what_the_running_kubelets_say() -> None:
    found = configz.parse(capture("configz-lab"))
    assert set(found.kubelets or {}) == {"cp1", "w1"}
    assert (found.kubelets or {})["w1"]["serverTLSBootstrap"] is True
