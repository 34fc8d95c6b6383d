"""Every module of facts/ can be imported in plain Python, without doing anything (rule 5)."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[3]

# In an interpreter of its own: audit hooks can't be taken away again, and pytest has imported
# half of the world. pyinfra itself may do as it likes; it is loaded before.
WATCHED = """
import pathlib, sys, pyinfra.api.facts, yaml, cryptography.x509
deeds = []
def watch(event, args):
    if event in {"subprocess.Popen", "os.system", "os.fork", "socket.connect", "os.remove",
                 "os.mkdir", "os.rename", "os.putenv"}:
        deeds.append((event, args))
    if event == "open" and isinstance(args[1], str) and set(args[1]) & set("wax+"):
        deeds.append((event, args))
sys.addaudithook(watch)
names = sorted(path.stem for path in pathlib.Path("facts").glob("*.py"))
for name in names:
    __import__(f"facts.{name}")
assert not deeds, deeds
print(len(names))
"""


def test_every_module_imports_without_side_effects() -> None:
    done = subprocess.run(
        [sys.executable, "-B", "-W", "error", "-c", WATCHED],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) == len(list((ROOT / "facts").glob("*.py")))
