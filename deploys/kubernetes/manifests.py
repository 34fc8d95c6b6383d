"""Static pods follow their manifests, but only when kubelet gets to it: how to see that it has."""

from __future__ import annotations

from homelab.documents.kept import FOLDER, NAMES

BEFORE = "/run/homelab-manifests"  # memory: after a boot everything is new in any case


def remember() -> str:
    """Shell, to be run before manifests are written: what they were, and who runs by them."""
    lines = [f"rm -rf {BEFORE}", f"mkdir {BEFORE}"]
    for name in NAMES:
        lines.append(
            f"[ ! -e {FOLDER}/{name}.yaml ] || {{ cp {FOLDER}/{name}.yaml {BEFORE}/; "
            f"{_processes(name)} > {BEFORE}/{name}.pids || :; }}"
        )
    return "\n".join(lines)


def as_declared(name: str) -> str:
    """Shell: whether a process has every flag of the manifest, and is not one of before.

    The second only if the manifest is another one: kubeadm writes it anew with the same text as
    well, and then kubelet rightly leaves the pod alone.
    """
    now, before = f"{FOLDER}/{name}.yaml", f"{BEFORE}/{name}"
    return f"""lacks='it does not run'
for pid in $({_processes(name)}); do
    lacks=$(tr '\\0' '\\n' < /proc/$pid/cmdline | awk '!flags {{has[$0]; next}}
        sub(/^ *- --/, "--") && !($0 in has) {{print "it runs without " $0; exit 1}}
        END {{if (!flags) exit 1}}' - flags=1 {now}) || continue
    if grep -qx "$pid" {before}.pids 2>/dev/null && ! cmp -s {before}.yaml {now}; then
        lacks='it has not been restarted yet'
        continue
    fi
    echo 'it does'
    exit 0
done
echo "$lacks"
exit 1"""


def _processes(name: str) -> str:
    """Linux keeps 15 characters of a name."""
    return f"pgrep -x {name[:15]}"
