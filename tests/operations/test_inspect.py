"""Runs that came from elsewhere are looked at before there is a ref to them; the git that brings them is not asked to be clever."""

from __future__ import annotations

import subprocess
import sys

import pytest
from enemy import LINK, MONTH, PEOPLE, Enemy

from exptrack.analysis import trust
from exptrack.backends.git import command
from exptrack.backends.git.repository import find_repository
from exptrack.operations.inspect import inspect
from exptrack.store.runs import list_run_refs, read_runs


@pytest.fixture
def enemy(repository):
    return Enemy(repository)


@pytest.fixture
def look(repository):
    """Why each of these runs is refused."""
    here = find_repository(repository)
    return lambda *made: inspect(here, {one.ref: one.oid for one in made})


def test_a_run_that_exptrack_made_is_not_refused(repository, exptrack, dvc):
    dvc("init", "--quiet")
    (repository / "data.csv").write_text("1\n")
    (repository / ".dvc" / "config.local").write_text("")
    dvc("add", "--quiet", "data.csv")
    done = exptrack(
        "run",
        "--name",
        "mine",
        "-m",
        "a note",
        "-o",
        "model",
        "--",
        "sh",
        "-c",
        "echo 1 > model; echo '{\"a\": 1}' > metrics.json",
    )
    assert done.returncode == 0, done.stderr
    here = find_repository(repository)
    refs = list_run_refs(here)
    assert len(refs) == 1
    good = []
    assert inspect(here, refs, good) == {}
    assert good == list(read_runs(here, refs))


def test_of_many_only_the_bad_ones_are_refused_and_all_at_once(enemy, look):
    good = [enemy.run(f"good-{number}", is_filed=False) for number in range(3)]
    bad = [
        enemy.run("month", {"started": "2026-10-01T00:00:00Z"}, is_filed=False),
        enemy.run("name", {"name": "other"}, is_filed=False),
        enemy.run("Upper", is_filed=False),
        enemy.run("dots", {"data": [{"path": "../x", "digest": "d41d8cd98f00b204e9800998ecf8427e"}]}, is_filed=False),
        enemy.run("digest", {"outputs": [{"path": "x", "digest": "../../../x"}]}, is_filed=False),
        enemy.run("json", b"[" * 100_000, is_filed=False),
        enemy.run("text", b"\xff\xfe", is_filed=False),
        enemy.run("number", b'{"schema": ' + b"9" * 10_000 + b"}", is_filed=False),
        enemy.run("later", {"schema": 2}, is_filed=False),
        enemy.run("surrogate", {"directory": "\ud800"}, is_filed=False),
    ]
    refused = look(*good, *bad)
    assert list(refused) == [one.ref for one in bad]
    assert [reason.partition(":")[0] for reason in refused.values()] == [
        "its record is that of another month",
        "its record is that of another name",
        "its name cannot name a run",
        "its record names a path that leads elsewhere, in `data`",
        "its record names data by a digest that is none",
        "broken record",
        "broken record",
        "broken record",
        "the record was written by a later version of exptrack (schema 2)",
        "its record names a path that leads elsewhere, in `directory`",
    ]
    assert all("\n" not in reason and reason.isprintable() for reason in refused.values())


def test_what_is_no_chain_of_base_snapshot_and_run_is_refused(enemy, look, git, repository):
    head = git("rev-parse", "HEAD", cwd=repository)
    good = enemy.run("good", is_filed=False)
    files = {".exptrack/run.json": b"{}"}
    merge = enemy.commit(files, good.snapshot, head)
    merged = enemy.commit(files, enemy.commit({}, head, good.snapshot))
    root = enemy.commit(files)
    tag = enemy.write("tag", f"object {good.oid}\ntype commit\ntag x\ntagger {PEOPLE}\n\nx\n".encode())
    bare = enemy.commit({".exptrack/run.json/x": b""}, head)
    oids = {
        "merge": merge,
        "merged": merged,
        "root": root,
        "tag": tag,
        "blob": enemy.write("blob", b"x"),
        "gone": "1" * 40,
        "folder": bare,
    }
    refused = look(
        good, *(good._replace(ref=f"refs/exptrack/runs/{MONTH}/{name}", oid=oid) for name, oid in oids.items())
    )
    assert {ref.rpartition("/")[2]: reason for ref, reason in refused.items()} == {
        **dict.fromkeys(("merge", "merged", "root"), "its commits are not base, snapshot and run"),
        **dict.fromkeys(("tag", "blob"), "it is no commit"),
        "gone": "it is not here",
        "folder": "there is no .exptrack/run.json in it",
    }


