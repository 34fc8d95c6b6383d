"""What kubeadm has written on a machine, kept beside it: so a hand's change is seen, and mended.

kubeadm's manifests and kubelet's configuration are no documents of ours: they follow from ours by
kubeadm's own rules, which differ from version to version. Drift compares with the copy, and the
deploy has kubeadm write them again where they differ.
"""

from __future__ import annotations

KEPT = "/var/lib/homelab/applied/kubeadm"  # below it the files by their full paths, root's alone
FLAGS = "/var/lib/kubelet/kubeadm-flags.env"
CONFIG = "/var/lib/kubelet/config.yaml"
KUBELET = (CONFIG, FLAGS)
FOLDER = "/etc/kubernetes/manifests"
NAMES = ("etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler")
MANIFESTS = tuple(f"{FOLDER}/{name}.yaml" for name in NAMES)


def keep() -> str:
    """Shell, after kubeadm has written: copies of all that there is, exchanged in one step or not
    at all (a machine without any is one that the deploy goes over again)."""
    # cp of coreutils 9.1 looks for the folders of --parents below where it is started, so below /.
    return f"""rm -rf {KEPT}.new; mkdir -p -m 700 {KEPT}.new
for f in {" ".join((*MANIFESTS, *KUBELET))}; do
  [ ! -e "$f" ] || ( cd /; cp -p --parents "${{f#/}}" {KEPT}.new )
done
rm -rf {KEPT}; mv {KEPT}.new {KEPT}"""


def restore_flags() -> str:
    """Shell: kubelet's flags as they were; on a worker nothing but a new join writes them."""
    return f"[ ! -e {KEPT}{FLAGS} ] || cp -p {KEPT}{FLAGS} {FLAGS}"


def as_kept() -> str:
    """Shell that says what is not as kubeadm wrote it, and fails if anything is."""
    return f"""[ -d {KEPT} ] || {{ echo 'what kubeadm wrote was not kept'; exit 1; }}
cd {KEPT}
for f in $(find . -type f); do
  cmp -s "$f" "${{f#.}}" || {{ echo "${{f#.}} is not as kubeadm wrote it"; exit 1; }}
done"""
