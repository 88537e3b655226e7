"""`exptrack export`."""

from __future__ import annotations

import csv
import io
import json
import os
import signal
import stat
import subprocess
import sys
import time

import pytest

PYTHON = sys.executable


@pytest.fixture
def two(run):
    run("print(1)", "-t", "best", name="one")
    run("raise SystemExit(3)", name="two", status=3)


def test_it_says_what_it_wrote_and_where(exptrack, repository, two, tmp_path):
    done = exptrack("export", "--format", "csv", "--history", "-o", "out", "--repository", "r")
    assert (done.returncode, done.stdout) == (0, "")
    assert done.stderr.startswith("exptrack: 2 runs and ")
    assert done.stderr.endswith(" of histories of 1 month in out/*/*/r.*\n")
    [file] = repository.glob("out/runs/month=*/r.csv")
    assert {row["name"] for row in csv.DictReader(io.StringIO(file.read_text()))} == {"one", "two"}
    done = exptrack("-C", "out", "export", "tag = best", "--format", "csv", "-o", "../there", "--repository", "r")
    assert done.stderr == "exptrack: 1 run of 1 month in ../there/*/*/r.*\n"
    assert len(list(repository.glob("there/runs/*/r.csv"))) == 1


def test_a_stream_is_the_answer_and_nothing_else(exptrack, two):
    done = exptrack("export", "--format", "jsonl", "-o", "-")
    assert (done.returncode, done.stderr) == (0, "")
    assert sorted((row["name"], row["exit_code"]) for row in map(json.loads, done.stdout.splitlines())) == [
        ("one", 0),
        ("two", 3),
    ]
    done = exptrack("export", "--format", "csv", "--history", "-o", "-")
    assert done.stdout.startswith("repository,run,commit,metric,")
    done = exptrack("export", "-o", "-")
    pytest.importorskip("pyarrow")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "exptrack: Parquet is no stream: name a folder with -o, or use --format csv or jsonl\n"


def test_without_runs_a_stream_of_csv_is_its_header(exptrack):
    done = exptrack("export", "--format", "csv", "-o", "-")
    assert done.returncode == 0
    assert done.stdout.startswith("repository,name,commit,")
    assert len(done.stdout.splitlines()) == 1


def test_without_runs_it_says_so_and_what_the_folder_has(exptrack, repository):
    done = exptrack("export", "--format", "csv", "-o", "out", "--repository", "r")
    assert done.returncode == 0
    assert done.stderr == (
        "exptrack: no run yet: make one with `exptrack run -- COMMAND`\nexptrack: out has no files of r\n"
    )
    assert not (repository / "out").exists()


def test_a_query_that_holds_for_no_run_takes_the_files_away_and_says_so(exptrack, repository, two):
    words = ("export", "--format", "csv", "-o", "out", "--repository", "r")
    assert exptrack(*words).returncode == 0
    done = exptrack(*words, "tag = worst")
    assert (done.returncode, list(repository.glob("out/**/r.csv"))) == (0, [])
    assert done.stderr == "exptrack: no run for which that holds\nexptrack: out has no files of r\n"
    done = exptrack("export", "tag = worst", "--format", "jsonl", "-o", "-")
    assert (done.returncode, done.stdout) == (0, "")
    assert done.stderr == "exptrack: no run for which that holds\n"


def test_what_is_in_the_way_is_one_line(exptrack, repository, two, tmp_path):
    (tmp_path / "file").write_text("mine")
    for folder in (tmp_path / "file", tmp_path / "file" / "below"):
        done = exptrack("export", "--format", "csv", "-o", folder)
        assert (done.returncode, done.stdout) == (2, "")
        assert done.stderr == f"exptrack: '{tmp_path / 'file'}' is a file: name a folder with -o\n"
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "runs").write_text("mine")
    done = exptrack("export", "--format", "csv", "-o", tmp_path / "out")
    assert done.returncode == 2
    assert done.stderr == f"exptrack: '{tmp_path / 'out' / 'runs'}' is a file: name a folder with -o\n"
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["runs"]
    assert (tmp_path / "file").read_text() == "mine"


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_that_cannot_be_written_is_one_line(exptrack, two, tmp_path):
    (tmp_path / "out").mkdir()
    (tmp_path / "out").chmod(stat.S_IRUSR | stat.S_IXUSR)
    done = exptrack("export", "--format", "csv", "-o", tmp_path / "out")
    assert done.returncode == 2
    assert (
        done.stderr
        == f"exptrack: '{tmp_path / 'out'}' cannot be written: Permission denied; nothing in it was changed\n"
    )


def test_a_query_of_several_words_is_to_be_quoted(exptrack, two):
    done = exptrack("export", "tag", "=", "best", "--format", "csv")
    assert done.returncode == 2
    assert done.stderr == "exptrack: a query is one word, so quote it: exptrack export 'tag = best'\n"


def test_what_cannot_be_read_is_named(exptrack, repository, two, git):
    git("update-ref", "refs/exptrack/runs/2026-11/empty", "HEAD", cwd=repository)
    done = exptrack("export", "--format", "csv", "-o", "out")
    assert done.returncode == 0
    assert "exptrack: 'empty' cannot be read: there is no .exptrack/run.json in it" in done.stderr


def test_ctrl_c_leaves_the_folder_as_it_was(exptrack, repository, two, tmp_path):
    """A git that waits in the middle of the reading."""
    from shutil import which

    out = tmp_path / "out"
    form = "csv"
    assert exptrack("export", "--format", form, "-o", out, "--repository", "r").returncode == 0
    [file] = out.glob("runs/*/r.csv")
    before = file.read_bytes()
    (tmp_path / "bin").mkdir()
    script = tmp_path / "bin" / "git"
    script.write_text(
        f'#!/bin/sh\ncase "$*" in *batch-check*) : > {tmp_path}/stalled; while [ ! -e {tmp_path}/go ]; do sleep 0.02; done;; esac\n'
        f'exec {which("git")} "$@"\n'
    )
    script.chmod(0o755)
    environ = {**os.environ, "PATH": f"{tmp_path / 'bin'}{os.pathsep}{os.environ['PATH']}"}
    child = subprocess.Popen(
        [PYTHON, "-m", "exptrack", "export", "--format", form, "-o", out, "--repository", "r"],
        cwd=repository, env=environ, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True,
    )  # fmt: skip
    while not (tmp_path / "stalled").exists():
        assert child.poll() is None
        time.sleep(0.01)
    assert list(out.glob(".r.*.part"))
    child.send_signal(signal.SIGINT)
    (tmp_path / "go").touch()
    said, err = child.communicate(timeout=60)
    assert (child.returncode, said, err) == (130, "", "exptrack: interrupted\n")
    assert [path for path in out.rglob("*") if path.is_file()] == [file]
    assert list(out.iterdir()) == [out / "runs"]
    assert file.read_bytes() == before
