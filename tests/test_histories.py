"""Histories from the stream of a run to Git, to others, and back: nothing that was logged is lost, whatever came between."""

from __future__ import annotations

import json
import math
import os
import signal
import sys

import pytest
from sharing import make_team

from exptrack.analysis.points import Point
from exptrack.model.tree import flatten
from exptrack.operations.histories import load_points, read_histories
from exptrack.project import Project

PYTHON = sys.executable
MANY = 5000
OPENING = """
import json, os
stream = open(os.environ["EXPTRACK_JOURNAL"] + "/stream", "ab", buffering=0)
def log(values, kind="metrics", **more):
    stream.write(json.dumps({"kind": kind, "time": 1700000000.25, "values": values, **more}).encode() + b"\\n")
"""
LONG = (
    OPENING + f"for step in range({MANY}): log({{'loss': 1 / (step + 1), 'acc': step}}, step=step, epoch=step // 100)\n"
)


@pytest.fixture
def run(exptrack):
    """Run Python code that can log, and give the project."""

    def call(code: str, name: str = "one", status: int = 0) -> None:
        done = exptrack("run", "--name", name, "--", PYTHON, "-c", OPENING + code)
        assert done.returncode == status, done.stderr

    return call


@pytest.fixture
def project(repository) -> Project:
    return Project(repository)


def _files(project: Project, name: str, *paths: str) -> list[str]:
    return sorted(project.files(project.run(name).oid, list(paths)))


def test_steps_in_any_order_and_values_that_are_not_finite_are_kept(run, project):
    run(
        """
log({"loss": 0.5}, step=10)
log({"loss": float("nan"), "a/../b": "inf"}, step=2, epoch=1)
log({"loss": "-inf"}, step=2.5)
log({"loss": 0.25})
log({"system/cpu": 12.5}, kind="system")
"""
    )
    one = project.run("one")
    assert repr(list(project.history(one, "loss"))) == repr(
        [
            Point(1700000000.25, 10, 0.5),
            Point(1700000000.25, 2, math.nan, 1),
            Point(1700000000.25, 2.5, -math.inf),
            Point(1700000000.25, 3, 0.25),
        ]
    )
    assert project.history(one, "system/cpu")[0].value == 12.5
    assert flatten(one.metrics) == {"loss": 0.25, "a/../b": math.inf}
    assert one.record.thinned == {}
    assert {"loss", "a/../b", "system/cpu"} <= read_histories(project.context, one).keys()


def test_a_torn_line_costs_nothing_else(run, project):
    run("""
log({"loss": 1})
stream.write(b'{"kind":"metrics","time":1700000000.25,"values":{"lo\\n')
log({"loss": 2})
stream.write(b"\\0" * 10000)
log({"loss": 3})
stream.write(b'{"kind":"metrics","ti')
""")
    assert [point.value for point in project.history("one", "loss")] == [1, 2, 3]
    assert project.run("one").status == "completed"


def test_what_was_logged_before_a_kill_is_there_after_recover(exptrack, project):
    code = LONG + f"os.kill(os.getppid(), {int(signal.SIGKILL)})\n"
    done = exptrack("run", "--name", "one", "--", PYTHON, "-c", code)
    assert done.returncode == -signal.SIGKILL
    assert exptrack("recover").returncode == 0
    assert [point.step for point in project.history("one", "loss")] == list(range(MANY))


