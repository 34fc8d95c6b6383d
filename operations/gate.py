"""Gates: named conditions that must hold before the run goes on.

The conditions are asked on the machine itself, in one round trip however long it takes. A gate
that is not passed in time says which condition is not met, its last value, and where to look.
"""

from __future__ import annotations

import shlex
from collections.abc import Generator, Sequence

from pyinfra import host
from pyinfra.api import FactBase, StringCommand, operation
from pyinfra.api.exceptions import FactProcessError

from operations import post_mortem
from operations.condition import Condition, bounded


class Met(FactBase[bool]):
    """Whether all conditions hold now.

    .. code:: python

        host.get_fact(Met, conditions=[Condition("kubelet", "curl …", "journalctl -u kubelet")])
    """

    def command(self, conditions: Sequence[Condition]) -> str:
        probes = " && ".join(f"( {bounded(c)} ) >/dev/null 2>&1" for c in conditions)
        return f"if {probes}; then echo met; else echo open; fi"

    @staticmethod
    def default() -> bool:
        return False

    def process(self, output: list[str]) -> bool:
        if output not in (["met"], ["open"]):
            raise FactProcessError(f"gate: expected met or open, got {output!r}")
        return output == ["met"]


def wait_script(gate: str, conditions: Sequence[Condition], seconds: int) -> str:
    """Shell that returns 0 as soon as all conditions hold, or tells what does not after a while."""
    asks = []
    for condition in conditions:
        name, look = shlex.quote(condition.name), shlex.quote(condition.look)
        asks.append(
            f"( {condition.nudge} ) >/dev/null 2>&1; value=$( {bounded(condition)} 2>&1 ) || "
            f"{{ open=$open{shlex.quote(condition.name + '; ')}; "
            f'last="$last  not met: "{name}": ${{value##*\n}}\n    look: "{look}"\n"; }}'
        )
    body = "\n    ".join(asks)
    return f"""end=$(( $(date +%s) + {seconds} ))
while :; do
    open= last=
    {body}
    [ -n "$open" ] || exit 0
    if [ "$(date +%s)" -ge "$end" ]; then
        printf 'gate %s on %s: not passed within {seconds} s\\n%s' \\
            {shlex.quote(gate)} "$(hostname)" "$last" >&2
        exit 1
    fi
    sleep 0.3
done"""


@operation()
def passed(
    gate: str, conditions: Sequence[Condition], seconds: int, sound: Sequence[Condition] = ()
) -> Generator[StringCommand, None, None]:
    """Wait until every condition holds on this machine; changes nothing.

    ``sound``: what a post-mortem asks if they do not.

    .. code:: python

        gate.passed(name="Gate: first control plane", gate="...", conditions=[...], seconds=120)
    """
    if host.get_fact(Met, conditions=conditions):
        host.noop(f"gate {gate} is passed")
        return
    yield StringCommand(post_mortem.after(wait_script(gate, conditions, seconds), sound))
