"""url = base + relative path, and the checksum that both the table and the manifest agree on."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from homelab.artefacts import location, table
from homelab.artefacts.errors import ArtefactError
from homelab.artefacts.manifest import Entry, Manifest, parse
from homelab.site import Artefacts
from tests.unit.artefacts.mirror import serving
from tests.unit.artefacts.sites import CP, FILES, NEWEST, bundled, make_bundle, site

KUBEADM = "dl.k8s.io/release/v1.20.2/bin/linux/amd64/kubeadm"


@pytest.mark.parametrize("slash", ["", "/"])
def test_the_base_of_each_source(tmp_path: Path, slash: str) -> None:
    mirror = Artefacts(source="mirror", base=f"http://mirror.lan/x{slash}")
    assert location.base(site()) == "https://"
    assert location.base(site(artefacts=mirror)) == "http://mirror.lan/x/"
    assert location.base(bundled(Path(f"{tmp_path}{slash}"))) == f"file://{tmp_path}/"


def test_a_mirror_and_a_bundle_have_the_same_layout(tmp_path: Path) -> None:
    """The mirror is a plain file server over the bundle's folder, nothing else."""
    declared = bundled(make_bundle(tmp_path))
    with serving(tmp_path) as server:
        mirrored = site(artefacts=Artefacts(source="mirror", base=server.base))
        for of in (lambda s: table.needed(s, CP), table.needed_images):
            ours, theirs = of(declared), of(mirrored)
            assert ours == theirs
            for artefact in ours:
                assert location.url(declared, artefact) == f"file://{tmp_path}/{artefact.path}"
                assert location.url(mirrored, artefact) == server.base + artefact.path
                assert location.checksum(declared, artefact) == location.checksum(
                    mirrored, artefact
                )
    assert server.asked == ["manifest.json"]  # once for the whole run


def test_a_bare_mirror_of_upstream_needs_no_manifest(tmp_path: Path) -> None:
    with serving(tmp_path) as server:
        declared = site(NEWEST, Artefacts(source="mirror", base=server.base))
        kubeadm = table.needed(declared, CP)[0]
        assert location.checksum(declared, kubeadm) == kubeadm.sha256


def test_a_mirror_that_is_not_there_is_one_clear_line(tmp_path: Path) -> None:
    with serving(tmp_path) as server:
        declared = site(artefacts=Artefacts(source="mirror", base=server.base))
    with pytest.raises(ArtefactError, match=r"can't be read: .*refused.*; check artefacts.base"):
        table.needed(declared, CP)


def test_a_mirror_that_forbids_is_one_clear_line(tmp_path: Path) -> None:
    with serving(make_bundle(tmp_path)) as server:
        server.trouble["manifest.json"] = ["503"]
        declared = site(artefacts=Artefacts(source="mirror", base=server.base))
        with pytest.raises(ArtefactError, match=r"refuses .*manifest.json: HTTP 503"):
            location.manifest(declared)


def test_a_changed_manifest_is_read_again(tmp_path: Path) -> None:
    declared = bundled(make_bundle(tmp_path))
    assert len(location.manifest(declared).entries) == len(FILES)
    make_bundle(tmp_path, FILES[:2])
    assert len(location.manifest(declared).entries) == 2


def test_table_and_manifest_must_agree() -> None:
    declared = site(NEWEST)
    kubeadm = table.needed(declared, CP)[0]
    same = Manifest({kubeadm.path: Entry(kubeadm.sha256 or "", 1)})
    assert location.checksum(declared, kubeadm, same) == kubeadm.sha256
    other = Manifest({kubeadm.path: Entry("0" * 64, 1)}, "there")
    with pytest.raises(ArtefactError, match=r"kubeadm is refused: there says 000.* the table 10d0"):
        location.checksum(declared, kubeadm, other)


def test_an_artefact_without_any_checksum_is_refused() -> None:
    declared = site()
    kubeadm = table.needed(declared, CP)[0]
    with pytest.raises(ArtefactError, match=r"no SHA-256 is known for kubeadm 1.20.2: .*; choose"):
        location.checksum(declared, kubeadm)


@pytest.mark.parametrize(
    "path", ["../../etc/passwd", "/etc/passwd", "a/../../b", "a/./b", "images/../x.tar", ""]
)
def test_a_manifest_that_climbs_out_is_refused(path: str) -> None:
    text = json.dumps({"artefacts": {path: {"sha256": "0" * 64, "size": 1}}})
    with pytest.raises(ArtefactError, match="no safe relative path"):
        parse(text, "there")


@pytest.mark.parametrize(
    ("entry", "fault"),
    [
        ({"sha256": "0" * 63, "size": 1}, "sha256 is"),
        ({"sha256": "G" * 64, "size": 1}, "sha256 is"),
        ({"size": 1}, "sha256 is None"),
        ({"sha256": "0" * 64, "size": -1}, "size is -1"),
        ({"sha256": "0" * 64, "size": True}, "size is True"),
        ({"sha256": "0" * 64}, "size is None"),
        ("text", "sha256 is None"),
    ],
)
def test_a_malformed_entry_is_refused_by_name(entry: object, fault: str) -> None:
    with pytest.raises(ArtefactError, match=f"{KUBEADM}: {fault}"):
        parse(json.dumps({"artefacts": {KUBEADM: entry}}), "there")


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"artefacts": 1}', "null", "\x00"])
def test_garbage_is_no_manifest(text: str) -> None:
    with pytest.raises(ArtefactError, match="there is no bundle manifest"):
        parse(text, "there")


def test_a_source_without_a_base_says_so() -> None:
    with pytest.raises(ArtefactError, match=r"'mirror' and artefacts.base is missing; say where"):
        location.base(site(artefacts=Artefacts(source="mirror")))
