"""The way in."""

from __future__ import annotations

from tests.unit.site.cases.case import Case, one

CASES: list[Case] = [
    *one("dmz-unknown", "ingress.dmz", "n11", "x99-1", ""),
    *one("dmz-not-balancer", "ingress.dmz", "n4"),
    *one("router", "ingress.router", "home router", "2001:db8::1", "1.2.3", ""),
    *one("router-on-lan", "ingress.router", "192.168.10.1"),
    *one("node-port-range", "ingress.http_node_port", 80, 29999, 32768),
    *one("node-port-range", "ingress.https_node_port", 443),
    *one("node-port-twice", "ingress.https_node_port", 30080),
]
