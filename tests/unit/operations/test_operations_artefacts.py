"""Artefacts: only what has its pinned hash is put in place, each by one rename."""

from __future__ import annotations

import hashlib
import io
import tarfile
from pathlib import Path

from homelab.artefacts.artefact import Artefact, Install, Kind
from operations.artefacts import FETCHED, Images, Installed, Pinned, fetch_script, place_script
from tests.unit.operations.room import Machine

BYTES = b"#!/bin/sh\necho kubelet\n"


def pinned(content: bytes, kind: Kind, *install: Install, name: str = "kubelet") -> Pinned:
    artefact = Artefact(name, "1.0", f"dl.k8s.io/{name}", kind, install=install)
    return Pinned(artefact, hashlib.sha256(content).hexdigest(), f"https://dl.k8s.io/{name}")


BINARY = pinned(BYTES, "binary", Install("", "/usr/local/bin/kubelet"))


def archive(folder: Path) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as tar:
        for name in ("top/crictl", "top/LICENSE"):
            entry = tarfile.TarInfo(name)
            entry.size, entry.mode, entry.uid = len(BYTES), 0o755, 4711
            tar.addfile(entry, io.BytesIO(BYTES))
    return buffer.getvalue()


def fetch(machine: Machine, item: Pinned, content: bytes) -> None:
    """As the upload or curl leaves it."""
    machine.path(FETCHED).mkdir(parents=True, exist_ok=True)
    machine.path(item.fetched).write_bytes(content)


def test_a_download_waits_for_that_of_a_killed_run_and_goes_on_with_it(machine: Machine) -> None:
    """Two curls into one file would leave neither whole."""
    own_bin(machine)
    machine.does(f"mkdir -p /usr/local/bin {FETCHED}; echo first > {FETCHED}/{'0' * 64}")
    curl = """#!/bin/sh
        while [ "$1" != -o ]; do shift; done
        [ ! -e /tmp/busy ] || echo two at once >> /tmp/seen
        touch /tmp/busy; sleep 0.5; echo part >> "$2"; rm /tmp/busy"""
    machine.path("/tmp/curl").write_text(curl)
    machine.does("install -m 755 /tmp/curl /usr/local/bin/curl")
    fetching = fetch_script(BINARY)
    machine.does(f"( {fetching} ) >/dev/null 2>&1 & sleep 0.2; ( {fetching} ); wait")
    assert machine.files("/tmp") == {"/tmp/curl"}
    assert machine.path(BINARY.fetched).read_text() == "part\npart\n"
    assert machine.path(f"{FETCHED}/{'0' * 64}").read_text() == "first\n"


def own_bin(machine: Machine) -> None:
    """``/usr`` is this machine's: cover what is written to."""
    machine.does("mount -t tmpfs none /usr/local")


def installed(machine: Machine, *items: Pinned) -> list[str]:
    return Installed().process(machine.does(Installed().command(items)).splitlines())


def test_a_binary_is_put_in_place(machine: Machine) -> None:
    own_bin(machine)
    assert installed(machine, BINARY) == []
    fetch(machine, BINARY, BYTES)
    machine.does(place_script(BINARY))
    assert machine.does("/usr/local/bin/kubelet") == "kubelet\n"
    assert machine.does("stat -c %a /usr/local/bin/kubelet") == "755\n"
    assert installed(machine, BINARY) == ["kubelet"]
    assert machine.files(FETCHED) == set()


def test_a_flipped_byte_is_refused_and_the_file_deleted(machine: Machine) -> None:
    own_bin(machine)
    machine.does("mkdir /usr/local/bin; echo old > /usr/local/bin/kubelet")
    fetch(machine, BINARY, BYTES.replace(b"k", b"K"))
    said = machine.sh(place_script(BINARY))
    assert said.code == 1
    assert said.err.splitlines()[-1] == (
        "kubelet: the file from https://dl.k8s.io/kubelet does not have the pinned SHA-256 "
        f"{BINARY.sha256}; it was deleted"
    )
    assert machine.does("cat /usr/local/bin/kubelet") == "old\n"
    assert machine.files(FETCHED, "/var/lib/homelab/artefacts") == set()


