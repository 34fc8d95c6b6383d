"""The API endpoint."""

from __future__ import annotations

from tests.unit.site.cases.case import BALANCERS, MACHINES, ON_MACHINES, Case, one

CASES: list[Case] = [
    *one(
        "api-name", "api.name", "192.168.10.10", "API.home", "api_home", "", "api..home", "a" * 254
    ),
    *one("api-name-taken", "api.name", "n2"),
    *one("api-name-in-cluster", "api.name", "api.cluster.local"),
    *one("vip", "api.vip", "api", "fd00::10", "192.168.10.10/24"),
    *one("vip-outside-subnet", "api.vip", "192.168.11.10"),
    *one("vip-reserved", "api.vip", "192.168.10.0", "192.168.10.255"),
    *one("vip-is-machine", "api.vip", "192.168.10.12"),
    *one("vip-is-server", "api.vip", "192.168.10.1"),
    *one("vrrp-id", "api.vrrp_id", 0, 256, -1),
    ("single-balancer", "api.balancers", {"machines": (*MACHINES, BALANCERS[0]), **ON_MACHINES}),
    ("balancer-unused", "machines[3].roles", {"machines[3].roles": ("worker", "balancer")}),
    (
        "balancer-on-control-plane",
        "machines[0].roles",
        {
            "machines": (*MACHINES, *BALANCERS),
            "machines[0].roles": ("control_plane", "worker", "balancer"),
            **ON_MACHINES,
        },
    ),
]

TOGETHER: list[Case] = [  # slips that break other rules as well
    *one("no-balancer", "api.balancers", "machines"),
]
