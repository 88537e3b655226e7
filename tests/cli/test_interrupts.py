"""Ctrl-C at odd moments: before the command starts, and while its run is recorded."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

PYTHON = sys.executable


@pytest.fixture
def stalling(repository: Path, tmp_path: Path) -> Callable[[str], subprocess.Popen[str]]:
    """Start a run under a git that, at the first call that holds a word, says so and waits for `go`."""

    def start(word: str) -> subprocess.Popen[str]:
        (tmp_path / "bin").mkdir()
        script = tmp_path / "bin" / "git"
        script.write_text(
            f'#!/bin/sh\ncase "$*" in *"{word}"*) : > {tmp_path}/stalled; while [ ! -e {tmp_path}/go ]; do sleep 0.02; done;; esac\n'
            f'exec {shutil.which("git")} "$@"\n'
        )
        script.chmod(0o755)
        environ = {**os.environ, "PATH": f"{tmp_path / 'bin'}{os.pathsep}{os.environ['PATH']}"}
        child = subprocess.Popen(
            [PYTHON, "-m", "exptrack", "run", "--name", "one", "--", PYTHON, "-c", "open('started', 'w')"],
            cwd=repository, env=environ, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True,
        )  # fmt: skip
        while not (tmp_path / "stalled").exists():
            assert child.poll() is None
            time.sleep(0.01)
        return child

    return start


@pytest.mark.parametrize("word", ["--batch-check", "--exclude-standard", "commit-tree", "refs/exptrack/active"])
def test_before_the_command_starts_nothing_is_left_and_the_users_edits_stay(
    stalling, repository, look, git, tmp_path, word
):
    (repository / "train.py").write_text("print('my edit')\n")
    before = git("--no-optional-locks", "status", "--porcelain", cwd=repository)
    child = stalling(word)
    child.send_signal(signal.SIGINT)
    (tmp_path / "go").touch()
    _, err = child.communicate(timeout=60)
    assert (child.returncode, err) == (130, "exptrack: interrupted\n")
    assert not (repository / "started").exists()
    assert (repository / "train.py").read_text() == "print('my edit')\n"
    assert git("--no-optional-locks", "status", "--porcelain", cwd=repository) == before
    assert git("stash", "list", cwd=repository) == ""
    assert look.refs("refs/exptrack") == []
    assert not list((repository / ".git" / "exptrack" / "active").glob("*"))


def test_while_the_run_is_recorded_the_first_is_answered_and_the_run_recorded(stalling, look, tmp_path):
    child = stalling("fast-import")
    child.send_signal(signal.SIGINT)
    assert child.stderr is not None
    assert child.stderr.readline().startswith("exptrack: the command has ended and is being recorded; Ctrl-C once more")
    (tmp_path / "go").touch()
    child.communicate(timeout=60)
    assert child.returncode == 0
    assert look.record("one")["status"] == "completed"


def test_while_the_run_is_recorded_the_second_leaves_it_to_recover(stalling, exptrack, look, tmp_path):
    child = stalling("fast-import")
    child.send_signal(signal.SIGINT)
    assert child.stderr is not None
    child.stderr.readline()
    child.send_signal(signal.SIGINT)
    (tmp_path / "go").touch()
    _, err = child.communicate(timeout=60)
    assert child.returncode == 130
    assert err == "exptrack: all of the run is kept for `exptrack recover`\nexptrack: interrupted\n"
    assert exptrack("recover").stdout == "recovered one (completed)\n"
    assert look.record("one")["status"] == "completed"
