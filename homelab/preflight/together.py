"""What a machine shows beside the others, and beside the cluster that lives already."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from homelab.documents import apiserver
from homelab.documents.settled import settled as settings
from homelab.preflight.view import Problem, View
from homelab.site import derived

SKEW_S = 2.0  # far below certificate and lease tolerances; NTP keeps milliseconds
# One problem in two lines: condition and value, then how to mend it.
# fmt: off


def identity(view: View) -> Iterator[Problem]:
    """Only the machine-id must be unique: networkd's DHCP and kubelet go by it.

    Cheap boards share the placeholder that their vendor left in the firmware.
    """
    others = {name: s for name, s in view.all.items() if name != view.machine.name}
    mends = {
        "hostname": "The deploy sets it to the declared name.",
        "machine_id": "A cloned disk: rm /etc/machine-id, systemd-machine-id-setup, boot.",
        "product_uuid": "The firmware's, often a vendor's placeholder; Kubernetes does not need it "
                        "where names and machine-ids differ.",
    }
    for label, mend in mends.items():
        mine = getattr(view.survey, label)
        if label == "product_uuid" and view.survey.is_container:
            continue  # the host's, shared by all containers on it
        twins = [name for name, other in others.items() if mine and getattr(other, label) == mine]
        if twins:
            yield view.problem(f"unique {label}", f"{mine} is also that of {', '.join(twins)}",
                               mend, fatal=label == "machine_id")


def clock(view: View) -> Iterator[Problem]:
    """Told only if it is certain: on a busy machine an answer takes seconds.

    Each clock is known by an interval, from when the controller asked and when it was answered.
    """
    known = {name: s.ahead for name, s in view.all.items() if s.ahead}
    if view.machine.name not in known:
        return
    low, high = known[view.machine.name]
    # The middle machine's: one that is far off does not make the others look wrong.
    others_low, others_high = sorted(known.values(), key=sum)[len(known) // 2]
    skew = max(low - others_high, 0) + min(high - others_low, 0)
    if abs(skew) > SKEW_S:
        yield view.problem("clock", f"{skew:+.1f} s from the other machines",
                           "Start time sync: timedatectl set-ntp true; chronyc makestep.")


def cluster(view: View) -> Iterator[Problem]:
    state = view.survey.membership(view.site.name)
    if state == "foreign":
        whose = view.survey.claim.get("site")
        value = f"it serves the site {whose!r}" if whose else ", ".join(view.survey.remains)
        if view.survey.ca:
            value += f"; its CA is SHA-256 {view.survey.ca}"
        yield view.problem("another cluster", value,
                           "Nothing of it is overwritten. Take it apart there first, or, if it is "
                           "dead for certain: kubeadm reset, and empty /var/lib/etcd.")
    members = {name: s for name, s in view.all.items() if s.membership(view.site.name) == "ours"}
    authorities = Counter(s.ca for s in members.values() if s.ca)
    if view.machine.name in members and view.survey.ca and len(authorities) > 1:
        most, _ = authorities.most_common(1)[0]
        if view.survey.ca != most:
            yield view.problem("cluster CA", f"SHA-256 {view.survey.ca}, the others' is {most}",
                               "It belongs to another cluster of this name; reset it first.")


def runtime(view: View) -> Iterator[Problem]:
    """A change of runtime strands the pods of the old one."""
    wanted = view.site.kubernetes.runtime
    other, pods = (("cri-o", view.survey.crio_pods) if wanted == "containerd"
                   else ("containerd", view.survey.containerd_pods))
    if pods and view.survey.membership(view.site.name) == "ours" and other != wanted:
        yield view.problem("runtime", f"{other} runs pods here, the site says {wanted}",
                           f"Take the machine out first: deploys/reset.py for {view.machine.name}.")


def encryption(view: View) -> Iterator[Problem]:
    """All API servers read each other's Secrets; nobody guesses which of two keys is right."""
    members = {name: s for name, s in view.all.items() if s.membership(view.site.name) == "ours"}
    keys = Counter(s.encrypts for s in members.values() if s.encrypts)
    if view.machine.name not in members or len(keys) < 2 or not view.survey.encrypts:
        return
    most, _ = keys.most_common(1)[0]
    if view.survey.encrypts != most:
        yield view.problem(
            "encryption key", f"its digest is {view.survey.encrypts}, the others' is {most}",
            f"Copy {apiserver.ENCRYPTION} of a control plane that can read Secrets to the others, "
            "and restart their API servers.")


def settled(view: View) -> Iterator[Problem]:
    """What a living cluster can't take by a deploy: another version or other networks.

    Kubernetes is upgraded a minor at a time in an order of its own; for the rest see
    homelab/documents/settled.py. Secrets that were encrypted can't be read without the key, nor
    by the API servers that do not have it yet.
    """
    if view.survey.membership(view.site.name) != "ours":
        return
    declared, now = settings(view.site), dict(view.survey.made_with)
    if view.machine in derived.control_planes(view.site):
        members = (s for s in view.all.values() if s.membership(view.site.name) == "ours")
        declared["kubernetes.encrypt_secrets"] = str(view.site.kubernetes.encrypt_secrets)
        now["kubernetes.encrypt_secrets"] = str(any(s.encrypts for s in members))
    for name, wanted in declared.items():
        if now.get(name, wanted) != wanted:
            yield view.problem(
                "settled setting",
                f"{name} is {now[name]}, the site says {wanted}",
                "This deploy does not change it on a living cluster: declare the old value.",
            )


def virtual_ip(view: View) -> Iterator[Problem]:
    mine = view.site.api.vip in view.survey.addresses
    if mine and view.machine not in derived.balancers(view.site):
        yield view.problem("VIP", f"{view.site.api.vip} is an address of this machine",
                           "Only a balancer may hold it: remove it there, or choose another VIP.")
    known = {port for survey in view.all.values() for port in survey.macs}
    everyone = all(machine.name in view.all for machine in view.site.machines)  # not so by --limit
    holder = view.survey.vip_held_by
    if holder and everyone and holder not in known:
        value = f"{view.site.api.vip} is held by {holder}, no machine of this site"
        yield view.problem("VIP", value, "Choose a free address, or take it from what holds it.")
