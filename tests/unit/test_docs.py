"""The pages tell the truth: commands, links, paths, settings and packages exist."""

from __future__ import annotations

import ast
import importlib
import importlib.util
import re
import shlex
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from homelab.lab.__main__ import parser as lab_parser
from homelab.lab.debian import NEEDED
from homelab.lab.paths import REPO
from homelab.lab.vms import lifecycle as vms
from homelab.site import model
from homelab.site.declared import Declared, fields
from tests.unit.docs_pages import CODE, PAGES, fences, inline, prose

# What a setting of a site is called on a page, and the class that has it.
SETTINGS: dict[str, type[Declared]] = {
    "site": model.Site, "machines": model.Machine, "network": model.Network, "api": model.Api,
    "timings": model.Timings, "kubernetes": model.Kubernetes, "ingress": model.Ingress,
    "artefacts": model.Artefacts, "switch": model.Switch,
}  # fmt: skip
CLASSES = {c.__name__: c for c in (*SETTINGS.values(), model.Bond, model.Nic)}
KEYS = {name for declared in CLASSES.values() for name in fields(declared)}
PLACEHOLDERS = {"INVENTORY", "NAME"}


def commands() -> Iterator[tuple[str, list[str]]]:
    """Page and words of every command that is ours to check."""
    start = re.compile(r"(?:^|\bdo )((?:\./nox|pyinfra|python3? -m)(?: .*)?)$")
    for page in PAGES:
        shown = [f.text.replace("\\\n", " ") for f in fences(page) if "message" not in f.info]
        lines = [line.strip() for text in shown for line in text.splitlines()]
        for line in [*lines, *(code for code in inline(page) if " " in code)]:
            if found := start.search(re.sub(r"; done$", "", line)):
                yield page.name, shlex.split(found[1], comments=True)


@pytest.mark.parametrize(
    "words",
    [pytest.param(words, id=f"{page}: {' '.join(words)[:60]}") for page, words in commands()],
)
def test_a_command_exists(words: list[str]) -> None:
    check(words)


def check(words: list[str]) -> None:
    program, arguments = Path(words[0]).name, words[1:]
    if program == "nox":
        check_nox(arguments)
    elif program == "pyinfra":
        check_pyinfra(arguments)
    elif program.startswith("python"):
        assert importlib.util.find_spec(arguments[1]), f"no module {arguments[1]}"


def check_nox(arguments: list[str]) -> None:
    if not arguments:
        return
    flag, session, *rest = arguments
    assert flag == "-s"
    assert session in sessions(), f"no session {session}"
    assert not rest or rest[0] == "--"
    given = rest[1:]
    if session == "lab":
        chosen = lab_parser().parse_args(given)
        if chosen.command == "run":
            check([word for word in chosen.words if word != "--"])
    elif session in ("check", "bundle", "network", "switch", "router"):
        check_files([given[0]])
        programs = {"switch": "switch/__main__.py", "router": "router.py"}
        program = programs.get(session, "artefacts/__main__.py")
        known = added_arguments(REPO / "homelab" / program)
        assert {word for word in given if word.startswith("-")} <= known
    elif session == "bench":
        importlib.import_module("bench.__main__").parser().parse_args(given)
    elif session == "e2e":
        sources = ("tests/e2e/conftest.py", "tests/e2e/support/options.py")
        known = {"-k"}.union(*(added_arguments(REPO / source) for source in sources))
        assert {word for word in given if word.startswith("-")} <= known


def check_pyinfra(arguments: list[str]) -> None:
    options = [word for word in arguments if word.startswith("-")]
    assert {*options} <= pyinfra_options()
    data = [arguments[at + 1] for at, word in enumerate(arguments) if word == "--data"]
    source = "".join(path.read_text() for path in (REPO / "deploys").rglob("*.py"))
    for key in (item.partition("=")[0] for item in data):
        assert re.search(rf'host\.data(\.{key}\b|\.get\("{key}"\))', source), f"no --data {key}"
    check_files([w for w in arguments if not w.startswith("-") and w not in data])