def test_files_that_are_too_large_are_refused_unread(enemy, look, monkeypatch):
    monkeypatch.setattr(trust, "LARGEST_RECORD", 2000)
    monkeypatch.setattr(trust, "LARGEST_FILE", 3000)
    pointer = {"path": "x", "digest": "d41d8cd98f00b204e9800998ecf8427e", "source": "x.dvc"}
    refused = look(
        enemy.run("record", b" " * 2001, is_filed=False),
        enemy.run("environment", results={".exptrack/environment.json": b" " * 2001}, is_filed=False),
        enemy.run("output", results={".exptrack/output.log": b" " * 2001}, is_filed=False),
        enemy.run("params", {"project": "sub"}, code={"sub/params.yaml": b" " * 3001}, is_filed=False),
        enemy.run("source", {"params": {"a\nb": {}, "conf.toml": {}}}, code={"conf.toml": b" " * 3001}, is_filed=False),
        enemy.run("pointer", {"data": [pointer]}, code={"x.dvc": b" " * 3001}, is_filed=False),
        enemy.run("link", code={"params.yaml": (LINK, "/dev/zero")}, is_filed=False),
    )
    assert [(ref.rpartition("/")[2], reason.partition(" has ")[0]) for ref, reason in refused.items()] == [
        ("record", "its record"),
        ("environment", "its .exptrack/environment.json"),
        ("output", "its .exptrack/output.log"),
        ("params", "its sub/params.yaml"),
        ("source", "its conf.toml"),
        ("pointer", "its x.dvc"),
    ]


def test_a_huge_record_never_is_in_memory(enemy, exptrack):
    huge = enemy.run("huge", b" " * (128 * 2**20))
    script = (
        "import re, resource, sys; from pathlib import Path\n"
        "from exptrack.backends.git.repository import find_repository\n"
        "from exptrack.operations.inspect import inspect\n"
        "from exptrack.store.runs import read_runs\n"
        "here = find_repository(Path.cwd())\n"
        "print(*inspect(here, {sys.argv[1]: sys.argv[2]}).values(), sep='\\n')\n"
        "print(*(run.reason for run in read_runs(here, {sys.argv[1]: sys.argv[2]})), sep='\\n')\n"
        "status = Path('/proc/self/status')\n"
        "peak = re.search('VmHWM: *(\\d+) kB', status.read_text().replace('\\t', ' ')) if status.exists() else None\n"
        "print(int(peak[1]) * 1024 if peak else resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, huge.ref, huge.oid],
        cwd=enemy.folder,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    refused, shown, used = done.stdout.splitlines()
    assert refused == "its record has 128 MiB, more than 16 MiB"
    assert shown == "its record has 128 MiB, and is not read"
    assert int(used) < 100 * 2**20
    assert "huge" in exptrack("ls").stderr


def test_a_thousand_runs_take_two_git_processes_more_than_one(enemy, repository, monkeypatch):
    made = enemy.run("one", is_filed=False)
    started = []
    start = command.start
    monkeypatch.setattr(command, "start", lambda *words, **options: started.append(words) or start(*words, **options))
    refused = inspect(find_repository(repository), {f"refs/exptrack/runs/{MONTH}/one": made.oid})
    few = len(started)
    started.clear()
    many = {f"refs/exptrack/runs/{MONTH}/x{number}": made.oid for number in range(1000)}
    assert len(inspect(find_repository(repository), many)) == 1000
    assert refused == {}
    assert len(started) <= few + 2
