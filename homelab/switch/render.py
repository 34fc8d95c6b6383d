"""Lines for VRP, each with the line that takes it back.

Syntax: Huawei S2700/S5700/S6700 configuration guides, "Link Aggregation" and "VLAN", and the
CloudEngine command reference; ``lacp force-forward`` of http://a10.tagan.ru/huawei/dc/ (V8).
Nothing is sent that VRP has by default, because it does not show that: a second run would see a
difference again.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from homelab.site.switch_ports import split
from homelab.switch.parse import Interface, Trunk, Version, numbers
from homelab.switch.wanted import Carried, Group

# As `display eth-trunk` names the hash that load-balance chose.
HASHES = {
    "src-dst-ip": "SIP-XOR-DIP", "src-dst-mac": "SA-XOR-DA",
    "src-ip": "SIP", "dst-ip": "DIP", "src-mac": "SA", "dst-mac": "DA",
}  # fmt: skip


@dataclass(frozen=True)
class Edit:
    """``do`` in ``view`` ("interface Eth-Trunk1"; "": the system view), and what undoes it."""

    view: str
    do: str
    back: str


def lines(edits: Iterable[Edit]) -> list[str]:
    """What is typed in the system view for the edits."""
    return _typed((edit.view, edit.do) for edit in edits)


def undo_lines(edits: Iterable[Edit]) -> list[str]:
    """What is typed to take the edits back, the last one first."""
    return _typed((edit.view, edit.back) for edit in reversed(list(edits)))


def _typed(pairs: Iterable[tuple[str, str]]) -> list[str]:
    typed: list[str] = []
    view = ""
    for wanted, line in pairs:
        if wanted != view:
            typed += ["quit"] if view else []
            typed += [wanted] if wanted else []
            view = wanted
        typed.append(line)
        if line.startswith("interface "):  # creates it, and is in it
            typed.append("quit")
    return [*typed, "quit"] if view else typed


def make_trunk(number: int) -> Edit:
    return Edit("", f"interface Eth-Trunk{number}", f"undo interface Eth-Trunk{number}")


def make_vlans(missing: frozenset[int]) -> Edit:
    listed = " ".join(map(str, sorted(missing)))
    return Edit("", f"vlan batch {listed}", f"undo vlan batch {listed}")


def join(trunk: int, port: str) -> Edit:
    """``port`` as the switch spells it, whose type and number trunkport wants apart."""
    named = " ".join(split(port))
    return Edit(f"interface Eth-Trunk{trunk}", f"trunkport {named}", f"undo trunkport {named}")


def leave(trunk: int, port: str) -> Edit:
    into = join(trunk, port)
    return Edit(into.view, into.back, into.do)


def shape(group: Group, number: int, now: Interface, runs: Trunk | None, version: Version
          ) -> Iterator[Edit]:  # fmt: skip
    """Of an Eth-Trunk: mode, time-out, hash. A mode never changes: it would need no members."""
    view = f"interface Eth-Trunk{number}"
    if group.lacp and not now.having("mode "):
        yield Edit(view, f"mode {version.lacp}", "undo mode")
    yield from _switched(view, now, "lacp timeout", "fast", group.fast)
    yield from _switched(view, now, "lacp force-forward", "", group.lone_legs)
    said = [line.removeprefix("load-balance ") for line in now.having("load-balance ")]
    shown = runs.hashing if runs and not said else None
    if said != [group.load_balance] and shown != HASHES[group.load_balance]:
        back = f"load-balance {said[0]}" if said else "undo load-balance"
        yield Edit(view, f"load-balance {group.load_balance}", back)


def _switched(view: str, now: Interface, command: str, word: str, on: bool) -> Iterator[Edit]:
    """A setting that is off by default."""
    line = f"{command} {word}".strip()
    has = now.having(command)
    if on and line not in has:
        yield Edit(view, line, has[0] if has else f"undo {command}")
    elif not on and has:
        yield Edit(view, f"undo {command}", has[0])


def frames(view: str, now: Interface, frame: int) -> Iterator[Edit]:
    """By default a port passes 9216 bytes, more than we ever need: only less is in the way."""
    for line in now.having("jumboframe enable "):
        if int(line.split()[2]) < frame:
            yield Edit(view, "undo jumboframe enable", line)


def carries(now: Interface, platform: str) -> tuple[int, frozenset[int], frozenset[int]]:
    """A port's VLANs as they work: of untagged frames, those sent without a tag, and with one."""
    kinds = [line.split()[-1] for line in now.having("port link-type ")]
    kind = kinds[0] if kinds else ("hybrid" if platform == "vrp5" else "access")
    pvid = 1
    tagged, bare, passed = set[int](), {1}, {1}
    for line in now.lines:
        named = numbers(line)
        if line.startswith(("port default vlan ", f"port {kind} pvid vlan ")):
            pvid = max(named)
        elif line.startswith("port hybrid tagged vlan "):
            tagged |= named
        elif line.startswith("port hybrid untagged vlan "):
            bare |= named
        elif line.startswith("port trunk allow-pass vlan "):
            passed |= named if named else set(range(1, 4095))  # "all"
        elif line.startswith("undo port trunk allow-pass vlan "):
            passed -= named
        elif line.startswith("undo port hybrid vlan "):
            bare -= named
    if kind == "access":
        return pvid, frozenset({pvid}), frozenset()
    if kind == "trunk":
        return pvid, frozenset(passed & {pvid}), frozenset(passed - {pvid})
    return pvid, frozenset(bare), frozenset(tagged)


