"""Kubelets' serving certificates are approved on the control planes, a year later as well.

The script is a file of its own, homelab/documents/approve_serving_csrs.py: it runs on machines
that have nothing but Debian's python3 and openssl.
"""

from __future__ import annotations

import json
from importlib import resources

from homelab.documents.document import Document, Layer
from homelab.documents.text import enabled, header, unit
from homelab.site import derived
from homelab.site.model import Machine, Site

SCRIPT = "/usr/local/lib/homelab/approve-serving-csrs"
TABLE = "/etc/kubernetes/homelab/serving-names.json"
UNITS = "/etc/systemd/system/homelab-serving-csrs"


def serving(site: Site, machine: Machine) -> Layer:
    """Script, table, service and timer of one control plane."""
    return Layer(
        name="serving",
        documents=(
            Document(SCRIPT, _script(site), mode=0o755),
            Document(TABLE, names(site)),
            Document(f"{UNITS}.service", unit(site, "serving", SERVICE)),
            Document(f"{UNITS}.timer", unit(site, "serving", TIMER)),
        ),
        activate=f"set -e\n{enabled('homelab-serving-csrs.timer')}"
        "systemctl restart homelab-serving-csrs.timer",
        units=("homelab-serving-csrs.timer",),
    )


def names(site: Site) -> str:
    """Node to the names and addresses that its kubelet may serve under, as JSON."""
    table = {m.name: {"dns": [m.name], "ip": [m.address]} for m in derived.nodes(site)}
    return json.dumps(table, indent=2) + "\n"


def _script(site: Site) -> str:
    text = resources.files("homelab.documents").joinpath("approve_serving_csrs.py").read_text()
    first, rest = text.split("\n", 1)
    return f"{first}\n{header(site, 'approve_serving_csrs')}{rest}"


SERVICE = f"""
[Unit]
Description=Approve kubelets' serving certificates for their own names
ConditionPathExists=/etc/kubernetes/admin.conf
# A gate that waits for a certificate starts it again and again: five times in ten seconds, and
# systemd would leave it failed.
StartLimitIntervalSec=0

[Service]
Type=oneshot
ExecStart={SCRIPT}
TimeoutStartSec=2min
"""

TIMER = """
[Unit]
Description=Every five minutes: kubelets' serving certificates

[Timer]
OnActiveSec=10s
OnUnitActiveSec=5min
AccuracySec=10s

[Install]
WantedBy=timers.target
"""
