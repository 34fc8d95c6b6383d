"""Where apt gets packages from, in both of its spellings (sources.list(5))."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from facts.record import Record

# A CD's name has spaces: cdrom:[Debian GNU/Linux 12.5.0 _Bookworm_]/
_LINE = re.compile(r"(deb|deb-src)\s+(?:\[([^\]]*)\]\s*)?((?:\[[^\]]*\]|[^\s\[])+)\s+(.+)")
_INLINE = "a key in the file itself"


@dataclass(frozen=True)
class Source(Record):
    """An enabled source. ``signed_by`` is empty where any key that apt trusts will do."""

    path: str
    types: tuple[str, ...]  # "deb", "deb-src"
    uris: tuple[str, ...]
    suites: tuple[str, ...]
    components: tuple[str, ...]
    signed_by: str
    trusted: bool  # taken also without a signature


def sources(path: str, lines: Sequence[str]) -> Iterator[Source]:
    """The sources of one file; ValueError on a line with which apt would do nothing at all."""
    if path.endswith(".sources"):
        for stanza in _stanzas(lines):
            if stanza.get("enabled", "yes").lower() not in ("no", "false", "0", "off", "disable"):
                yield _source(path, stanza)
        return
    for line in lines:
        text = line.partition("#")[0].strip()
        if not text:
            continue
        found = _LINE.fullmatch(text)
        if not found:
            raise ValueError("a line is no source")
        words = found[4].split()
        options = {
            name.lower(): value
            for name, _, value in (option.partition("=") for option in (found[2] or "").split())
        }
        yield Source(
            path=path,
            types=(found[1],),
            uris=(found[3],),
            suites=(words[0],),
            components=tuple(words[1:]),
            signed_by=options.get("signed-by", ""),
            trusted=_unsigned(options),
        )


def through(source: Source, mirrors: dict[str, Sequence[str]]) -> Source:
    """With the hosts of a list of mirrors in place of the list (apt-transport-mirror(1))."""
    uris: list[str] = []
    for uri in source.uris:
        listed = mirrors.get(re.sub(r"^mirror\+file:/+", "/", uri), ())
        found = [line.split()[0] for line in listed if line.strip()]
        uris += found or [uri]
    return replace(source, uris=tuple(uris))


def _stanzas(lines: Sequence[str]) -> Iterator[dict[str, str]]:
    stanza: dict[str, str] = {}
    name = ""
    for line in [*lines, ""]:
        if not line.strip():
            if stanza:
                yield stanza
            stanza, name = {}, ""
        elif line[0] in " \t":
            if not name:
                raise ValueError("a line belongs to no field")
            stanza[name] += " " + line.strip()
        else:
            name, colon, value = line.partition(":")
            if not colon:
                raise ValueError("a line is no field")
            name = name.strip().lower()
            stanza[name] = value.strip()


def _source(path: str, stanza: dict[str, str]) -> Source:
    types, uris, suites = (tuple(stanza.get(k, "").split()) for k in ("types", "uris", "suites"))
    if not (types and uris and suites):
        raise ValueError("a source lacks its types, its URIs or its suites")
    signed = stanza.get("signed-by", "")
    return Source(
        path=path,
        types=types,
        uris=uris,
        suites=suites,
        components=tuple(stanza.get("components", "").split()),
        signed_by=_INLINE if "BEGIN PGP" in signed else signed,
        trusted=_unsigned(stanza),
    )


def _unsigned(options: dict[str, str]) -> bool:
    yes = ("yes", "true", "with", "on", "enable", "1")  # apt's StringToBool
    return any(options.get(name, "").lower() in yes for name in ("trusted", "allow-insecure"))
