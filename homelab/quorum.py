"""When a member may leave: arithmetic of etcd's quorum (etcd.io/docs/v3.4/faq)."""

from __future__ import annotations

from collections.abc import Collection


def majority(voters: int) -> int:
    """How many of ``voters`` must be healthy."""
    return voters // 2 + 1


def refusal(voters: Collection[str], healthy: Collection[str], leaving: str) -> str | None:
    """Why ``leaving`` may not be removed now, or None if it may.

    The removal itself must be agreed on by a majority of today's voters, and those who remain
    must have a majority of their own at once.
    """
    now, needed = len(set(healthy) & set(voters)), majority(len(voters))
    if now < needed:
        return (
            f"etcd has no quorum: {now} of {len(voters)} members are healthy, {needed} are needed"
        )
    remaining = set(voters) - {leaving}
    if not remaining:
        return f"{leaving} is the only etcd member: its data would be gone"
    left, needed = len(remaining & set(healthy)), majority(len(remaining))
    if left < needed:
        return (
            f"that would break etcd's quorum: without {leaving} {left} of {len(remaining)} members "
            f"would be healthy, {needed} are needed"
        )
    return None
