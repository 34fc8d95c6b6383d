"""Timings."""

from __future__ import annotations

from tests.unit.site.cases.case import Case, one

CASES: list[Case] = [
    *one("network-trial", "timings.network_trial_s", 10, 7200),
    *one("advert", "timings.advert_ms", 0, 9, 105, 40951),
    *one("advert-count", "timings.advert_fall", 0, -1, 101),
    *one("reach-interval", "timings.reach_ms", 0, 9, 3_600_001),
    *one("reach-count", "timings.reach_fall", 0, 101),
    *one("check-interval", "timings.check_ms", 0, -5),
    *one("check-interval", "timings.check_timeout_ms", 0),
    *one("ready", "timings.ready_ms", 499, 3_600_001),
    *one("check-count", "timings.check_fall", 0),
    *one("check-count", "timings.check_rise", 101),
    *one("etcd-heartbeat", "timings.etcd_heartbeat_ms", 0, -1),
    *one("etcd-election", "timings.etcd_election_ms", 499, 0),
    *one("etcd-election-long", "timings.etcd_election_ms", 50_001),
    *one("lease", "timings.lease_s", 10, 0),
    *one("lease-renew", "timings.lease_renew_s", 2),
    *one("lease-retry", "timings.lease_retry_s", 0),
    *one("node-status", "timings.node_status_s", 0),
    *one("node-grace", "timings.node_grace_s", 20),
    *one("kubelet-intervals", "timings.kubelet_ready_s", 0, 301),
    *one("kubelet-intervals", "timings.kubelet_figures_s", 0, 301),
    *one("gate", "timings.gate_s", 0, 9, 10**6),
    *one("disk-bar", "disk_p99_ms", 0, -1.5, float("nan"), float("inf"), 10**400),
]