def link(view: str, now: Interface, carried: Carried, platform: str) -> Iterator[Edit]:
    """From the VLANs that a port has to those it is to have; nothing, if they work the same."""
    if carries(now, platform) == (carried.untagged, frozenset({carried.untagged}), carried.tagged):
        return
    yield from bare(view, now)
    for line in _link_lines(carried):
        yield Edit(view, line, inverse(line) or "")


def bare(view: str, now: Interface) -> Iterator[Edit]:
    """Takes a port's VLANs away, as an Eth-Trunk wants its members."""
    for line in reversed(vlan_lines(now)):
        yield Edit(view, inverse(line) or "", line)


def vlan_lines(now: Interface) -> tuple[str, ...]:
    return tuple(line for line in now.lines if line.removeprefix("undo ").startswith("port "))


def _link_lines(carried: Carried) -> list[str]:
    own = carried.untagged
    if not carried.tagged:
        return ["port link-type access", *([f"port default vlan {own}"] if own != 1 else [])]
    found = ["port link-type trunk"]
    if own != 1:
        found.append(f"port trunk pvid vlan {own}")
    passed = sorted({own, *carried.tagged} - {1})
    found += ["undo port trunk allow-pass vlan 1"] if own != 1 and 1 not in carried.tagged else []
    return [*found, f"port trunk allow-pass vlan {' '.join(map(str, passed))}"]


def inverse(line: str) -> str | None:
    """The line that takes a ``port …`` line back; None: not known here."""
    for start, back in (
        ("port link-type ", "undo port link-type"),
        ("port default vlan ", "undo port default vlan"),
        ("port trunk pvid vlan ", "undo port trunk pvid vlan"),
        ("port hybrid pvid vlan ", "undo port hybrid pvid vlan"),
    ):
        if line.startswith(start):
            return back
    for start in ("port trunk allow-pass vlan ", "undo port trunk allow-pass vlan "):
        if line.startswith(start):
            return line.removeprefix("undo ") if line.startswith("undo ") else f"undo {line}"
    for start in ("port hybrid tagged vlan ", "port hybrid untagged vlan "):
        if line.startswith(start):
            return f"undo port hybrid vlan {line.removeprefix(start)}"
    return "port hybrid untagged vlan 1" if line == "undo port hybrid vlan 1" else None
