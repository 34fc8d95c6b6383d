"""Why a join failed, told by the machine itself: what does not hold there, and its last words.

"Did not join" is the most repeated complaint of all such tools (../shared/reference/anchors.md,
2.20): so a step of a join that fails is followed by this, before its error ends the run.
"""

from __future__ import annotations

import shlex
from collections.abc import Sequence

from operations.condition import Condition, bounded

# The last lines of whoever may know the cause. kubelet and etcd log no secrets.
WORDS = {
    "kubelet": "journalctl -u kubelet -n 400 -o cat --no-pager | grep '^[EF][0-9]' | tail -n 3",
    "runtime": "journalctl -u containerd -u crio -n 200 -o cat --no-pager "
    "| grep -E 'level=(error|fatal)' | tail -n 2",
    "etcd": "cat /var/log/pods/kube-system_etcd-*/etcd/*.log 2>/dev/null | tail -n 3",
    "API server": "cat /var/log/pods/kube-system_kube-apiserver-*/*/*.log 2>/dev/null | tail -n 2",
}


def tell(conditions: Sequence[Condition]) -> str:
    """Shell that prints the conditions that do not hold now, then everybody's last words."""
    lines = ['echo "post-mortem of $(hostname):"', "all=yes"]
    for condition in conditions:
        lines.append(
            f"value=$( {bounded(condition)} 2>&1 ) || {{ all=; "
            f"printf '  not so: %s: %s\\n    look: %s\\n' {shlex.quote(condition.name)} "
            f'"${{value##*\n}}" {shlex.quote(condition.look)}; }}'
        )
    names = ", ".join(condition.name for condition in conditions)
    lines.append(f'[ -z "$all" ] || echo {shlex.quote(f"  all of this holds: {names}")}')
    for who, words in WORDS.items():
        lines.append(
            f"said=$( {words} 2>/dev/null | cut -c1-300 | sed 's/^/    /' ); "
            f'[ -z "$said" ] || printf \'  {who} said last:\\n%s\\n\' "$said"'
        )
    return "\n".join(lines)


def after(script: str, conditions: Sequence[Condition]) -> str:
    """``script``, and its post-mortem on standard error if it fails; it fails all the same.

    In a shell of its own: on the left of ``||`` a shell forgets ``set -e``.
    """
    if not conditions:
        return script
    told = f"{{ code=$?\n{{ {tell(conditions)}\n}} >&2\nexit $code; }}"
    return f"sh -c {shlex.quote(script)} || {told}"
