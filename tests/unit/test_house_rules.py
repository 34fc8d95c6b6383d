"""Rules of the house that a machine can hold; numbers are of ../shared/reference/pyinfra.md.

What only a plan shows (steps that pyinfra merges, their order, secrets) is in ``tests/plan/``; the
rules for facts are in ``tests/unit/facts/test_facts_rules.py``.
"""

from __future__ import annotations

import ast
import importlib
import inspect
import runpy
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from types import ModuleType

import pytest
from pyinfra.api.arguments import all_global_arguments
from pyinfra.api.config import Config
from pyinfra.context import ctx_config

REPO = Path(__file__).resolve().parents[2]
LAYERS = ("homelab", "facts", "operations", "deploys")
FOLDERS = (*LAYERS, "inventories", "tests", "bench")
LINES = 300

# What a layer may not know of. Type annotations may name what a layer above defines.
FORBIDDEN = {
    "homelab": {"pyinfra", "kubernetes", "vagrant", "facts", "operations", "deploys"},
    "facts": {"operations", "deploys"},
    "operations": {"deploys"},
    "deploys": set[str](),
}
NOWHERE = {"inventories", "tests", "bench"}  # imported by none of them


def files(*folders: str) -> list[Path]:
    return sorted(file for folder in folders for file in (REPO / folder).rglob("*.py"))


def module(file: Path) -> str:
    return ".".join(file.relative_to(REPO).with_suffix("").parts).removesuffix(".__init__")


def shown(file: Path) -> str:
    return str(file.relative_to(REPO))


CODE = [file for file in files(*LAYERS) if file.name != "__main__.py"]
every_layer_file = pytest.mark.parametrize("file", CODE, ids=shown)


@cache
def tree(file: Path) -> ast.Module:
    return ast.parse(file.read_text(encoding="utf-8"))


def imports(node: ast.AST) -> Iterator[str]:
    """Full names of what is imported at run time, in functions as well."""
    if isinstance(node, ast.If) and ast.unparse(node.test) in ("TYPE_CHECKING",):
        return
    if isinstance(node, ast.Import):
        yield from (alias.name for alias in node.names)
    elif isinstance(node, ast.ImportFrom):
        assert node.level == 0, "relative imports fail in files that pyinfra executes"
        yield from (f"{node.module}.{alias.name}" for alias in node.names)
    for child in ast.iter_child_nodes(node):
        yield from imports(child)


@every_layer_file
def test_a_layer_imports_only_downward(file: Path) -> None:
    tops = {name.partition(".")[0] for name in imports(tree(file))}
    assert tops & (FORBIDDEN[file.relative_to(REPO).parts[0]] | NOWHERE) == set()


def test_the_site_knows_nothing_of_what_is_derived_from_it() -> None:
    found = {name for file in files("homelab/site") for name in imports(tree(file))}
    ours = {".".join(name.split(".")[:2]) for name in found if name.startswith("homelab.")}
    assert ours <= {"homelab.site", "homelab.versions", "homelab.artefacts"}


@pytest.mark.parametrize("file", files(*FOLDERS), ids=shown)
def test_a_file_is_short_and_says_what_it_is(file: Path) -> None:
    text = file.read_text(encoding="utf-8")
    assert text.count("\n") <= LINES
    assert not text.strip() or ast.get_docstring(tree(file))


def test_every_module_imports_in_plain_python() -> None:
    """None touches ``host``, ``inventory`` or ``state`` when it is imported: it would keep the
    first host's value for all (pyinfra.md, A.8), and here there is none."""
    names = [module(file) for file in CODE]
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c",
         "import importlib, sys\nfor name in sys.argv[1:]: importlib.import_module(name)", *names],
        cwd=REPO, capture_output=True, text=True, timeout=120,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert done.stdout == ""


@pytest.mark.parametrize("name", ["cluster", "reset"])
def test_an_entry_file_runs_only_under_pyinfra(name: str) -> None:
    last = tree(REPO / f"deploys/{name}.py").body[-1]
    assert ast.unparse(last) == "if pyinfra.is_cli:\n    main()"


def operations() -> dict[str, ModuleType]:
    return {f"operations.{f.stem}": importlib.import_module(f"operations.{f.stem}")
            for f in files("operations")}  # fmt: skip


def is_operation(value: object) -> bool:
    return callable(value) and hasattr(value, "is_idempotent")


