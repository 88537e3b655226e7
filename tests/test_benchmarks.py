"""The benchmarks run, say what they measured, and leave nothing behind."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parent.parent / "benchmarks" / "run.py"


@pytest.fixture
def benchmark(tmp_path):
    """Run the script with small sizes; `tmp_path/t` is where it may put temporary files."""
    (tmp_path / "t").mkdir()

    def call(*options, cwd=tmp_path):
        return subprocess.run(
            [sys.executable, SCRIPT, "-n", "1", "--files", "30", "--skip", "dvc", "--skip", "script", *map(str, options)],
            capture_output=True, text=True, cwd=cwd, check=False, env={**os.environ, "TMPDIR": str(tmp_path / "t")},
        )  # fmt: skip

    return call


def test_each_command_has_a_row_with_its_times_and_target(benchmark, tmp_path):
    done = benchmark("--json", tmp_path / "times.json", "--check")
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    written = json.loads((tmp_path / "times.json").read_text())
    assert [(row["group"], row["command"], row["target"]) for row in written["rows"]] == [
        ("start-up", "python -c pass", None),
        ("start-up", "import exptrack", "added <= 30 ms"),
        ("start-up", "exptrack --version", None),
        ("start-up", "exptrack ls (10 runs)", None),
        ("20 files", "true", None),
        ("20 files", "exptrack run, cold", "added <= 150 ms"),
        ("20 files", "exptrack run, warm", "added <= 150 ms"),
        ("30 files", "true", None),
        ("30 files", "exptrack run, cold", "added <= 300 ms"),
        ("30 files", "exptrack run, warm", "added <= 300 ms"),
        ("30, 30 changed, 200 new", "true", None),
        ("30, 30 changed, 200 new", "exptrack run, cold", "added <= 300 ms"),
        ("30, 30 changed, 200 new", "exptrack run, warm", "added <= 300 ms"),
    ]
    for row in written["rows"]:
        assert len(row["seconds"]) == len(row["cpu"]) == 1
        assert row["median"] == row["seconds"][0] > 0
        assert (row["met"] is None) == (row["target"] is None)
    _, _, head, *lines = done.stdout.splitlines()
    assert head.split() == ["group", "command", "min", "median", "max", "cpu", "added", "ratio", "target", "met"]
    for line, row in zip(lines, written["rows"], strict=True):
        assert line.startswith(row["group"])
        assert f"{row['median'] * 1000:.1f}" in line
        assert line.endswith({True: "yes", False: "no", None: ""}[row["met"]])
    assert list((tmp_path / "t").iterdir()) == []


@pytest.mark.skipif(Path(sys.executable).with_name("git").exists(), reason="a git beside Python comes first")
def test_a_command_that_fails_is_named_and_nothing_is_left(benchmark, tmp_path, monkeypatch):
    broken = tmp_path / "bin"
    broken.mkdir()
    (broken / "git").write_text("#!/bin/sh\necho 'out of order' >&2\nexit 9\n")
    (broken / "git").chmod(0o755)
    monkeypatch.setenv("PATH", str(broken))
    done = benchmark()
    assert done.returncode == 2
    assert done.stderr.startswith("benchmarks: 'git init ")
    assert done.stderr.endswith(" gave 9: out of order\n")
    assert list((tmp_path / "t").iterdir()) == []


def test_the_help_names_the_options(benchmark):
    done = benchmark("--help")
    assert done.returncode == 0
    for option in ("-n N", "--files N", "--skip", "--json FILE", "--check"):
        assert option in done.stdout


@pytest.mark.parametrize("words", [("-n", "0"), ("--skip", "nothing"), ("--json", "no/such/folder")])
def test_wrong_usage_is_refused(benchmark, words):
    assert benchmark(*words).returncode == 2