def test_without_dvc_a_long_history_is_whole_in_the_commit(run, project):
    run(LONG)
    one = project.run("one")
    assert one.record.thinned == {"loss": MANY, "acc": MANY}
    assert one.record.kept == ()
    stored = read_histories(project.context, one)
    assert 1000 < len(stored["loss"]) <= 2000
    assert stored["loss"][0] == Point(1700000000.25, 0, 1.0, 0)
    whole = load_points(project.context, one)
    assert [point.value for point in whole["acc"]] == list(range(MANY))
    assert whole["loss"].is_whole
    assert whole["loss"][MANY - 1] == Point(1700000000.25, MANY - 1, 1 / MANY, (MANY - 1) // 100)
    assert _files(project, "one", ".exptrack/history.parquet", ".exptrack/history.parquet.dvc") == [
        ".exptrack/history.parquet"
    ]


def test_without_pyarrow_it_is_text(exptrack, project, tmp_path):
    (tmp_path / "pyarrow.py").write_text("raise ImportError")
    done = exptrack("run", "--name", "one", "--", PYTHON, "-c", LONG, env={**os.environ, "PYTHONPATH": str(tmp_path)})
    assert done.returncode == 0, done.stderr
    assert _files(project, "one", ".exptrack/history.parquet", ".exptrack/history.tsv.gz") == [
        ".exptrack/history.tsv.gz"
    ]
    assert [point.value for point in project.history("one", "acc")] == list(range(MANY))


def test_a_sealed_history_is_in_no_file_of_histories(run, project, repository):
    (repository / "exptrack.yaml").write_text("metrics:\n  loss: {goal: minimize, holdout: true}\n")
    run(LONG)
    one = project.run("one")
    assert one.record.thinned == {"acc": MANY}
    assert set(load_points(project.context, one)) >= {"acc"}
    assert "loss" not in load_points(project.context, one)
    assert b"loss" not in project.files(one.oid, [".exptrack/history.parquet"])[".exptrack/history.parquet"]
    sealed = json.loads(project.files(one.oid, [".exptrack/holdout.json"])[".exptrack/holdout.json"])
    assert len(sealed["history"]["loss"]) == MANY
    assert sealed["history"]["loss"][-1] == [1700000000.25, MANY - 1, 1 / MANY, (MANY - 1) // 100]


def test_a_value_between_the_thinned_steps_can_be_compared(run, exptrack, project):
    run(LONG)
    kept = {point.step for point in read_histories(project.context, project.run("one"))["acc"]}
    step = next(step for step in range(MANY) if step not in kept)
    done = exptrack("compare", "one", "--metric", "acc", "--step", str(step), "--json")
    assert '"acc"' in done.stdout, done.stderr
    assert "no run has" not in done.stderr


@pytest.fixture
def team(tmp_path, repository):
    """Ada with a run whose histories are long, and Bob, who fetched it from the remote."""
    remote, ada, bob = make_team(tmp_path, repository)
    (repository / "train.py").write_text(LONG)
    ada("run", "--name", "one", "--", PYTHON, "train.py")
    ada("gc", "--force")
    ada("push")
    bob("fetch")
    return remote, ada, bob


def test_a_whole_history_goes_where_its_run_goes(team):
    remote, ada, bob = team
    own = Project(ada.folder)
    [pointer] = own.run("one").record.kept
    assert pointer.path == ".exptrack/history.parquet"
    assert _files(own, "one", pointer.path, pointer.source) == [pointer.source]
    assert ada("show", "one", "--history", "acc").stdout.count("\n") == MANY + 1
    assert ada.cached(pointer.digest).is_file()
    assert remote.holds(pointer.digest)

    done = bob("show", "one", "--history", "acc")
    assert 1000 < done.stdout.count("\n") <= 2001
    assert done.stderr == (
        "exptrack: histories of 'one' are thinned, and not whole here: the whole is not in the DVC cache, `exptrack pull` brings it\n"
    )
    theirs = Project(bob.folder)
    assert not theirs.history("one", "acc").is_whole
    bob("pull")
    points = theirs.history("one", "acc")
    assert points.is_whole
    assert [point.value for point in points] == list(range(MANY))
    frame = points.to_dataframe()
    assert list(frame.columns) == ["time", "step", "epoch", "value"]
    assert frame["time"][0].timestamp() == 1700000000.25
    assert list(frame["step"]) == list(range(MANY))

    cached = bob.cached(pointer.digest)
    cached.chmod(0o644)
    cached.write_bytes(b"spoilt")
    assert "is not what its name says: delete it" in bob("show", "one", "--history", "acc").stderr


def test_a_whole_history_comes_into_no_work_tree_and_is_no_result(team):
    _, ada, bob = team
    assert not (ada.folder / ".exptrack").exists()
    bob("pull")
    bob("apply", "one")
    assert not (bob.folder / ".exptrack").exists()
    assert bob("fsck").stdout.endswith("all is well\n")
    assert bob("reproduce", "one").stdout.startswith("one reproduces: exact\n")
    [pointer] = Project(bob.folder).run("one").record.kept
    bob.cached(pointer.digest).unlink()
    assert "1 data object not in the DVC cache" in bob("fsck", "--offline", code=None).stdout


def test_the_whole_is_found_from_outside_of_the_project_that_has_the_cache(exptrack, repository):
    folder = repository / "ml"
    (folder / ".dvc").mkdir(parents=True)
    (folder / ".dvc" / "config").touch()
    (folder / "exptrack.yaml").touch()
    done = exptrack("run", "--name", "one", "--", PYTHON, "-c", LONG, cwd=folder)
    assert done.returncode == 0, done.stderr
    [pointer] = Project(repository).run("one").record.kept
    assert (folder / ".dvc/cache/files/md5" / pointer.digest[:2] / pointer.digest[2:]).is_file()
    for place in (repository, folder):
        assert Project(place).history("one", "acc").is_whole
        assert Project(place).content("one", pointer.path).file is not None
        assert exptrack("fsck", cwd=place).returncode == 0


def test_where_the_dvc_cache_cannot_be_written_the_whole_is_in_the_commit(exptrack, repository):
    (repository / ".dvc").mkdir()
    (repository / ".dvc" / "config").touch()
    (repository / ".dvc" / "cache").write_text("no folder")
    done = exptrack("run", "--name", "one", "--", PYTHON, "-c", LONG)
    assert done.returncode == 0
    assert ".exptrack/history.parquet is in the run's commit, not in the DVC cache: " in done.stderr
    project = Project(repository)
    assert project.run("one").record.kept == ()
    assert project.history("one", "acc").is_whole
