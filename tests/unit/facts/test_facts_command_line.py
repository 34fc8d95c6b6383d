"""The facts through pyinfra's own command line, on this machine: they load, run and print JSON."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[3]
NAMES = ("links.Links", "routes.Routes", "bonds.Bonds", "certificates.Certificates", "nodes.Nodes",
         "etcd.Etcd", "kubelet.Kubelet", "time_sync.Clock")  # fmt: skip


def test_facts_print_json_on_any_machine(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "pyinfra", "--chdir", str(ROOT), "--json", "@local", "fact",
         *(f"facts.{name}" for name in NAMES)],
        cwd=ROOT,
        env={**os.environ, "PYINFRA_PROGRESS": "off", "HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    printed = json.loads(done.stdout)
    assert set(printed) == {f"facts.{name}" for name in NAMES}
    loopback = printed["facts.links.Links"]["@local"]["links"][0]
    assert (loopback["name"], loopback["addresses"][0]["local"]) == ("lo", "127.0.0.1")
    assert all(set(values) == {"@local"} for values in printed.values())
