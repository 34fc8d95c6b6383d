"""The trial's script on files of a namespace of its own; systemd is a list of what it was told.

That a living machine really has its network back is for the lab's VMs to show.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from facts.layer import APPLIED
from homelab.documents.document import Document, Layer
from homelab.documents.network import network
from homelab.documents.network_force import DROP_IN
from homelab.documents.probes import GATEWAY, Probe, probes
from homelab.documents.trial import SCRIPT, SOURCE, network_trial
from homelab.lab.paths import REPO
from operations.network import Trial, pack
from tests.unit.documents.document_sites import BARE, document, rack, shell

GOOD = Probe(GATEWAY, "always", "echo it does")
OLD, NEW = "/etc/systemd/network/90-old.network", "/etc/systemd/network/05-new.network"
APPLY, LEFT = "$T begin 30 < pack; $T apply", "ls /etc/systemd/network; cat /etc/network/interfaces"
FILES_OF_OLD = ["90-old.network", "interfaces"]


class Box:
    """A machine whose network is ``OLD``; ``$T`` is the script."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        text = document(network_trial(rack(), rack().machines[0]), SCRIPT).text
        self._program("network-trial", text)
        for name in ("systemctl", "systemd-run", "ip", "logger", "sleep"):
            # nothing is enabled or active but networking.service, as on a new Debian
            others = "is-*homelab*|is-*NetworkManager*|is-*networkd*|is-*keepalived*"
            told = f'echo {name} "$@" >> {folder}/told'
            self._program(name, f'#!/bin/sh\n{told}\ncase "$*" in {others}) exit 1;; esac\n')
        (folder / "told").write_text("")

    def _program(self, name: str, text: str) -> None:
        (self.folder / name).write_text(text)
        (self.folder / name).chmod(0o755)

    def run(self, *steps: str, probes: tuple[Probe, ...] = (GOOD,)) -> list[str]:
        documents = Document(NEW, "# new\n"), Document(DROP_IN, "# new\n")
        layer = Layer("network", documents, activate=f"set -e\nrm {OLD}")
        trial = Trial(layer, ("bond0",), probes, 30, ("192.168.0.11",))
        (self.folder / "pack").write_text(pack(trial))
        before = f"""set -e
        for d in etc var run; do mount -t tmpfs tmpfs /$d; done
        cd {self.folder}; PATH={self.folder}:$PATH; T=./network-trial
        mkdir -p /etc/systemd/network /etc/network /var/lib
        echo old > {OLD}; echo interfaces > /etc/network/interfaces
        """
        return shell(before + "\n".join(steps), namespace=True).splitlines()

    @property
    def told(self) -> list[str]:
        return (self.folder / "told").read_text().splitlines()


@pytest.fixture
def box(tmp_path: Path) -> Box:
    return Box(tmp_path)


def test_what_is_proven_and_confirmed_is_kept(box: Box) -> None:
    sound, confirmed, *left = box.run(APPLY, "$T verdict", "$T confirm", LEFT,
                                      "$T back late; ls /etc/systemd/network")  # fmt: skip
    assert sound == "sound"
    assert confirmed.startswith("confirmed ")
    assert left == ["05-new.network", "interfaces", "05-new.network"]
    assert [line for line in box.told if "--on-active=30" in line and line.endswith("30 s")]
    assert "systemctl --quiet enable systemd-networkd.service" in box.told
    assert "systemctl --quiet disable networking.service" in box.told


def test_the_old_files_of_the_last_change_are_kept_for_a_person(box: Box) -> None:
    listed = box.run(
        APPLY, "$T confirm >/dev/null", "tar -tf /var/lib/homelab/network/saved/old.tar"
    )
    assert OLD.lstrip("/") in listed


def test_a_person_puts_them_back(box: Box) -> None:
    """And the manager that reads them is enabled again, as networking.service was."""
    said, *left = box.run(APPLY, "$T confirm >/dev/null", "$T saved", LEFT)
    assert said.endswith(": by hand, to what was before the last change")
    assert left == FILES_OF_OLD
    assert "systemctl --quiet enable networking.service" in box.told
    assert "systemctl --quiet disable systemd-networkd.service" in box.told


@pytest.mark.parametrize(
    ("steps", "said"),
    [
        (("true",), "nothing is saved in"),
        ((APPLY, "$T confirm >/dev/null", "rm /var/lib/homelab/network/saved/enabled"), "nothing"),
        (("$T begin 30 < pack",), "a change is on trial"),
    ],
    ids=["never", "by-an-older-version", "on-trial"],
)
def test_nothing_is_removed_that_cannot_be_put_back(
    box: Box, steps: tuple[str, ...], said: str
) -> None:
    files = "find /etc/systemd /etc/network -type f -exec sha256sum {} + | sort | sha256sum"
    before, refusal, after = box.run(*steps, files, "$T saved 2>&1 || true", files)
    assert refusal.startswith(said)
    assert after == before


def test_the_page_says_how() -> None:
    assert f"{SCRIPT} saved\n" in (REPO / "docs/bonding.md").read_text()


