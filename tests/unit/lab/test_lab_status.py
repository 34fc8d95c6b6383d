"""What `status` makes of etcd's and the API server's answers, and of none."""

from homelab.lab import host, status

CAPTURED = """\
members
{"header":{"member_id":1},"members":[{"ID":1,"name":"cp1","peerURLs":["https://10.77.0.11:2380"]},\
{"ID":2,"name":"cp2","peerURLs":["https://10.77.0.12:2380"]},\
{"ID":3,"peerURLs":["https://10.77.0.13:2380"],"isLearner":true}]}
status
[{"Endpoint":"https://10.77.0.11:2379","Status":{"header":{"member_id":1},"leader":1}}]
nodes
[{"name":"cp1","version":"v1.20.2","ready":"True"}]
"""


def test_answers_are_read() -> None:
    found = status.answers(CAPTURED)
    assert status.etcd_words(found) == {
        "cp1": "leader",
        "cp2": "silent",
        "https://10.77.0.13:2380": "learner",
    }
    assert found["nodes"] == [{"name": "cp1", "version": "v1.20.2", "ready": "True"}]


def test_an_alarm_is_shown() -> None:
    member = {"ID": 1, "name": "cp1", "peerURLs": []}
    silent = {"header": {"member_id": 1}, "leader": 2, "errors": ["NOSPACE"]}
    cluster = {"members": {"members": [member]}, "status": [{"Status": silent}]}
    assert status.etcd_words(cluster) == {"cp1": "follower NOSPACE"}


def test_no_answer_and_garbage() -> None:
    assert status.answers("") == {}
    assert status.answers("members\nError: context deadline exceeded\nstatus\nnodes\n") == {}
    assert status.etcd_words({}) == {}
    assert status.etcd_words({"members": None, "status": None}) == {}


def test_table_leaves_out_what_nobody_has() -> None:
    rows = [("machine", "vip", "state"), ("cp1", "", "up"), ("worker-1", "", "off")]
    assert status.table(rows) == "machine   state\ncp1       up\nworker-1  off"


def test_kubelets_settings_are_written_only_if_they_differ() -> None:
    assert host.wanted({**host.KUBELET, "fs/inotify/max_user_instances": "8192"}) == {}
    assert host.wanted({"kernel/panic": "0", "fs/inotify/max_user_instances": "128"}) == {
        "kernel/panic": "10",
        "fs/inotify/max_user_instances": "1024",
    }
    assert host.wanted({}) == {}
