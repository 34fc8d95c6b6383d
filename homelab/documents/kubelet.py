"""kubelet's unit and kubeadm's drop-in, as upstream's Debian packages have them.

Source: github.com/kubernetes/release, cmd/krel/templates/latest/{kubelet,kubeadm}; the binaries
are artefacts in /usr/local/bin instead of /usr/bin.
"""

from __future__ import annotations

from homelab.documents.document import Document, Layer
from homelab.documents.text import enabled, unit
from homelab.documents.traits import Traits
from homelab.site.model import Machine, Site, Timings

UNIT = """
[Unit]
Description=kubelet: The Kubernetes Node Agent
Documentation=https://kubernetes.io/docs/
Wants=network-online.target
After=network-online.target {runtime}

[Service]
ExecStart=/usr/local/bin/kubelet
Restart=always
StartLimitInterval=0
RestartSec={restart}

[Install]
WantedBy=multi-user.target
"""

DROP_IN = """
[Service]
Environment="KUBELET_KUBECONFIG_ARGS=--bootstrap-kubeconfig=/etc/kubernetes/bootstrap-kubelet.conf \
--kubeconfig=/etc/kubernetes/kubelet.conf"
Environment="KUBELET_CONFIG_ARGS=--config=/var/lib/kubelet/config.yaml"
# written by "kubeadm init" and "kubeadm join" at runtime
EnvironmentFile=-/var/lib/kubelet/kubeadm-flags.env
# for a person's last resort; empty as we leave it
EnvironmentFile=-/etc/default/kubelet
ExecStart=
ExecStart=/usr/local/bin/kubelet $KUBELET_KUBECONFIG_ARGS $KUBELET_CONFIG_ARGS \
$KUBELET_KUBEADM_ARGS{figures} $KUBELET_EXTRA_ARGS
"""


def kubelet(site: Site, machine: Machine, traits: Traits) -> Layer:
    """Enabled, not started: until kubeadm has written its configuration it would only crash."""
    runtime = "crio.service" if site.kubernetes.runtime == "cri-o" else "containerd.service"
    folder = "/etc/systemd/system/kubelet.service"
    return Layer(
        name="kubelet",
        documents=(
            Document(folder, unit(site, "kubelet", UNIT.format(runtime=runtime, restart=2))),
            Document(
                f"{folder}.d/10-kubeadm.conf",
                unit(site, "kubelet", DROP_IN.format(figures=_figures(site))),
            ),
        ),
        activate=f"set -e\n{enabled('kubelet.service')}"
        # a changed unit takes effect on a machine that has joined already
        "systemctl try-restart kubelet.service",
        live="systemctl is-enabled --quiet kubelet.service",
    )


def _figures(site: Site) -> str:
    """cAdvisor's interval is no field of KubeletConfiguration (pkg/kubelet/server, cadvisor)."""
    seconds = site.timings.kubelet_figures_s
    return "" if seconds == Timings().kubelet_figures_s else f" --housekeeping-interval={seconds}s"
