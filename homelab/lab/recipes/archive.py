"""Tars that are the same, byte for byte, whenever and wherever they are made."""

import hashlib
import io
import json
import tarfile
from collections.abc import Mapping
from pathlib import Path


def _plain(info: tarfile.TarInfo) -> tarfile.TarInfo:
    """Drop what depends on the time and the person of the build."""
    info.mtime = 0
    info.uid = info.gid = 0
    info.uname = info.gname = ""
    return info


def pack(root: Path, dest: Path) -> None:
    """Tar all below `root`, sorted by path."""
    with tarfile.open(dest, "w", format=tarfile.GNU_FORMAT) as tar:
        for path in sorted(root.rglob("*")):
            tar.add(path, str(path.relative_to(root)), recursive=False, filter=_plain)


def image(root: Path, dest: Path, name: str, arch: str, config: Mapping[str, object]) -> None:
    """Write an image of one layer as `docker save` does, so that `ctr` and Docker take it.

    Format: https://github.com/moby/moby/blob/v20.10.24/image/spec/v1.2.md
    """
    layer = dest.with_suffix(".layer")
    try:
        pack(root, layer)
        with layer.open("rb") as file:
            diff = hashlib.file_digest(file, "sha256").hexdigest()
        about = _json(
            {
                "architecture": arch,
                "os": "linux",
                "created": "1970-01-01T00:00:00Z",
                "config": dict(config),
                "rootfs": {"type": "layers", "diff_ids": [f"sha256:{diff}"]},
                "history": [{"created": "1970-01-01T00:00:00Z", "created_by": "homelab.lab"}],
            }
        )
        config_name = f"{hashlib.sha256(about).hexdigest()}.json"
        listed = [{"Config": config_name, "RepoTags": [name], "Layers": [f"{diff}/layer.tar"]}]
        with tarfile.open(dest, "w", format=tarfile.GNU_FORMAT) as tar:
            _add(tar, config_name, about)
            tar.add(layer, f"{diff}/layer.tar", filter=_plain)
            _add(tar, "manifest.json", _json(listed))
    finally:
        layer.unlink(missing_ok=True)


def _json(data: object) -> bytes:
    return json.dumps(data, sort_keys=True).encode()


def _add(tar: tarfile.TarFile, name: str, content: bytes) -> None:
    info = tarfile.TarInfo(name)
    info.size = len(content)
    info.mode = 0o644
    tar.addfile(info, io.BytesIO(content))
