"""Reading what a person wrote: addresses, networks, names. None where it can't be read."""

from __future__ import annotations

import re
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

# RFC 1123 section 2.1 as Kubernetes reads it: lower case, no underscore
# https://kubernetes.io/docs/concepts/overview/working-with-objects/names/
LABEL = re.compile(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?")
# ip(8) and Linux, Windows, Cisco, and bare
MAC = re.compile(r"(?:..:){5}..|(?:..-){5}..|(?:....[.]){2}....|.{12}")


def address(text: str) -> IPv4Address | None:
    try:
        return IPv4Address(text)
    except ValueError:
        return None


def network(text: str) -> IPv4Network | None:
    """A network in CIDR notation; host bits are forgiven here and told by their own rule."""
    if not re.fullmatch(r"[0-9.]+/[0-9]{1,2}", text):
        return None
    try:
        return IPv4Network(text, strict=False)
    except ValueError:
        return None


def is_ipv6(text: str) -> bool:
    try:
        return isinstance(ip_network(text, strict=False), IPv6Network)
    except ValueError:
        return False


def looks_like_address(text: str) -> bool:
    """Dotted digits or IPv6: meant as an address, right or wrong."""
    try:
        return isinstance(ip_address(text), IPv4Address | IPv6Address)
    except ValueError:
        return re.fullmatch(r"[0-9.]+", text) is not None


def is_label(text: str) -> bool:
    return LABEL.fullmatch(text) is not None


def is_domain(text: str) -> bool:
    """An RFC 1123 subdomain: labels with dots, at most 253 characters."""
    return len(text) <= 253 and all(is_label(part) for part in text.split("."))


def mac(text: str) -> str | None:
    """Twelve lower-case hex digits, from any usual spelling: colons, dashes, Cisco's dots."""
    bare = re.sub(r"[:.-]", "", text).lower()
    return bare if MAC.fullmatch(text) and re.fullmatch(r"[0-9a-f]{12}", bare) else None


def why_no_address(text: str) -> tuple[str, str]:
    """Problem and mend of a text that :func:`address` can't read."""
    if is_ipv6(text):
        return "is IPv6: this toolkit is IPv4 only", "declare the IPv4 address"
    if "/" in text:
        return "is an address with a prefix length", f'write "{text.partition("/")[0]}"'
    if re.fullmatch(r"[0-9.]+", text) and any(p.startswith("0") for p in text.split(".") if p[1:]):
        return "has leading zeros, which some programs read as octal", "write the numbers without"
    return "is no IPv4 address", "write four numbers from 0 to 255, like 192.168.0.11"
