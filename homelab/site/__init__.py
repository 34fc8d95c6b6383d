"""The site: declared once in ``inventories/``, checked by ``rules/``, all else derived from it."""

from homelab.site.early import refuse
from homelab.site.fault import Fault, SiteError
from homelab.site.groups import bind, hosts
from homelab.site.load import load_site
from homelab.site.model import (
    Api,
    Artefacts,
    Bond,
    Ingress,
    Kubernetes,
    Machine,
    Network,
    Nic,
    Role,
    Site,
    Switch,
    Timings,
    Vlan,
)
from homelab.site.validate import check

__all__ = [
    "Api",
    "Artefacts",
    "Bond",
    "Fault",
    "Ingress",
    "Kubernetes",
    "Machine",
    "Network",
    "Nic",
    "Role",
    "Site",
    "SiteError",
    "Switch",
    "Timings",
    "Vlan",
    "bind",
    "check",
    "hosts",
    "load_site",
    "refuse",
]
