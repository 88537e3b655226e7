"""A day's work of two people who share a bare repository and a DVC remote, from the first run to the last check."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import time

import pytest

from exptrack.operations.collect import collect
from exptrack.project import Project

TRAIN = """\
import json, pathlib, sys
rate = float(pathlib.Path("params.yaml").read_text().split(":")[1])
numbers = [float(line) for line in pathlib.Path("data/train.csv").read_text().split()]
if "--fail" in sys.argv:
    pathlib.Path("model.bin").write_text("half a model")
    sys.exit("out of memory")
pathlib.Path("model.bin").write_text(f"weights {rate}")
pathlib.Path("metrics.json").write_text(json.dumps({"accuracy": 1 - rate / len(numbers)}))
"""
MUCH_LATER = 45 * 86_400  # seconds


@pytest.fixture
def person(tmp_path):
    """Run the command line in somebody's clone."""

    def call(where, *words, code=0):
        done = subprocess.run(
            [sys.executable, "-m", "exptrack", "-C", tmp_path / where, *words],
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == code, (words, done.stdout, done.stderr)
        return done.stdout

    return call


@pytest.fixture
def storage(tmp_path, git, dvc):
    """Ada's repository with data, a bare remote that has its branch, a DVC remote that has nothing, and Bob's clone."""
    ada, bob, bare, folder = (tmp_path / name for name in ("ada", "bob", "origin.git", "storage"))
    git("init", "--quiet", "--bare", bare)
    git("init", "--quiet", ada)
    (ada / "train.py").write_text(TRAIN)
    (ada / "params.yaml").write_text("rate: 0.5\n")
    (ada / "data").mkdir()
    (ada / "data" / "train.csv").write_text("1\n2\n3\n4\n")
    git("config", "user.name", "Ada", cwd=ada)
    dvc("init", "--quiet", cwd=ada)
    dvc("add", "--quiet", "data/train.csv", cwd=ada)
    dvc("remote", "add", "--quiet", "--default", "storage", str(folder), cwd=ada)
    (ada / ".gitignore").write_text("/metrics.json\n/model.bin\n")
    git("add", ".", cwd=ada)
    git("commit", "--quiet", "-m", "first", cwd=ada)
    git("remote", "add", "origin", bare, cwd=ada)
    git("push", "--quiet", "-u", "origin", "main", cwd=ada)
    git("clone", "--quiet", bare, bob)
    git("config", "user.name", "Bob", cwd=bob)
    return folder


def names(call, where):
    return sorted(run["name"] for run in json.loads(call(where, "ls", "--json")))


def stored(folder):
    return {path.read_bytes() for path in (folder / "files").rglob("*") if path.is_file()}


RUN = ("--", sys.executable, "train.py")


def share_the_morning(person, storage):
    """Ada's morning: a run, one that fails, and both on the remotes."""
    person("ada", "run", "--name", "base", "-o", "model.bin", *RUN)
    person("ada", "run", "--name", "broken", "-o", "model.bin", *RUN, "--fail", code=1)
    assert "base" in person("ada", "push")
    assert stored(storage) == {b"1\n2\n3\n4\n", b"weights 0.5", b"half a model"}
    assert "already" in person("ada", "push")


def reproduce_elsewhere(person, tmp_path):
    """Bob gets them, sees whose they are, has no data until he needs it, and then what only the remote has."""
    assert "Ada" in person("bob", "fetch")
    assert names(person, "bob") == ["base", "broken"]
    assert not (tmp_path / "bob" / ".dvc" / "cache").exists()
    assert not (tmp_path / "bob" / "data" / "train.csv").exists()
    cache = tmp_path / "ada" / ".dvc" / "cache"
    shutil.move(cache, tmp_path / "lost")
    (tmp_path / "ada" / "data" / "train.csv").rename(tmp_path / "train.csv")
    assert "exact" in person("bob", "reproduce", "base", "--require", "exact")
    shutil.move(tmp_path / "lost", cache)
    (tmp_path / "train.csv").rename(tmp_path / "ada" / "data" / "train.csv")


def annotate_on_both_sides(person):
    """Both annotate the same run at the same time; one takes off what the other takes off and puts on again."""
    person("ada", "tag", "good", "base")
    person("ada", "push")
    person("bob", "fetch")
    person("bob", "tag", "-d", "good", "base")
    person("bob", "note", "base", "-m", "seen by Bob")
    person("ada", "tag", "-d", "good", "base")
    person("ada", "tag", "good", "base")
    person("ada", "tag", "paper", "base")
    person("bob", "push")
    person("ada", "push")
    person("bob", "fetch")
    here, there = (json.loads(person(where, "show", "base", "--json")) for where in ("ada", "bob"))
    assert sorted(here["tags"]) == sorted(there["tags"]) == ["good", "paper"]
    assert here["notes"] == there["notes"] != []


def compare_across(person, tmp_path):
    """Bob's run goes the other way, and is compared."""
    (tmp_path / "bob" / "params.yaml").write_text("rate: 0.25\n")
    person("bob", "apply", "base", "--only", "data", "--force")
    person("bob", "run", "--name", "lower", "-o", "model.bin", *RUN)
    person("bob", "push")
    assert "Bob" in person("ada", "fetch")
    changed = person("ada", "diff", "base", "lower")
    assert "rate" in changed
    assert "accuracy" in changed


def remove_for_good(person, tmp_path, git):
    """The failed run goes everywhere, and does not come back."""
    person("ada", "rm", "-y", "broken")
    person("ada", "push")
    person("bob", "fetch", "--prune")
    person("bob", "push", "--all")
    person("ada", "fetch")
    assert names(person, "ada") == names(person, "bob")
    assert "broken" not in names(person, "ada")
    assert "broken" not in git("for-each-ref", "refs/exptrack/runs", cwd=tmp_path / "origin.git")


def collect_when_its_time_is_over(storage, tmp_path):
    """What only the removed run had is collected, here and on the remote; what the others need stays."""
    ada, bob = tmp_path / "ada", tmp_path / "bob"
    assert b"half a model" in stored(storage)
    for where, remote in ((ada, None), (bob, None), (ada, "storage")):
        collect(Project(where).context, force=True, remote=remote, now=time.time() + MUCH_LATER)
    assert b"half a model" not in stored(storage) | stored(ada / ".dvc" / "cache")
    assert stored(storage) >= {b"1\n2\n3\n4\n", b"weights 0.5", b"weights 0.25"}


def test_two_people_and_a_remote_share_a_day_of_work(person, storage, tmp_path, git):
    share_the_morning(person, storage)
    reproduce_elsewhere(person, tmp_path)
    annotate_on_both_sides(person)
    compare_across(person, tmp_path)
    remove_for_good(person, tmp_path, git)
    collect_when_its_time_is_over(storage, tmp_path)

    # All three are whole: both clones, and the remote, by itself and as a third person sees it.
    git("fsck", "--strict", "--full", cwd=tmp_path / "origin.git")
    git("clone", "--quiet", tmp_path / "origin.git", tmp_path / "carol")
    person("carol", "pull")
    assert names(person, "carol") == names(person, "ada")
    assert {"base", "lower"} < set(names(person, "carol"))  # and Bob's reproduction
    for where in ("ada", "bob", "carol"):
        person(where, "fsck", "--full")
    assert "exact" in person("carol", "reproduce", "lower", "--require", "exact")
