"""Timings: how fast a fault is noticed, within what the programs take."""

from __future__ import annotations

from collections.abc import Iterator

from homelab.site.fault import Fault
from homelab.site.model import Site
from homelab.site.rules.rule import rule


@rule
def advert(site: Site) -> Iterator[Fault]:
    """VRRP version 3 counts in centiseconds, 12 bits of them (RFC 5798 section 5.2.7)."""
    value = site.timings.advert_ms
    if not 10 <= value <= 40950:
        yield _fault("advert_ms", value, "does not fit into VRRP's field", "use 10 to 40950")
    elif value % 10:
        yield _fault("advert_ms", value, "is no multiple of VRRP's 10 ms", "use a multiple of 10")


@rule
def advert_count(site: Site) -> Iterator[Fault]:
    """One lost advert is no dead machine; keepalived takes up to 100 (vrrp_parser.c)."""
    value = site.timings.advert_fall
    if not 1 <= value <= 100:
        yield _fault("advert_fall", value, "is no number of adverts", "use 6; 1 to 100 is possible")


@rule
def reach_interval(site: Site) -> Iterator[Fault]:
    """HAProxy tries to connect at an interval, and that long; it takes no zero."""
    value = site.timings.reach_ms
    if not 10 <= value <= 3_600_000:
        mend = "use milliseconds, 150 for machines on one switch"
        yield _fault("reach_ms", value, "is not between 10 ms and an hour", mend)


@rule
def reach_count(site: Site) -> Iterator[Fault]:
    """None is no try."""
    value = site.timings.reach_fall
    if not 1 <= value <= 100:
        yield _fault("reach_fall", value, "is no number of tries", "use 8; 1 to 100 is possible")


@rule
def check_interval(site: Site) -> Iterator[Fault]:
    """HAProxy asks at an interval, and waits for an answer; both are above zero."""
    for field in ("check_ms", "check_timeout_ms"):
        value = getattr(site.timings, field)
        if not 10 <= value <= 3_600_000:
            mend = "use milliseconds, 500 for machines on one switch"
            yield _fault(field, value, "is not between 10 ms and an hour", mend)


@rule
def ready(site: Site) -> Iterator[Fault]:
    """/readyz asks more than a check of one process does."""
    value, least = site.timings.ready_ms, site.timings.check_timeout_ms
    if not least <= value <= 3_600_000:
        problem = "is shorter than check_timeout_ms, or longer than an hour"
        yield _fault("ready_ms", value, problem, "use eight times check_timeout_ms")


@rule
def check_count(site: Site) -> Iterator[Fault]:
    """One failed check may be chance, none is no check."""
    for field in ("check_fall", "check_rise"):
        value = getattr(site.timings, field)
        if not 1 <= value <= 100:
            yield _fault(field, value, "is no number of checks", "use 2; 1 to 100 is possible")


@rule
def etcd_heartbeat(site: Site) -> Iterator[Fault]:
    """A leader that never beats is no leader."""
    value = site.timings.etcd_heartbeat_ms
    if value < 1:
        yield _fault("etcd_heartbeat_ms", value, "is no interval", "use 100")


@rule
def etcd_election(site: Site) -> Iterator[Fault]:
    """etcd refuses less than five heartbeats (server/embed/config.go, Validate)."""
    beat, election = site.timings.etcd_heartbeat_ms, site.timings.etcd_election_ms
    if election < 5 * beat:
        problem = "is less than five heartbeats, so etcd would not start"
        yield _fault("etcd_election_ms", election, problem, "use ten times etcd_heartbeat_ms")


@rule
def etcd_election_long(site: Site) -> Iterator[Fault]:
    """etcd's upper limit, 50 s (https://etcd.io/docs/latest/tuning/)."""
    value = site.timings.etcd_election_ms
    if value > 50_000:
        mend = "use 1000 on a wired network, 5000 on a slow one"
        yield _fault("etcd_election_ms", value, "is longer than etcd's limit of 50 s", mend)


@rule
def lease(site: Site) -> Iterator[Fault]:
    """client-go, leaderelection.NewLeaderElector: the lease outlives the renewal."""
    if site.timings.lease_s <= site.timings.lease_renew_s:
        problem = "is not longer than lease_renew_s: a leader would lose it while it renews"
        yield _fault("lease_s", site.timings.lease_s, problem, "use 15 with 10 and 2")


@rule
def lease_renew(site: Site) -> Iterator[Fault]:
    """client-go: the renewal leaves room for one more try, jittered by 1.2."""
    renew, retry = site.timings.lease_renew_s, site.timings.lease_retry_s
    if renew * 5 <= retry * 6:
        problem = "is not longer than 1.2 times lease_retry_s"
        yield _fault("lease_renew_s", renew, problem, "use 10 with lease_retry_s=2")


@rule
def lease_retry(site: Site) -> Iterator[Fault]:
    """client-go: at least one second."""
    if site.timings.lease_retry_s < 1:
        yield _fault("lease_retry_s", site.timings.lease_retry_s, "is no interval", "use 2")


@rule
def node_status(site: Site) -> Iterator[Fault]:
    """kubelet reports at an interval."""
    if site.timings.node_status_s < 1:
        yield _fault("node_status_s", site.timings.node_status_s, "is no interval", "use 10")


@rule
def node_grace(site: Site) -> Iterator[Fault]:
    """A node is given more than two reports' time, or one lost packet makes it NotReady.

    https://kubernetes.io/docs/reference/command-line-tools-reference/kube-controller-manager/
    (--node-monitor-grace-period: N times nodeStatusUpdateFrequency)
    """
    if site.timings.node_grace_s <= 2 * site.timings.node_status_s:
        problem = "is not more than two of node_status_s: one lost report makes a node NotReady"
        yield _fault("node_grace_s", site.timings.node_grace_s, problem, "use four of them")


@rule
def kubelet_intervals(site: Site) -> Iterator[Fault]:
    """kubelet asks at an interval; a figure that is older than a minute or two helps nobody."""
    for field, usual in (("kubelet_ready_s", 1), ("kubelet_figures_s", 10)):
        value = getattr(site.timings, field)
        if not 1 <= value <= 300:
            mend = f"use {usual}; more on machines that are slow"
            yield _fault(field, value, "is not between a second and five minutes", mend)


@rule
def gate(site: Site) -> Iterator[Fault]:
    """A gate waits for a machine to start what was changed."""
    if not 10 <= site.timings.gate_s <= 86400:
        mend = "use 300; slower machines take more"
        yield _fault("gate_s", site.timings.gate_s, "is not between 10 s and a day", mend)


@rule
def network_trial(site: Site) -> Iterator[Fault]:
    """A new network needs LACP, perhaps spanning tree's 30 s, and a new login."""
    if not 30 <= site.timings.network_trial_s <= 3600:
        value, problem = site.timings.network_trial_s, "is not between 30 s and an hour"
        mend = "use 120; a switch with spanning tree on its ports takes 30 s alone"
        yield _fault("network_trial_s", value, problem, mend)


@rule
def disk_bar(site: Site) -> Iterator[Fault]:
    """A bar in milliseconds (etcd's documentation: p99 of fdatasync below 10 ms)."""
    if not 0 < site.disk_p99_ms < 60_000:  # neither NaN nor infinity is
        problem = "is no time in milliseconds"
        yield Fault("disk_p99_ms", site.disk_p99_ms, problem, "use 10")


def _fault(field: str, value: int, problem: str, mend: str) -> Fault:
    return Fault(f"timings.{field}", value, problem, mend)
