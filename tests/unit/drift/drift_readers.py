"""Readers of the forms, as strict as what reads them in earnest."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

from markdown_it import MarkdownIt  # comes with rich
from markdown_it.token import Token

from homelab.drift.forms import json_form, markdown, prometheus
from homelab.drift.report import Report

SCHEMA = json.loads(Path(json_form.__file__).with_name("drift.schema.json").read_text())
DEFINED = SCHEMA["$defs"]
READER = MarkdownIt("commonmark").enable("table")
LABEL = r'[a-z_]+="(?:[^"\\\n]|\\[\\"n])*"'
SAMPLE = re.compile(rf"(homelab_drift_\w+)(?:\{{({LABEL}(?:,{LABEL})*)\}})? (\S+)")
VOID = {"meta"}
ANNOTATIONS = {"$schema", "$defs", "title", "description"}
TYPES: dict[str, Callable[[Any], bool]] = {
    "object": lambda value: isinstance(value, dict),
    "array": lambda value: isinstance(value, list),
    "string": lambda value: isinstance(value, str),
    "boolean": lambda value: isinstance(value, bool),
    "number": lambda value: isinstance(value, int | float) and not isinstance(value, bool),
    "null": lambda value: value is None,
}


def fits(value: Any, schema: Mapping[str, Any]) -> bool:
    """If ``value`` is as JSON Schema 2020-12 has it; KeyError: a keyword that nobody checks.

    As much of it as our schema uses: the project has no validator among its dependencies.
    """
    return all(CHECKS[word](value, schema) for word in schema.keys() - ANNOTATIONS)


def one_of(value: Any, given: Iterable[Any]) -> bool:
    return any(type(value) is type(one) and value == one for one in given)


# Each takes the value and the schema with the keyword; a keyword of another type does not apply.
CHECKS: dict[str, Callable[[Any, Mapping[str, Any]], bool]] = {
    "$ref": lambda value, of: fits(value, DEFINED[of["$ref"].removeprefix("#/$defs/")]),
    "anyOf": lambda value, of: any(fits(value, one) for one in of["anyOf"]),
    "type": lambda value, of: any(
        TYPES[name](value) for name in ([of["type"]] if isinstance(of["type"], str) else of["type"])
    ),
    "const": lambda value, of: one_of(value, [of["const"]]),
    "enum": lambda value, of: one_of(value, of["enum"]),
    "pattern": lambda value, of: (
        not isinstance(value, str) or bool(re.search(of["pattern"], value))
    ),
    "minimum": lambda value, of: not TYPES["number"](value) or value >= of["minimum"],
    "required": lambda value, of: not isinstance(value, dict) or set(of["required"]) <= set(value),
    "properties": lambda value, of: (
        not isinstance(value, dict)
        or all(fits(value[name], one) for name, one in of["properties"].items() if name in value)
    ),
    "additionalProperties": lambda value, of: (
        of["additionalProperties"]
        or not isinstance(value, dict)
        or value.keys() <= of["properties"].keys()
    ),
    "items": lambda value, of: (
        not isinstance(value, list) or all(fits(one, of["items"]) for one in value)
    ),
}


@dataclass
class Page(HTMLParser):
    """What a reader of HTML sees: tags with their attributes, and texts below each tag."""

    text: str
    tags: list[tuple[str, dict[str, str | None]]] = field(default_factory=list)
    texts: list[tuple[str, str]] = field(default_factory=list)
    open: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__()
        self.feed(self.text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.texts.append((self.open[-1] if self.open else "", data))

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.tags if name == tag]

    def text_of(self, tag: str) -> list[str]:
        return [text for name, text in self.texts if name == tag]


def samples(report: Report) -> dict[str, float]:
    """By name and labels; each line is a sample, or HELP or TYPE of what follows."""
    text = prometheus.render(report)
    assert text.endswith("\n")
    found, typed = {}, ""
    for line in text.removesuffix("\n").split("\n"):
        if line.startswith("# "):
            _, word, typed, rest = line.split(" ", 3)
            assert word == "HELP" or (word, rest) == ("TYPE", "gauge")
            continue
        match = SAMPLE.fullmatch(line)
        assert match, line
        assert match[1] == typed
        found[line.rpartition(" ")[0]] = float(match[3])
    return found


def tokens(report: Report) -> list[Token]:
    """All of them, those of each line among the others."""
    blocks = READER.parse(markdown.render(report))
    return [token for block in blocks for token in (block, *(block.children or ()))]


def kinds(report: Report) -> list[str]:
    return [token.type for token in tokens(report)]
