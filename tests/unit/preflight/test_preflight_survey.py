"""The survey: what the script printed becomes one record, and whose cluster a machine serves."""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyinfra.api.exceptions import FactProcessError

from facts.survey import MachineSurvey
from homelab.documents import apiserver
from homelab.documents.balancer import CONFIG, config
from homelab.documents.kubeadm import cluster_documents
from homelab.documents.settled import settled
from homelab.documents.traits import Traits
from homelab.preflight.conditions import problems
from homelab.preflight.survey import SCRIPT, Survey, parse, script
from homelab.site.model import Site
from tests.unit.documents.document_sites import BARE, RUN, at, lab, rack
from tests.unit.operations.room import Machine
from tests.unit.preflight.surveys import capture, sound


def test_a_control_plane_as_captured() -> None:
    survey = parse(capture("control-plane"))
    assert (survey.user, survey.uid, survey.hostname) == ("root", 0, "cp1")
    assert (survey.os, survey.os_version, survey.arch) == ("debian", "12", "x86_64")
    assert (survey.cores, survey.memory) == (2, 24684092)
    assert survey.free["/var/lib/etcd"] == 850072
    assert survey.virt == "docker"
    assert survey.is_container
    assert survey.addresses == {
        "127.0.0.1": "lo",
        "10.244.11.1": "cni0",
        "10.77.0.11": "eth0",
        "10.77.0.10": "eth0",
    }
    assert survey.listens[6443] == "kube-apiserver"
    assert survey.listens[33143] == ""  # whoever that is
    assert survey.claim == {"site": "lab", "phase": "member"}
    assert "/var/lib/etcd/member" in survey.remains
    assert survey.ca.startswith("C3:9A:99:F9:")
    assert (survey.containerd_pods, survey.crio_pods) == (12, 0)
    assert survey.packages["containerd"] == "1.6.20~ds1-1+deb12u3"
    assert survey.disk_p99_ms == 5.07904
    assert survey.time == 1795494289.687432942


def test_a_worker_as_captured() -> None:
    survey = parse(capture("worker"))
    assert survey.membership("lab") == "ours"
    assert 6443 not in survey.listens
    assert survey.disk_p99_ms is None
    assert survey.traits("10.77.0.21") == Traits(
        container=True, sys_resource=False, cgroup2=False, debian=12, interface="eth0"
    )


def test_a_bond_is_no_port_with_a_cable() -> None:
    """It has the address of its first leg, also when that leg is not there any more."""
    links = [
        {"ifname": "eno1", "address": "02:00:00:00:00:01", "permaddr": "02:00:00:00:00:02"},
        *(
            {"ifname": kind, "address": "02:00:00:00:00:01", "linkinfo": {"info_kind": kind}}
            for kind in ("bond", "vlan", "bridge")
        ),
    ]
    assert parse([f"@links {json.dumps(links)}"]).macs == {"02:00:00:00:00:02": "eno1"}


def test_every_line_of_a_capture_is_read() -> None:
    lines = capture("control-plane")
    assert len(parse(lines).packages) == sum(line.startswith("@package ") for line in lines)
    shown = {line.split(" ")[0] for line in lines}
    had_none = {"@swap", "@vip-held-by"}
    later = {"@began", "@encrypts", "@balances", "@sysctl", "@filesystems"}
    assert shown == set(re.findall(r"@[a-z-]+", SCRIPT)) - had_none - later


def test_the_script_runs_here_and_is_understood() -> None:
    """On this very machine, whatever it is; as a machine's ``sh`` runs it."""
    done = subprocess.run(["sh", "-c", SCRIPT], capture_output=True, text=True, timeout=60)
    survey = parse(done.stdout.splitlines())
    assert done.returncode == 0
    assert survey.cores > 0
    assert survey.time > 0
    assert survey.addresses["127.0.0.1"] == "lo"


def test_who_holds_the_vip_is_seen_by_arp() -> None:
    """Against a real neighbour, in network namespaces of this test's own."""
    ask = f"sh -c {shlex.quote(script('10.9.8.7'))}"
    steps = f"""set -e
        ip link add name near type veth peer name far
        unshare --net sleep 60 & other=$!
        trap "kill $other" EXIT
        until [ "$(readlink /proc/$other/ns/net)" != "$(readlink /proc/self/ns/net)" ]; do :; done
        ip link set far netns $other
        ip address add 10.9.8.1/24 dev near; ip link set near up
        nsenter --net=/proc/$other/ns/net ip link set far address 02:00:00:00:00:77 up
        {ask} | grep vip-held-by || echo nobody
        nsenter --net=/proc/$other/ns/net ip address add 10.9.8.7/24 dev far
        {ask} | grep vip-held-by
        nsenter --net=/proc/$other/ns/net ip address del 10.9.8.7/24 dev far
        ip neigh replace 10.9.8.7 dev near lladdr 02:00:00:00:00:77 nud stale
        {ask} | grep vip-held-by || echo nobody any more"""
    root = [] if os.geteuid() == 0 else ["--user", "--map-root-user"]
    own = ["unshare", *root, "--net", "sh", "-c", steps]
    done = subprocess.run(own, capture_output=True, text=True, timeout=60)
    said = ["nobody", "@vip-held-by 02:00:00:00:00:77", "nobody any more"]
    assert done.stdout.splitlines() == said, done.stderr


