"""The machine's own means to try a network and take it back; see ``network_trial.sh``."""

from __future__ import annotations

from pathlib import Path

from homelab.documents.document import Document, Layer
from homelab.documents.text import enabled, header, unit
from homelab.site.model import Machine, Site

SCRIPT = "/usr/local/lib/homelab/network-trial"
SOURCE = Path(__file__).with_name("network_trial.sh")

# A new network is enabled for the next boot only now that it is proven.
KEEP = """systemctl --quiet enable systemd-networkd.service
for unit in networking.service NetworkManager.service; do
    systemctl --quiet disable "$unit" 2>/dev/null || :
done
"""


def network_trial(site: Site, machine: Machine) -> Layer:
    """Empty where the network is somebody else's. Never on trial itself."""
    if machine.network == "foreign":
        return Layer(name="network-trial", documents=())
    shebang, text = SOURCE.read_text().split("\n", 1)
    return Layer(
        name="network-trial",
        documents=(
            Document(SCRIPT, f"{shebang}\n{header(site, 'trial')}{text}", mode=0o755),
            Document(f"/etc/systemd/system/{UNIT_NAME}", unit(site, "trial", UNIT)),
        ),
        check=f'sh -n "$STAGE"{SCRIPT}',
        activate=f"set -e\n{enabled(UNIT_NAME)}",
    )


UNIT_NAME = "homelab-network-boot.service"
# Before anything reads the network's files, whoever manages it.
UNIT = f"""
[Unit]
Description=Take back a change of the network that was never confirmed
DefaultDependencies=no
RequiresMountsFor=/var/lib/homelab
ConditionPathExists=/var/lib/homelab/network/trial
After=local-fs.target
Wants=network-pre.target
Before=network-pre.target systemd-networkd.service networking.service NetworkManager.service

[Service]
Type=oneshot
ExecStart={SCRIPT} boot

[Install]
WantedBy=sysinit.target
"""
