"""How this project runs a script on a machine, so that a killed run leaves nothing half alive."""

from __future__ import annotations

# A controller that dies leaves its last remote script running. The next run must not start beside
# it, so every script that changes a machine holds this lock; daemons must not inherit it (9>&-).
FILE = "/run/homelab-step.lock"
LOCK = (
    f"exec 9>{FILE}; flock -w 600 9 || "
    f"{{ echo 'a step of an earlier run still holds {FILE} after 600 s' >&2; exit 1; }}"
)


def script(*lines: str) -> str:
    """A POSIX shell script that stops at the first error and never runs beside another one."""
    return "\n".join(["set -eu", LOCK, *lines])
