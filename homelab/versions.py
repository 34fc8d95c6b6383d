"""What the Kubernetes version decides: kubeadm's API, image tags, runtimes, features.

Versions are strings as a site writes them, ``"1.36.4"``; a ``ValueError`` says what is no version.
Sources: cmd/kubeadm/app/constants/constants.go of each release (pause, etcd, CoreDNS; checked
against minikube's pkg/minikube/constants/constants_kubeadm_images.go for 1.20 to 1.32),
kubernetes.io/docs/reference/config-api/kubeadm-config.* (config API), and the links below.
"""

from __future__ import annotations

SUPPORTED_MINORS = tuple(range(20, 37))  # 1.20 .. 1.36

# constants.go, PauseVersion: the sandbox image that kubeadm pulls and the runtime must name too.
PAUSE = {
    20: "3.2",
    21: "3.4.1",
    22: "3.5",
    23: "3.6",
    24: "3.7",
    25: "3.8",
    26: "3.9",
    27: "3.9",
    28: "3.9",
    29: "3.9",
    30: "3.9",
    31: "3.10",
    32: "3.10",
    33: "3.10",
    34: "3.10.1",
    35: "3.10.1",
    36: "3.10.2",
}

# kubeadm's etcd tag moves with patch releases; only what the lab builds for itself is pinned here.
# Elsewhere `kubeadm config images list` of the very binary is asked (homelab/bundle).
ETCD = {20: "3.4.13-0"}
COREDNS = {20: "1.7.0"}


def parse(version: str) -> tuple[int, int, int]:
    """``"1.36.4"`` -> ``(1, 36, 4)``; ValueError otherwise."""
    parts = version.split(".")
    if len(parts) != 3 or not all(part.isascii() and part.isdigit() for part in parts):
        raise ValueError(f"{version!r} is no Kubernetes version: write it as 1.36.4")
    return int(parts[0]), int(parts[1]), int(parts[2])


def minor(version: str) -> int:
    """``"1.36.4"`` -> ``36``; ValueError unless it is a supported minor."""
    major, number, _ = parse(version)
    if major != 1 or number not in SUPPORTED_MINORS:
        raise ValueError(
            f"Kubernetes {version} is not supported: "
            f"choose 1.{SUPPORTED_MINORS[0]} to 1.{SUPPORTED_MINORS[-1]}"
        )
    return number


def kubeadm_api(version: str) -> str:
    """The config API that this kubeadm prefers, ``kubeadm.k8s.io/v1beta4``."""
    number = minor(version)
    if number <= 21:
        return "kubeadm.k8s.io/v1beta2"
    return "kubeadm.k8s.io/v1beta3" if number <= 30 else "kubeadm.k8s.io/v1beta4"


# The last patches of three older minors changed their default as well (December 2022).
MOVED_REGISTRY = {22: 17, 23: 15, 24: 9}


def default_repository(version: str) -> str:
    """kubeadm's own default, where the site declares none.

    https://kubernetes.io/blog/2022/11/28/registry-k8s-io-faster-cheaper-ga
    """
    number, patch = minor(version), parse(version)[2]
    if number >= 25 or (number in MOVED_REGISTRY and patch >= MOVED_REGISTRY[number]):
        return "registry.k8s.io"
    return "k8s.gcr.io"


def pause_image(version: str, repository: str | None = None) -> str:
    """The sandbox image, ``registry.k8s.io/pause:3.10.2``."""
    return f"{repository or default_repository(version)}/pause:{PAUSE[minor(version)]}"


def containerd_series(version: str) -> str:
    """``"1.6"``: Debian's own package; ``"2"``: the artefact of the 2.x series.

    kubelet speaks only CRI v1alpha2 up to 1.22, and only v1 from 1.26; containerd 1.6 and 1.7
    serve both, 2.x serves v1 alone (github.com/containerd/containerd, RELEASES.md). kubelet's
    support for 1.x ends with 1.37 (kubernetes/kubernetes #139121).
    """
    return "1.6" if minor(version) <= 25 else "2"


def runtime_fault(version: str, runtime: str) -> str | None:
    """Why this pair can't work and how to mend it, or None."""
    if runtime not in ("containerd", "cri-o"):
        return f"runtime {runtime!r} is unknown: choose containerd or cri-o"
    number = minor(version)
    if runtime == "cri-o" and number < 24:  # older ones: another bucket and another layout
        return (
            f"CRI-O {parse(version)[0]}.{number} has no release bundle under "
            "storage.googleapis.com/cri-o/artifacts: "
            "choose containerd, or Kubernetes 1.24 or later"
        )
    return None


def learner_join(version: str) -> bool:
    """kubeadm itself joins etcd members as learners (EtcdLearnerMode: beta and on from 1.29)."""
    return minor(version) >= 29


def graceful_shutdown(version: str) -> bool:
    """kubelet knows shutdownGracePeriod by default (GracefulNodeShutdown: beta from 1.21)."""
    return minor(version) >= 21


def patches_flag(version: str) -> str | None:
    """kubeadm's flag for the patches folder, or None where the configuration has ``patches``.

    1.19-1.21 ``--experimental-patches``; v1beta3 and later have ``patches.directory``.
    """
    return "--experimental-patches" if minor(version) <= 21 else None
