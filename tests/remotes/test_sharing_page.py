"""docs/sharing.md is run from its first line to its last."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path

from pages import Shell, is_shown

PAGE = Path(__file__).parents[2] / "docs" / "sharing.md"


def make_shell(tmp_path: Path) -> Shell:
    shell = Shell(tmp_path, tmp_path / "scripts")
    dvc = shell.scripts / "bin" / "dvc"
    dvc.write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} -m dvc "$@"\n')
    dvc.chmod(0o755)
    return shell


def test_the_page_shows_what_happens(tmp_path):
    steps = 0
    for step, came in make_shell(tmp_path).play(PAGE):
        assert is_shown(step.shown, came), f"$ {step.command}\n" + "\n".join(came)
        steps += 1
    assert steps >= 15


def test_it_is_short():
    assert len(PAGE.read_text(encoding="utf-8").splitlines()) <= 300
