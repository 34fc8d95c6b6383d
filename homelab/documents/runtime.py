"""The container runtime: containerd or CRI-O, systemd's cgroups, kubeadm's sandbox image."""

from __future__ import annotations

from homelab import versions
from homelab.documents.document import Document, Layer
from homelab.documents.text import enabled, header, sweep, unit
from homelab.documents.traits import Traits
from homelab.site.model import Machine, Site

CONTAINERD_SOCKET = "/run/containerd/containerd.sock"
CRIO_SOCKET = "/run/crio/crio.sock"
CRIO_CONF = "/etc/crio/crio.conf.d"
CERTS = "/etc/containerd/certs.d"
CRIO_REGISTRIES = "/etc/containers/registries.conf.d"
CNI_BIN = "/opt/cni/bin"
CNI_CONF = "/etc/cni/net.d"
REGISTRIES = ("registry.k8s.io", "k8s.gcr.io", "quay.io", "docker.io", "ghcr.io")


def runtime(site: Site, machine: Machine, traits: Traits) -> Layer:
    """The layer of the runtime that the site declares."""
    declared = site.kubernetes.runtime
    return (crio if declared == "cri-o" else containerd)(site, machine, traits)


def socket(site: Site) -> str:
    """The CRI socket's path."""
    return CRIO_SOCKET if site.kubernetes.runtime == "cri-o" else CONTAINERD_SOCKET


def containerd(site: Site, machine: Machine, traits: Traits) -> Layer:
    """Config version 2 for the 1.x series (Debian's package), version 3 for 2.x (the artefact)."""
    series = versions.containerd_series(site.kubernetes.version)
    config = _config_v3 if series.startswith("2") else _config_v2
    documents = [
        Document("/etc/containerd/config.toml", header(site, "runtime") + config(site, traits)),
        _crictl(site, CONTAINERD_SOCKET),
        *_containerd_mirrors(site),
    ]
    if series != "1.6":  # Debian's package has a unit, the upstream archive has none
        documents.append(
            Document(
                "/etc/systemd/system/containerd.service", unit(site, "runtime", CONTAINERD_UNIT)
            )
        )
    return Layer(
        name="runtime",
        documents=tuple(documents),
        check="containerd --config $STAGE/etc/containerd/config.toml config dump >/dev/null",
        # Pods live under their shims: a restart of containerd does not touch them.
        activate=f"set -e\n{_swept(CERTS, documents)}\n"
        f"{enabled('containerd.service')}"
        "systemctl restart containerd.service",
        units=("containerd.service",),
    )


def crio(site: Site, machine: Machine, traits: Traits) -> Layer:
    """A drop-in over the release bundle's own crio.conf; its example networks must go."""
    config = f"""[crio.runtime]
cgroup_manager = "systemd"
conmon_cgroup = "pod"

[crio.image]
pause_image = "{_pause(site)}"

[crio.network]
network_dir = "{CNI_CONF}/"
plugin_dirs = ["{CNI_BIN}/"]
"""
    path = f"{CRIO_CONF}/90-homelab.conf"
    documents = [
        Document(path, header(site, "runtime") + config),
        _crictl(site, CRIO_SOCKET),
        *_crio_mirrors(site),
    ]
    return Layer(
        name="runtime",
        documents=tuple(documents),
        check=f"crio --config-dir $STAGE{CRIO_CONF} config >/dev/null",
        activate=f"set -e\n{_swept(CRIO_REGISTRIES, documents)}\n"
        f"{enabled('crio.service')}"
        "systemctl restart crio.service",
        absent=tuple(
            f"{CNI_CONF}/{name}"
            for name in ("10-crio-bridge.conflist", "11-crio-ipv4-bridge.conflist")
        ),
        units=("crio.service",),
    )


def _pause(site: Site) -> str:
    return versions.pause_image(site.kubernetes.version, site.kubernetes.image_repository)


def _toml(value: bool) -> str:
    return "true" if value else "false"


