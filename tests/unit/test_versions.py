"""The tables by version, at their edges."""

from __future__ import annotations

import pytest

from homelab import versions


@pytest.mark.parametrize(
    ("version", "api"),
    [
        ("1.20.2", "v1beta2"),
        ("1.21.14", "v1beta2"),
        ("1.22.0", "v1beta3"),
        ("1.30.9", "v1beta3"),
        ("1.31.0", "v1beta4"),
        ("1.36.4", "v1beta4"),
    ],
)
def test_the_config_api_follows_the_version(version: str, api: str) -> None:
    assert versions.kubeadm_api(version) == f"kubeadm.k8s.io/{api}"


def test_every_supported_minor_has_a_pause_image() -> None:
    assert set(versions.PAUSE) == set(versions.SUPPORTED_MINORS)
    assert versions.pause_image("1.20.2") == "k8s.gcr.io/pause:3.2"
    assert versions.pause_image("1.36.4") == "registry.k8s.io/pause:3.10.2"
    assert versions.pause_image("1.36.4", "mirror.lan/k8s") == "mirror.lan/k8s/pause:3.10.2"


@pytest.mark.parametrize(
    ("version", "repository"),
    [
        ("1.22.16", "k8s.gcr.io"),
        ("1.22.17", "registry.k8s.io"),
        ("1.23.14", "k8s.gcr.io"),
        ("1.23.15", "registry.k8s.io"),
        ("1.24.8", "k8s.gcr.io"),
        ("1.24.9", "registry.k8s.io"),
        ("1.25.0", "registry.k8s.io"),
    ],
)
def test_the_registry_moved_in_late_patches_too(version: str, repository: str) -> None:
    assert versions.default_repository(version) == repository


@pytest.mark.parametrize("text", ["1.36", "v1.36.4", "1.36.x", "", "1.36.4.1", "1.٣٦.4", "-1.3.4"])
def test_what_is_no_version_is_said_to_be_none(text: str) -> None:
    with pytest.raises(ValueError, match="is no Kubernetes version"):
        versions.parse(text)


@pytest.mark.parametrize("text", ["1.19.16", "1.37.0", "2.20.2"])
def test_an_unsupported_minor_names_the_range(text: str) -> None:
    with pytest.raises(ValueError, match=r"choose 1\.20 to 1\.36"):
        versions.minor(text)


def test_runtimes() -> None:
    assert versions.runtime_fault("1.20.2", "containerd") is None
    assert versions.runtime_fault("1.24.0", "cri-o") is None
    assert "1.24 or later" in (versions.runtime_fault("1.23.17", "cri-o") or "")
    assert "choose containerd or cri-o" in (versions.runtime_fault("1.36.4", "docker") or "")
    assert versions.containerd_series("1.25.16") == "1.6"
    assert versions.containerd_series("1.26.0") == "2"


def test_features_by_version() -> None:
    assert not versions.learner_join("1.28.15")
    assert versions.learner_join("1.29.0")
    assert not versions.graceful_shutdown("1.20.2")
    assert versions.graceful_shutdown("1.21.0")
    assert versions.patches_flag("1.21.0") == "--experimental-patches"
    assert versions.patches_flag("1.22.0") is None