def test_what_a_cluster_was_made_with_is_read_from_its_configuration(machine: Machine) -> None:
    """The real document, by the real script: whatever ``settled`` names is found again."""
    for site in (lab(), rack(), at(rack(), "1.29.4")):
        configure(machine, site)
        survey = parse(machine.sh(SCRIPT).out.splitlines())
        assert survey.made_with == settled(site)


def configure(machine: Machine, site: Site) -> None:
    """As a control plane of ``site`` has kubeadm's configuration."""
    path = machine.path("/etc/kubernetes/homelab/kubeadm.yaml")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(cluster_documents(site, site.machines[0], RUN, False, BARE))


def test_a_key_is_told_by_its_digest(machine: Machine) -> None:
    configure(machine, rack())
    assert parse(machine.sh(SCRIPT).out.splitlines()).encrypts == ""
    path = machine.path(apiserver.ENCRYPTION)
    path.parent.mkdir(parents=True)
    digests = []
    for key in ("b25l", "b25l", "dHdv"):
        path.write_text(apiserver.encryption(rack(), key).text)
        said = machine.sh(SCRIPT).out
        digests.append(parse(said.splitlines()).encrypts)
        assert key not in said
    assert digests[0] == digests[1] != digests[2]
    plain = rack(kubernetes=rack().kubernetes.replace(encrypt_secrets=False))
    configure(machine, plain)  # the file is still that of an earlier cluster
    assert parse(machine.sh(SCRIPT).out.splitlines()).encrypts == ""


@pytest.mark.parametrize(
    "path",
    [
        "/etc/kubernetes/bootstrap-kubelet.conf",
        "/etc/kubernetes/manifests/kube-vip.yaml",
        "/var/lib/rancher/k3s/server",
        "/etc/rancher/rke2/config.yaml",
    ],
)
def test_remains_of_another_cluster(machine: Machine, path: str) -> None:
    machine.does(f"mkdir -p $(dirname {path}); touch {path}")
    survey = parse(machine.sh(SCRIPT).out.splitlines())
    assert survey.membership("lab") == "foreign"
    assert path.startswith(survey.remains[0])


def test_our_haproxy_is_known_by_its_configuration(machine: Machine) -> None:
    balancer = rack().machines[3]
    path = machine.path(CONFIG)
    path.parent.mkdir(parents=True)
    path.write_text("global\n")
    assert not parse(machine.sh(SCRIPT).out.splitlines()).balances
    path.write_text(config(rack(), balancer))
    assert parse(machine.sh(SCRIPT).out.splitlines()).balances


def test_an_empty_answer_is_a_survey_that_no_preflight_lets_pass() -> None:
    site = lab()
    found = problems(site, {**sound(site), "cp1": parse([])})
    assert parse([]) == Survey()
    assert {p.condition for p in found if p.machine == "cp1" and p.fatal} >= {
        "root",
        "operating system",
        "architecture",
        "memory",
        "free disk for /var/lib/etcd",
    }


@pytest.mark.parametrize(
    "line",
    [
        "bash: line 1: ss: command not found",
        "",
        "@cores",
        "@cores many",
        "@memory ",
        "@user root",
        "@free /var",
        "@listens ssh sshd",
        "@addresses [{}, 1]",
        '@addresses [{"addr_info": [{"local": "10.0.0.1"}]}]',
        '@links {"ifname": "eth0"}',
        "@links [",
        "@claim [1]",
        "@claim 7",
        '@claim {"site": "la',
        "@sandboxes",
        "@disk fast",
        "@time ",
        "@colour blue",
    ],
)
def test_garbage_is_refused_with_the_line(line: str) -> None:
    with pytest.raises(ValueError, match="unreadable line") as caught:
        parse([*capture("worker"), line])
    assert repr(line) in str(caught.value)
    with pytest.raises(FactProcessError, match="survey: unreadable line"):
        MachineSurvey().process([line])


@given(st.data())
def test_a_damaged_capture_is_read_or_refused(data: st.DataObject) -> None:
    """Never another exception: in a fact it would end the run for all machines."""
    lines = capture("control-plane")
    at = data.draw(st.integers(0, len(lines) - 1))
    cut = data.draw(st.integers(0, len(lines[at])))
    lines[at] = lines[at][:cut] + data.draw(st.text(max_size=12)) + lines[at][cut + 3 :]
    try:
        parse(lines)
    except ValueError:
        return


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        ([], "none"),
        (['@claim {"site": "lab", "phase": "joining"}'], "ours-unfinished"),
        (['@claim {"site": "lab"}'], "ours-unfinished"),
        (['@claim {"site": "lab", "phase": "member"}'], "ours"),
        (['@claim {"site": "barn", "phase": "member"}'], "foreign"),
        (['@claim {"site": "barn", "phase": "joining"}'], "foreign"),
        (["@remains /etc/kubernetes/kubelet.conf"], "foreign"),
        (["@claim ", "@remains /var/lib/etcd/member"], "foreign"),
        (
            ['@claim {"site": "lab", "phase": "joining"}', "@remains /var/lib/etcd/member"],
            "ours-unfinished",
        ),
    ],
)
def test_whose_cluster_a_machine_serves(lines: list[str], expected: str) -> None:
    assert parse(lines).membership("lab") == expected
