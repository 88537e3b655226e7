"""The examples that every help page ends with."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys

import pytest

from exptrack.cli import COMMANDS, parse
from exptrack.cli.examples import EXAMPLES

LINES = [line for lines in EXAMPLES.values() for line in lines]
# These record, need a dead run, a remote or DVC, an experiment, or are long: their own tests run them.
_UNTRIED = (
    "init", "run", "recover", "reproduce", "apply", "branch", "push", "fetch", "pull", "rm", "gc", "demo", "experiments", "plot", "compare",
    "select", "unseal", "conclude",
)  # fmt: skip
ONLY_PARSED = tuple(f"exptrack {one}" for one in _UNTRIED)


def test_every_command_has_examples():
    assert list(EXAMPLES) == list(COMMANDS)
    for command, lines in EXAMPLES.items():
        assert lines
        for line in lines:
            assert line.startswith(f"exptrack {command}")


@pytest.mark.parametrize("line", LINES)
def test_an_example_parses(line):
    words = shlex.split(line)
    words = words[: words.index(">")] if ">" in words else words
    parse(words[1], words[2:])


def test_a_help_page_ends_with_examples(exptrack):
    done = exptrack("tag", "--help")
    assert done.stdout.endswith("\n\nexamples:\n  exptrack tag best @\n  exptrack tag --delete best brave-otter\n")


def test_a_help_page_is_at_most_80_columns_wide():
    for line in LINES:
        assert len(f"  {line}") <= 80


@pytest.fixture
def world(exptrack, repository, git, tmp_path, sealed_world, monkeypatch):
    """Runs such as the examples speak of, and `exptrack` on the path."""
    assert exptrack("run", "--", "false").returncode == 1
    git("switch", "--quiet", "--create", "faster", cwd=repository)
    (repository / "params.yaml").write_text("lr: 0.05\n")
    git("commit", "--quiet", "--all", "-m", "faster", cwd=repository)
    assert exptrack("run", "--name", "calm-fox", "--", sys.executable, "train.py").returncode == 0
    assert exptrack("run", "--name", "brave-otter-k3f9", "-t", "best", "--", sys.executable, "train.py").returncode == 0
    scripts = tmp_path / "scripts"
    scripts.mkdir()
    (scripts / "exptrack").write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} -m exptrack "$@"\n')
    (scripts / "exptrack").chmod(0o755)
    (sealed_world / ".local/share/bash-completion/completions").mkdir(parents=True)
    monkeypatch.setenv("PATH", f"{scripts}{os.pathsep}{os.environ['PATH']}")
    return repository


@pytest.mark.parametrize("line", [line for line in LINES if not line.startswith(ONLY_PARSED)])
def test_an_example_works(world, line):
    done = subprocess.run(["bash", "-c", line], cwd=world, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    # Only where the answer goes to a file, or something is executed that takes its time, is there anything else to say.
    assert done.stderr == "" or " -o " in line or done.stderr == "exptrack: executing brave-otter-k3f9\n"