def test_a_program_that_was_changed_later_is_noticed(machine: Machine) -> None:
    own_bin(machine)
    fetch(machine, BINARY, BYTES)
    machine.does(place_script(BINARY))
    machine.does("echo >> /usr/local/bin/kubelet")
    assert installed(machine, BINARY) == []


def test_a_byte_changed_behind_an_old_date_is_noticed(machine: Machine) -> None:
    """Same name, inode, size and mtime: only ctime and the content tell."""
    own_bin(machine)
    fetch(machine, BINARY, BYTES)
    machine.does(place_script(BINARY))
    machine.does(
        "cd /usr/local/bin; touch -r kubelet /tmp/date; "
        "printf K | dd of=kubelet bs=1 seek=15 conv=notrunc 2>/dev/null; touch -r /tmp/date kubelet"
    )
    assert installed(machine, BINARY) == []


def test_a_copy_of_the_same_bytes_is_as_good(machine: Machine) -> None:
    """After a restored backup the inode is another one: the hash decides."""
    own_bin(machine)
    fetch(machine, BINARY, BYTES)
    machine.does(place_script(BINARY))
    machine.does("cd /usr/local/bin; cp kubelet copy; mv copy kubelet")
    assert installed(machine, BINARY) == ["kubelet"]


def test_a_running_program_is_replaced(machine: Machine) -> None:
    """Writing into it would be "text file busy"; a rename is not."""
    own_bin(machine)
    machine.does("mkdir /usr/local/bin; cp /bin/sleep /usr/local/bin/kubelet")
    machine.does("/usr/local/bin/kubelet 60 >/dev/null 2>&1 &")
    fetch(machine, BINARY, BYTES)
    machine.does(place_script(BINARY))
    assert installed(machine, BINARY) == ["kubelet"]


def test_one_member_of_an_archive(machine: Machine, tmp_path: Path) -> None:
    content = archive(tmp_path)
    place = Install("top/crictl", "/opt/bin/crictl", 0o750)
    item = pinned(content, "archive", place, name="crictl")
    fetch(machine, item, content)
    machine.does(place_script(item))
    assert machine.files("/opt") == {"/opt/bin/crictl"}
    assert machine.path("/opt/bin/crictl").stat().st_mode & 0o777 == 0o750
    assert installed(machine, item) == ["crictl"]


def test_a_whole_archive_belongs_to_root(machine: Machine, tmp_path: Path) -> None:
    content = archive(tmp_path)
    item = pinned(content, "archive", Install("", "/opt/cni/bin"), name="cni-plugins")
    fetch(machine, item, content)
    machine.does(place_script(item))
    assert machine.files("/opt") == {"/opt/cni/bin/top/crictl", "/opt/cni/bin/top/LICENSE"}
    assert machine.does("stat -c %u /opt/cni/bin/top/crictl") == "0\n"
    assert installed(machine, item) == ["cni-plugins"]


def test_another_version_of_an_archive_is_not_installed(machine: Machine, tmp_path: Path) -> None:
    content = archive(tmp_path)
    item = pinned(content, "archive", Install("", "/opt/cni/bin"), name="cni-plugins")
    fetch(machine, item, content)
    machine.does(place_script(item))
    newer = pinned(b"newer", "archive", Install("", "/opt/cni/bin"), name="cni-plugins")
    assert installed(machine, newer) == []


def test_an_archive_without_the_member_is_an_error(machine: Machine, tmp_path: Path) -> None:
    content = archive(tmp_path)
    item = pinned(content, "archive", Install("top/crio", "/opt/bin/crio"), name="crio")
    fetch(machine, item, content)
    assert machine.sh(place_script(item)).code != 0
    assert installed(machine, item) == []


def test_images_are_found_before_containerd_runs(machine: Machine) -> None:
    """A first ``--dry`` reads containerd's database, which holds other bytes as well."""
    database = machine.path("/var/lib/containerd/io.containerd.metadata.v1.bolt/meta.db")
    assert Images().process(machine.does(Images().command()).splitlines()) == []
    database.parent.mkdir(parents=True)
    database.write_bytes(b"\0\x1fimages\0k8s.gcr.io/pause:3.2\0\xff\0homelab.local/toolbox:1\0")
    found = Images().process(machine.does(Images().command()).splitlines())
    assert found == ["homelab.local/toolbox:1", "k8s.gcr.io/pause:3.2"]
