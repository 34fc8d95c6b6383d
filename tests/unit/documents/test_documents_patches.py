"""The static pods' probes: nothing is killed because other machines are gone."""

from __future__ import annotations

from typing import Any

import yaml

from homelab.documents.patches import patches
from tests.unit.documents.document_sites import lab


def container(name: str) -> dict[str, Any]:
    site = lab()
    layer = patches(site, site.machines[0])
    (text,) = [d.text for d in layer.documents if d.path.endswith(f"/{name}+strategic.yaml")]
    (found,) = yaml.safe_load(text)["spec"]["containers"]
    assert isinstance(found, dict)
    return found


def test_the_api_server_is_not_killed_for_an_etcd_without_a_leader() -> None:
    probe = container("kube-apiserver")["livenessProbe"]
    assert probe["httpGet"] == {"path": "/livez?exclude=etcd"}
    assert probe["failureThreshold"] * probe["periodSeconds"] == 240


def test_etcd_is_given_time_to_find_a_leader_and_asks_for_no_disk() -> None:
    found = container("etcd")
    assert (
        found["livenessProbe"]["failureThreshold"] * found["livenessProbe"]["periodSeconds"] == 600
    )
    assert found["resources"]["requests"] == {"ephemeral-storage": None}


def test_the_api_server_is_asked_as_often_as_the_site_says() -> None:
    assert container("kube-apiserver")["readinessProbe"] == {"periodSeconds": 1}
    assert "readinessProbe" not in container("etcd")
