"""Networks."""

from __future__ import annotations

from tests.unit.site.cases.case import Case, one

CASES: list[Case] = [
    *one("cidr-syntax", "network.pod_cidr", "10.244.0.0", "fd00::/64", "10.244.0.0/33", "pods"),
    *one("cidr-syntax", "network.subnet", "192.168.10.0/255.255.255.0", ""),
    *one("cidr-syntax", "network.admin_cidrs[0]", "home"),
    *one("cidr-host-bits", "network.subnet", "192.168.10.1/24"),
    *one("cidr-host-bits", "network.pod_cidr", "10.244.1.0/16"),
    *one("cidr-special", "network.service_cidr", "169.254.0.0/16", "240.0.0.0/16", "127.0.0.0/16"),
    *one("cidr-overlap", "network.service_cidr", "10.244.128.0/20"),
    *one("cidr-overlap", "network.pod_cidr", "192.168.0.0/16"),
    *one("cidr-overlap", "network.admin_cidrs[0]", "10.96.0.0/24"),
    ("pod-cidr-too-small", "network.pod_cidr", {"network.pod_cidr": "10.244.0.0/23"}),
    (
        "pod-cidr-too-small",
        "network.pod_cidr",
        {"network.pod_cidr": "10.244.0.0/21", "kubernetes.cni": "bridge"},
    ),
    *one("service-cidr-size", "network.service_cidr", "10.96.0.0/29", "172.0.0.0/11"),
    *one("admin-everyone", "network.admin_cidrs[0]", "128.0.0.0/2"),
    *one("gateway", "network.gateway", "router", "192.168.10.1/24", "fe80::1"),
    *one("gateway-outside-subnet", "network.gateway", "192.168.11.1"),
    *one("gateway-reserved", "network.gateway", "192.168.10.0", "192.168.10.255"),
    *one("dns-missing", "network.dns", ()),
    *one("dns-syntax", "network.dns[1]", "dns.example.org", "fd00::1", ""),
    *one("dns-too-many", "network.dns", ("1.1.1.1", "8.8.8.8", "9.9.9.9", "1.0.0.1")),
    *one("ntp-syntax", "network.ntp[0]", "ntp example", "fd00::1", "1.2.3", "", "ntp.example.org."),
    *one("vlan-range", "network.vlan", 0, 4095, -1, 10**5000),
    *one("mtu-range", "network.mtu", 67, 9217, 0),
    *one("mtu-small", "network.mtu", 576, 1279),
]

TOGETHER: list[Case] = [  # slips that break other rules as well
    *one("subnet-too-small", "network.subnet", "192.168.10.8/30"),
    *one("cidr-special", "network.subnet", "224.0.0.0/24"),
    *one("admin-everyone", "network.admin_cidrs[0]", "0.0.0.0/0"),
    ("cidr-overlap", "network.service_cidr", {"network.pod_cidr": "10.96.0.1/12"}),
]
