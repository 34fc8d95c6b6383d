"""Ask the very kubeadm which images it wants; its tags move with patch releases."""

from __future__ import annotations

import subprocess
import tempfile
from pathlib import Path

from homelab.artefacts.images import coredns, repository
from homelab.site.model import Site

PATIENCE = 60.0  # seconds; it answers at once, offline


def listed(program: Path, site: Site) -> tuple[str, ...] | None:
    """The images of ``kubeadm config images list``; None where the program can't run here.

    ``program`` is the bundle's, verified, perhaps without an executable bit. kube-proxy and
    CoreDNS are left out where the site has none. Another machine type, or a temporary folder where
    nothing may be executed, is no fault: the table's own list then stands.
    """
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / "kubeadm"
        copy.write_bytes(program.read_bytes())
        copy.chmod(0o700)
        argv = [str(copy), "config", "images", "list"]
        argv += [f"--kubernetes-version=v{site.kubernetes.version}"]
        argv += [f"--image-repository={repository(site)}"]
        try:
            done = subprocess.run(argv, capture_output=True, text=True, timeout=PATIENCE)
        except (OSError, subprocess.TimeoutExpired):
            return None
    if done.returncode:
        return None
    unwanted = [] if site.kubernetes.coredns else [coredns(site)]
    unwanted += [] if site.kubernetes.kube_proxy else [f"{repository(site)}/kube-proxy"]
    lines = [line for line in done.stdout.split() if ":" in line]
    return tuple(line for line in lines if line.rpartition(":")[0] not in unwanted)