EVERY_OPERATION = [
    pytest.param(function, id=f"{name}.{attribute}")
    for name, found in operations().items()
    for attribute, function in vars(found).items()
    if is_operation(function) and function.__module__ == name
]


def test_there_are_operations() -> None:
    assert len(EVERY_OPERATION) > 15


@pytest.mark.parametrize("operation", EVERY_OPERATION)
def test_no_parameter_is_named_as_one_of_pyinfras_own(operation: object) -> None:
    """pyinfra would take it for itself: ``name`` and all that begins with an underscore."""
    assert callable(operation)
    parameters = set(inspect.signature(inspect.unwrap(operation)).parameters)
    assert parameters & {name for name, _ in all_global_arguments()} == set()
    assert [name for name in parameters if name.startswith("_")] == []


@pytest.mark.parametrize("operation", EVERY_OPERATION)
def test_an_operation_says_what_it_does(operation: object) -> None:
    assert inspect.getdoc(operation)


def operation_calls(file: Path) -> Iterator[ast.Call]:
    """Calls of operations in a deploy, as ``module.operation(...)``."""
    known = {alias.asname or alias.name: f"{node.module}.{alias.name}"
             for node in ast.walk(tree(file)) if isinstance(node, ast.ImportFrom)
             for alias in node.names}  # fmt: skip
    for node in ast.walk(tree(file)):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            where = known.get(ast.unparse(node.func.value), "")
            if where.startswith(("operations.", "pyinfra.operations.")):
                found = importlib.import_module(where)
                if is_operation(getattr(found, node.func.attr)):
                    yield node


DEPLOYS = pytest.mark.parametrize("file", files("deploys"), ids=shown)


@DEPLOYS
def test_every_operation_is_called_by_name(file: Path) -> None:
    """Without ``name=`` pyinfra prints the arguments, and a plan can't be read."""
    unnamed = [
        ast.unparse(call)
        for call in operation_calls(file)
        if "name" not in {keyword.arg for keyword in call.keywords}
    ]
    assert unnamed == []


@DEPLOYS
def test_no_lambda_calls_an_operation(file: Path) -> None:
    """pyinfra tells steps apart by line numbers: each is called on a line of its own."""
    calls = list(operation_calls(file))
    inside = [node for item in ast.walk(tree(file)) if isinstance(item, ast.Lambda)
              for node in ast.walk(item)]  # fmt: skip
    assert [ast.unparse(call) for call in calls if call in inside] == []
    lines = [call.lineno for call in calls]
    assert sorted(set(lines)) == sorted(lines)


def test_the_calls_of_operations_are_found() -> None:
    assert sum(len(list(operation_calls(file))) for file in files("deploys")) > 30


@pytest.mark.parametrize(("deploy", "percent"), [("cluster", 0), ("reset", 100)])
def test_a_machine_that_fails_stops_the_run(
    deploy: str, percent: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """But a machine may be taken out of the cluster because it is dead.

    As pyinfra's command line runs config.py: in a context of its own.
    """
    monkeypatch.setattr(sys, "argv", ["pyinfra", f"deploys/{deploy}.py"])
    monkeypatch.setattr(sys, "path", sys.path[:])
    settings = Config()
    with ctx_config.use(settings):
        runpy.run_path(str(REPO / "config.py"))
    assert percent == settings.FAIL_PERCENT
    assert settings.REQUIRE_PYINFRA_VERSION == ">=3.10,<4"
    assert str(REPO) in sys.path


def test_no_flag_is_used_that_hides_a_failure() -> None:
    """``--no-wait`` exits 0 when a host failed, ``--serial`` goes in random order (0.1, 0.2)."""
    flags = ("--no-" + "wait", "--ser" + "ial")
    texts = [*files(*FOLDERS), REPO / "noxfile.py", REPO / "config.py", REPO / ".ci/run"]
    texts += [REPO / "README.md", *(REPO / "docs").rglob("*.md")]
    used = [shown(f) for f in texts if f.exists() and any(flag in f.read_text() for flag in flags)]
    of_another_program = "homelab/lab/vms/switch.py"  # ovs-vsctl, while nothing forwards yet
    assert set(used) <= {"tests/unit/test_house_rules.py", of_another_program}


def test_no_machine_is_rebooted_without_the_wrapper_that_knows_kubelet() -> None:
    """``server.reboot`` gives up on a machine whose kubelet holds the shutdown (0.10)."""
    used = [shown(file) for file in CODE if "server.reboot" in file.read_text()]
    assert used == []
