"""apt: sources in both spellings, dpkg's states, kernels and boots."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from facts.apt import Apt, AptState, parse
from facts.apt_sources import Source, sources
from tests.unit.facts.fact_captures import capture

DEBIAN = "http://deb.debian.org/debian"


def bad_day() -> Apt:
    return parse(capture("apt-bad-day"))


def test_a_machine_of_the_lab() -> None:
    found = parse(capture("apt-lab"))
    assert not found.unread
    assert found.codename == "bookworm"
    assert [(s.uris, s.suites) for s in found.sources or ()] == [
        ((DEBIAN,), ("bookworm",)),
        ((DEBIAN,), ("bookworm-updates",)),
        ((f"{DEBIAN}-security",), ("bookworm-security",)),
    ]
    assert (found.pins, found.broken, found.held) == ((), {}, ())
    assert (found.running, found.running_version) == ("6.1.0-56-cloud-amd64", "6.1.192-2")
    assert found.images == {"6.1.0-56-cloud-amd64": "6.1.192-2"}
    assert (found.reboot_required, found.reboot_packages) == (False, ())


def test_every_source_that_is_enabled() -> None:
    found = {(s.path.rpartition("/")[2], s.uris[0], s.suites) for s in bad_day().sources or ()}
    assert found >= {
        ("sources.list", "file:/srv/packages", ("./",)),
        ("docker.list", "https://download.docker.com/linux/debian", ("bookworm",)),
        ("debian.sources", DEBIAN, ("trixie",)),
    }
    assert not any("sid" in suites for *_, suites in found)  # Enabled: no
    (cd,) = (uri for _, uri, _ in found if uri.startswith("cdrom:"))
    assert cd.endswith("20240210-11:27]/")


def test_who_has_to_sign() -> None:
    by = {s.uris[0]: (s.signed_by, s.trusted) for s in bad_day().sources or ()}
    assert by["https://download.docker.com/linux/debian"][0] == "/etc/apt/keyrings/docker.asc"
    assert by[DEBIAN] == ("a key in the file itself", False)  # the last one
    assert by["file:/srv/packages"] == ("", True)


def test_a_list_of_mirrors_is_its_hosts() -> None:
    (images,) = (s for s in bad_day().sources or () if "deb-src" in s.types)
    assert images.uris == ("https://deb.debian.org/debian", "http://ftp.example.org/debian")
    assert images.suites == ("bookworm", "bookworm-updates", "bookworm-backports")


def test_a_file_that_makes_no_sense_is_told_and_the_others_are_read() -> None:
    assert bad_day().unread == {"/etc/apt/sources.list.d/odd.list": "a line is no source"}
    assert len(bad_day().sources or ()) == 8


def test_a_password_stays_on_the_machine() -> None:
    assert "secret" not in "\n".join(capture("apt-bad-day"))


def test_packages_that_are_half_there_or_held() -> None:
    found = bad_day()
    assert found.broken == {"broken": "iF", "half": "iU"}
    assert found.held == ("containerd", "curl")
    assert found.pins == ("/etc/apt/preferences.d/kubernetes.pref",)
    assert found.reboot_packages == ("libc6", "linux-image-6.1.0-57-cloud-amd64")


def deb822(text: str) -> list[Source]:
    return list(sources("/x.sources", text.splitlines()))


def test_fields_in_any_case_and_over_lines() -> None:
    (found,) = deb822("types: deb\nURIS: http://a\n http://b\nSuites: x\nTrusted: Yes\n")
    assert (found.uris, found.components, found.trusted) == (("http://a", "http://b"), (), True)


@pytest.mark.parametrize("text", [" begins so", "no field", "Types: deb\nSuites: x"])
def test_a_stanza_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="a "):
        deb822(text)


def test_half_a_reinstallation_is_broken() -> None:
    lines = [line.replace("iU |half", "iiR|half") for line in capture("apt-bad-day")]
    assert (parse(lines).broken or {})["half"] == "iiR"


def test_the_command_reads_this_very_machine(tmp_path: Path) -> None:
    folder = tmp_path / "etc/apt"
    for name, content in {
        "sources.list": b"# deb http://u:p@x x y\ndeb http://u:p@x/\xff x y\n",
        "sources.list.d/a.list.save": b"deb http://save x y\n",
        "preferences.d/ours": b"Package: *\n",
        "preferences.d/not.ours": b"Package: *\n",
        "preferences": b"",
    }.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
    (tmp_path / "run").mkdir()
    (tmp_path / "run/reboot-required").touch()
    command = AptState().command()
    for place in ("/etc/apt", "/run/reboot"):
        command = command.replace(place, f"{tmp_path}{place}")
    done = subprocess.run(
        ["sh", "-c", command], env={"PATH": os.environ["PATH"]}, capture_output=True, check=True
    )
    text = done.stdout.decode()
    assert "u:p" not in text
    found = parse(text.splitlines())
    if "packages" not in found.unread:  # a developer's machine may have no dpkg
        assert found.broken is not None
    (source,) = found.sources or ()
    assert (source.uris, source.suites) == (("http://x/?",), ("x",))
    assert found.pins == (f"{folder}/preferences.d/ours",)
    assert (found.reboot_required, found.reboot_packages) == (True, ())
    assert found.running == os.uname().release
