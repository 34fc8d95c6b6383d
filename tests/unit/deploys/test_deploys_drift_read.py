"""The second look at files that differ, asked of a real shell."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from deploys.drift.read import texts, texts_script, worth_a_diff
from facts.layer import FileState, LayerState
from homelab.documents.document import Document, Layer
from homelab.drift.view import Facts, Told
from tests.unit.documents.document_sites import lab


def test_each_file_has_its_own_text_also_an_empty_one(tmp_path: Path) -> None:
    """An empty file first: its line must not be taken for the next file's."""
    named = {"empty": "", "it's": "one\ntwo\n", "no-end": "x", "odd": "= =\n"}
    for name, text in named.items():
        (tmp_path / name).write_text(text)
    paths = [str(tmp_path / name) for name in (*named, "gone")]
    done = subprocess.run(
        ["sh"], input=texts_script(paths), capture_output=True, text=True, check=True
    )
    assert texts(paths, done.stdout.splitlines()) == dict(
        zip(paths, (*named.values(), ""), strict=True)
    )


def test_an_answer_that_breaks_off_is_refused() -> None:
    with pytest.raises(ValueError, match="shorter"):
        texts(["/etc/hosts", "/etc/hostname"], ["= eA=="])


def test_no_text_of_what_others_may_not_read_is_asked_for() -> None:
    public, private = Document("/public", "x"), Document("/private", "x", mode=0o600)
    secret, same = Document("/secret", "x", secret=True), Document("/same", "x")
    documents = (public, private, secret, same, Document("/missing", "x"))
    files = {d.path: FileState("0" * 64, d.mode, "root", "root") for d in documents[:4]}
    files["/same"] = FileState(same.sha256, same.mode, "root", "root")
    facts = Facts(layers={"app": LayerState(files=files)})
    told = Told(
        lab().machines[0], facts, layers=(Layer("app", documents), Layer("other", (public,)))
    )
    assert worth_a_diff(told) == ["/public"]
