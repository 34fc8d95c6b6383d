"""An image as one tar: OCI's image layout, which ``docker load`` understands too.

``oci-layout``, ``index.json`` and ``blobs/`` are
https://github.com/opencontainers/image-spec/blob/v1.1.0/image-layout.md; containerd takes the name
from ``io.containerd.image.name``. ``manifest.json`` beside them is Docker's, for the same blobs.
The bytes depend on the image only: the same image makes the same tar anywhere.
"""

from __future__ import annotations

import io
import json
import tarfile
import tempfile
from pathlib import Path
from typing import Any, BinaryIO

from homelab.artefacts import fetch
from homelab.artefacts.fetch import Moved
from homelab.artefacts.registry import Pulled, Repository


def pull(
    name: str,
    tag: str,
    digest: str | None,
    dest: Path,
    moved: Moved = lambda count: None,
    pauses: tuple[float, ...] = fetch.PAUSES,
) -> Pulled:
    """Pull ``name`` at ``digest`` (else at ``tag``) into a tar that is called ``name:tag`` inside.

    ArtefactError if it can't be had; ``dest`` then is as it was.
    """
    repository = Repository(name, pauses)
    image = repository.image(digest or tag)
    with fetch.replacing(dest) as file, tarfile.open(fileobj=file, mode="w|") as tar:
        _add(tar, "oci-layout", _json({"imageLayoutVersion": "1.0.0"}))
        _add(tar, "index.json", _json(_index(image, f"{name}:{tag}", tag)))
        _add(tar, "manifest.json", _json(_docker(image, f"{name}:{tag}")))
        _add(tar, _path(image.descriptor.digest), image.manifest)
        for blob in image.blobs:
            # By way of a file of its own: what is in the tar can't be taken back after a bad try.
            with tempfile.TemporaryFile(dir=dest.parent) as spool:
                repository.blob(blob, spool, moved)
                spool.seek(0)
                _stream(tar, _path(blob.digest), spool, blob.size)
    return image


def _index(image: Pulled, reference: str, tag: str) -> dict[str, Any]:
    return {
        "schemaVersion": 2,
        "mediaType": "application/vnd.oci.image.index.v1+json",
        "manifests": [
            {
                "mediaType": image.descriptor.media_type,
                "digest": image.descriptor.digest,
                "size": image.descriptor.size,
                "platform": {"architecture": "amd64", "os": "linux"},
                "annotations": {
                    "io.containerd.image.name": reference,
                    "org.opencontainers.image.ref.name": tag,
                },
            }
        ],
    }


def _docker(image: Pulled, reference: str) -> list[dict[str, Any]]:
    layers = [_path(layer.digest) for layer in image.layers]
    return [{"Config": _path(image.config.digest), "RepoTags": [reference], "Layers": layers}]


def _path(digest: str) -> str:
    return f"blobs/{digest.replace(':', '/')}"


def _json(data: object) -> bytes:
    return json.dumps(data, sort_keys=True).encode()


def _add(tar: tarfile.TarFile, name: str, content: bytes) -> None:
    _stream(tar, name, io.BytesIO(content), len(content))


def _stream(tar: tarfile.TarFile, name: str, source: BinaryIO, size: int) -> None:
    info = tarfile.TarInfo(name)
    info.size, info.mode = size, 0o644
    tar.addfile(info, source)