def check_files(names: list[str]) -> None:
    for name in names:
        assert name in PLACEHOLDERS or (REPO / name).exists(), f"no file {name}"


@cache
def sessions() -> set[str]:
    """Functions of noxfile.py that are decorated as sessions."""
    tree = ast.parse((REPO / "noxfile.py").read_text())
    functions = [node for node in tree.body if isinstance(node, ast.FunctionDef)]
    return {f.name for f in functions if "nox.session" in map_source(f.decorator_list)}


def map_source(nodes: list[ast.expr]) -> str:
    return " ".join(ast.unparse(node) for node in nodes)


@cache
def added_arguments(file: Path) -> set[str]:
    """Options that a file gives to an argument parser, or to pytest's."""
    return set(re.findall(r'(?:add_argument|addoption)\(\s*"(--[a-z-]+)"', file.read_text()))


@cache
def pyinfra_options() -> set[str]:
    """Read, not asked: importing pyinfra's command line patches the whole process for gevent."""
    spec = importlib.util.find_spec("pyinfra_cli")
    assert spec
    assert spec.origin
    return set(re.findall(r'"(--?[a-z-]+)"', Path(spec.origin).with_name("cli.py").read_text()))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)\s]+)\)", prose(page)):
        if re.match(r"https?://", target):
            continue
        path, _, anchor = target.partition("#")
        file = (page.parent / path).resolve() if path else page
        assert file.exists(), target
        assert not anchor or anchor in anchors(file), target


@cache
def anchors(page: Path) -> set[str]:
    """As GitHub makes them of headings."""
    titles = re.findall(r"^#+ (.+)$", prose(page), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).strip().replace(" ", "-") for title in titles}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_paths_exist(page: Path) -> None:
    tops = (*CODE, "tests", "docs", ".ci")
    for code in inline(page):
        if re.fullmatch(rf"(?:{'|'.join(tops)})/[\w./-]+", code) and "results" not in code:
            assert (REPO / code).exists(), code


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_settings_exist(page: Path) -> None:
    for code in inline(page):
        if found := re.match(rf"({'|'.join(SETTINGS)})\.([a-z]\w*)", code):
            assert found[2] in fields(SETTINGS[found[1]]), code
        assert not (strange := {*unknown_keys(f"Any({code})")}), strange
    for fence in fences(page):
        if fence.info == "python":
            assert not (strange := {*unknown_keys(fence.text)}), strange


def unknown_keys(code: str) -> Iterator[str]:
    """Keywords of the site's classes that they do not have; nothing, if it is no Python."""
    try:
        tree = ast.parse(code)
    except SyntaxError:
        return
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            known = KEYS if node.func.id == "Any" else {*fields(CLASSES[node.func.id])}
            yield from ({k.arg for k in node.keywords if k.arg} - known - {"machine", "cluster"})


def test_the_table_of_timings_has_them_all_with_their_defaults() -> None:
    rows = re.findall(
        r"^\| `timings\.(\w+)` \| (\d+) \|", (REPO / "docs/design.md").read_text(), re.M
    )
    assert {name: int(value) for name, value in rows} == {
        name: getattr(model.Timings(), name) for name in fields(model.Timings)
    }


def test_the_packages_are_those_that_are_installed() -> None:
    listed = {f.info: {*f.text.split()} for f in fences(REPO / "README.md") if "packages" in f.info}
    noxfile = ast.parse((REPO / "noxfile.py").read_text())
    (checkers,) = (
        node.value for node in noxfile.body
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "CHECKERS"
    )  # fmt: skip
    strings = {node.value for node in ast.walk(checkers) if isinstance(node, ast.Constant)}
    assert listed == {
        "packages lab": {*NEEDED},
        "packages vms": {*vms.NEEDED},
        "packages tests": strings,
    }