def _config_v2(site: Site, traits: Traits) -> str:
    cri = 'plugins."io.containerd.grpc.v1.cri"'
    return f"""version = 2

[{cri}]
  sandbox_image = "{_pause(site)}"
  # Without CAP_SYS_RESOURCE runc can't lower oom_score_adj and no container starts.
  restrict_oom_score_adj = {_toml(not traits.sys_resource)}

[{cri}.containerd]
  default_runtime_name = "runc"

[{cri}.containerd.runtimes.runc]
  runtime_type = "io.containerd.runc.v2"

[{cri}.containerd.runtimes.runc.options]
  SystemdCgroup = true

[{cri}.cni]
  bin_dir = "{CNI_BIN}"
  conf_dir = "{CNI_CONF}"

[{cri}.registry]
  config_path = "{CERTS}"
"""


def _config_v3(site: Site, traits: Traits) -> str:
    runtime_plugin = "plugins.'io.containerd.cri.v1.runtime'"
    images = "plugins.'io.containerd.cri.v1.images'"
    return f"""version = 3

[{images}.pinned_images]
  sandbox = "{_pause(site)}"

[{images}.registry]
  config_path = "{CERTS}"

[{runtime_plugin}]
  # Without CAP_SYS_RESOURCE runc can't lower oom_score_adj and no container starts.
  restrict_oom_score_adj = {_toml(not traits.sys_resource)}

[{runtime_plugin}.containerd]
  default_runtime_name = "runc"

[{runtime_plugin}.containerd.runtimes.runc]
  runtime_type = "io.containerd.runc.v2"

[{runtime_plugin}.containerd.runtimes.runc.options]
  SystemdCgroup = true

[{runtime_plugin}.cni]
  bin_dirs = ["{CNI_BIN}"]
  conf_dir = "{CNI_CONF}"
"""


def _mirror(site: Site) -> str | None:
    if site.artefacts.source != "mirror" or not site.artefacts.base:
        return None
    return site.artefacts.base.rstrip("/")


def _swept(folder: str, documents: list[Document]) -> str:
    """A mirror that is declared no more must not be asked any more."""
    return sweep("runtime", folder, (document.path for document in documents))


def _containerd_mirrors(site: Site) -> list[Document]:
    """hosts.toml per registry; github.com/containerd/containerd/blob/main/docs/hosts.md"""
    base = _mirror(site)
    return [
        Document(
            f"{CERTS}/{registry}/hosts.toml",
            header(site, "runtime")
            + f'server = "https://{registry}"\n\n[host."{base}/v2/{registry}"]\n'
            + '  capabilities = ["pull", "resolve"]\n  override_path = true\n',
        )
        for registry in (REGISTRIES if base else ())
    ]


def _crio_mirrors(site: Site) -> list[Document]:
    """containers-registries.conf(5)"""
    base = _mirror(site)
    if not base:
        return []
    scheme, _, place = base.partition("://")
    tables = "".join(
        f'\n[[registry]]\nprefix = "{registry}"\nlocation = "{registry}"\n\n'
        f'[[registry.mirror]]\nlocation = "{place}/{registry}"\n'
        f"insecure = {_toml(scheme == 'http')}\n"
        for registry in REGISTRIES
    )
    return [Document(f"{CRIO_REGISTRIES}/90-homelab.conf", header(site, "runtime") + tables)]


def _crictl(site: Site, path: str) -> Document:
    text = f"runtime-endpoint: unix://{path}\nimage-endpoint: unix://{path}\ntimeout: 10\n"
    return Document("/etc/crictl.yaml", header(site, "runtime") + text)


# As in containerd's archive (containerd.service), for the artefact in /usr/local/bin.
CONTAINERD_UNIT = """
[Unit]
Description=containerd container runtime
Documentation=https://containerd.io
After=network.target local-fs.target

[Service]
ExecStartPre=-/sbin/modprobe overlay
ExecStart=/usr/local/bin/containerd
Type=notify
Delegate=yes
KillMode=process
Restart=always
RestartSec=5
LimitNPROC=infinity
LimitCORE=infinity
TasksMax=infinity
OOMScoreAdjust=-999

[Install]
WantedBy=multi-user.target
"""