def test_a_boot_without_a_manager_ends_the_trial_too(box: Box) -> None:
    nothing = ": > /var/lib/homelab/network/trial/active"
    left = box.run(APPLY, nothing, "$T boot; ls /var/lib/homelab/network", LEFT)
    assert left == ["last", *FILES_OF_OLD]


def test_a_check_that_fails_takes_the_old_network_back_and_is_named(box: Box) -> None:
    bad = Probe("the switch bundles bond0", "always", "echo ens5: hears no LACP; exit 1")
    said, *left = box.run(APPLY.replace("30", "1"), "$T verdict", LEFT, probes=(GOOD, bad))
    assert said.endswith(": the switch bundles bond0: ens5: hears no LACP")
    assert left == FILES_OF_OLD
    assert "ip link delete bond0" in box.told
    assert "systemctl restart networking.service" in box.told
    assert "systemctl --quiet enable networking.service" in box.told


def test_networkd_may_read_a_folder_that_was_not_there(box: Box) -> None:
    """It runs as systemd-network, and says at its debug level only that it may not."""
    (mode,) = box.run(APPLY, f"stat -c %a {Path(DROP_IN).parent}")
    assert mode == "755"


def test_everybody_may_enter_etc_all_the_time(box: Box) -> None:
    """Its mode was another one for the time that tar took, and for good if the power went."""
    before, after = box.run("stat -c %z /etc", APPLY, "stat -c %z /etc")
    assert after == before


def test_what_did_not_answer_before_need_not_answer_after(box: Box) -> None:
    never = Probe("names are resolved", "before", "exit 1")
    assert box.run(APPLY, "$T verdict", probes=(GOOD, never)) == ["sound"]


def test_what_answered_before_has_to_answer_after(box: Box) -> None:
    once = Probe("names are resolved", "before", f"test -e {OLD} || {{ echo lost; exit 1; }}")
    said, *left = box.run(APPLY.replace("30", "1"), "$T verdict", LEFT, probes=(GOOD, once))
    assert said.endswith(": names are resolved: lost")
    assert left == FILES_OF_OLD


def test_an_activation_that_fails_is_taken_back(box: Box) -> None:
    said, *left = box.run(f"$T begin 30 < pack; rm {OLD}; $T apply", "$T verdict", LEFT)
    assert "bringing it into force: rm: cannot remove" in said
    assert left == FILES_OF_OLD


@pytest.mark.parametrize("until", ["$T begin 30 < pack", APPLY], ids=["begun", "sound"])
def test_nobody_confirms(box: Box, until: str) -> None:
    """The controller is gone: the timer's own words, and how far the machine had come."""
    said, *left = box.run(until, "$T back 'not confirmed within 30 s'", "$T verdict", LEFT)
    word = "sound" if until == APPLY else "trial: it begins"
    assert said.endswith(f": not confirmed within 30 s; its own word: {word}")
    assert left == FILES_OF_OLD


@pytest.mark.parametrize("until", ["$T begin 30 < pack", APPLY], ids=["begun", "sound"])
def test_a_restart_in_the_middle_comes_up_with_the_old_files(box: Box, until: str) -> None:
    said, *left = box.run(until, "$T boot", "$T confirm", LEFT)
    assert said.endswith(": the machine was restarted in the middle")
    assert left[:2] == FILES_OF_OLD


def test_what_is_not_sound_is_not_confirmed(box: Box) -> None:
    said, *left = box.run("$T begin 30 < pack", "$T confirm", LEFT)
    assert said == "trial: it begins"
    assert left == FILES_OF_OLD


def test_a_trial_that_a_killed_machine_left_is_taken_back_before_the_next(box: Box) -> None:
    """Neither its timer nor its service lives."""
    said, *left = box.run(APPLY, "$T begin 30 < pack", "$T apply", "$T verdict", LEFT)
    assert said == "sound"
    assert left == ["05-new.network", "interfaces"]


def test_a_link_is_restored_as_a_link(box: Box) -> None:
    steps = (
        "ln -s /run/resolv.conf /etc/resolv.conf",
        APPLY,
        "$T back x",
        "readlink /etc/resolv.conf",
    )
    assert box.run(*steps)[-1] == "/run/resolv.conf"


def test_what_a_network_changes_is_what_is_taken_back() -> None:
    """The script's list of roots, against every file of the layer and its stamp."""
    (listed,) = re.findall(r'^roots="([^"]+)"', SOURCE.read_text(), re.MULTILINE)
    roots = [f"/{root}" for root in listed.split()]
    paths = [d.path for d in network(rack(), rack().machines[0], BARE).documents]
    for path in [*paths, f"{APPLIED}/network"]:
        assert any(path == root or path.startswith(f"{root}/") for root in roots), path


def test_the_script_and_the_probes_call_the_gateways_probe_the_same() -> None:
    assert f'"# always {GATEWAY}"' in SOURCE.read_text()
    found = probes(rack(), rack().machines[0], BARE)
    assert [probe.kind for probe in found if probe.name == GATEWAY] == ["always"]
