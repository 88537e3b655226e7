"""What `export` writes: the same columns whatever the runs hold, a month a file, all or nothing."""

from __future__ import annotations

import csv
import io
import json
import math
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from exptrack.analysis.codec import encode_record
from exptrack.analysis.history import Point, format_history, path_of
from exptrack.backends.git.importing import format_files, import_commit
from exptrack.backends.git.repository import find_repository
from exptrack.errors import DataError, ExptrackError, QueryError
from exptrack.model.annotation import AnnotationKind
from exptrack.model.run import Links, Record, Status
from exptrack.operations.export import Asked, export_stream
from exptrack.operations.exporting import tables
from exptrack.operations.exporting.naming import name_repository, normalise
from exptrack.project import Project
from exptrack.store import annotation, runs

PEOPLE = b"author Ada <ada@example.com> 1769860800 +0000\ncommitter Ada <ada@example.com> 1769860800 +0000\n"
HUGE = 10**200
NAN, INFINITY = float("nan"), float("inf")
METRICS = {
    "accuracy": 0.75,
    "val": {"loss": NAN, "f1": [1, INFINITY]},
    "flag": True,
    "huge": HUGE,
    "none": [],
    "odd\udcff": 1,
}
PARAMS = {
    "params.yaml": {
        "lr": 1e-5,
        "optimizer": "adam",
        "layers": [64, 32],
        "nested": {"depth": 3},
        "flag": False,
        "one": "1",
        "nothing": None,
    },
    "args": {"path\udcff": "b\udcff", "empty": {}, "text": '=1+1,"quoted"\nnext', "huge": HUGE},
}


def save(folder: Path, name: str, day: str = "2026-11-05", files: dict[str, bytes] | None = None, **fields) -> str:
    """Put a run on its ref."""
    here = find_repository(folder)
    record = Record(
        name, started=datetime.fromisoformat(f"{day}T12:00:00.25+00:00"), **{"status": Status.COMPLETED, **fields}
    )
    content = {runs.RECORD: encode_record(record), **(files or {})}
    oid = import_commit(here, PEOPLE, f"{name}\n", None, format_files(content))
    import subprocess

    subprocess.run(["git", "update-ref", runs.ref_of(name, record.started), oid], cwd=folder, check=True)
    return oid


def histories(**points: list[Point]) -> dict[str, bytes]:
    return {f".exptrack/history/{path_of(name)}": format_history(name, series) for name, series in points.items()}


def rows(folder: Path, table: str = "runs") -> list[dict]:
    """All rows of a table as a program reads them, by the names of the files' endings."""
    found = []
    for path in sorted(folder.glob(f"{table}/*/*")):
        if path.suffix == ".parquet":
            import pyarrow.parquet

            found += pyarrow.parquet.ParquetFile(path).read().to_pylist()
        elif path.suffix == ".jsonl":
            found += [json.loads(line) for line in path.read_text("utf-8").splitlines()]
        else:
            found += csv.DictReader(io.StringIO(path.read_bytes().decode(), newline=""))
    return found


def files(folder: Path) -> list[str]:
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())


@pytest.fixture
def project(repository):
    return Project(repository)


@pytest.fixture
def odd(repository):
    """A run with all that a column may hold, and one with nothing."""
    full = save(
        repository, "full", ended=datetime(2026, 11, 5, 13, tzinfo=UTC), duration=3600, exit_code=0, author="Ada <a@b>", host="h",
        command=("python", "my script.py"), branch="main", experiment="digits", seed=7, tags=("best", "b\udcff"), note="=looked",
        metrics=METRICS, params=PARAMS, sealed=("final",), links=Links(reproduces="one", resumes="two", copied_from="three", parent="four"),
    )  # fmt: skip
    save(repository, "plain", day="2026-12-31", status=Status.CRASHED)
    return full


class TestColumns:
    def test_parquet_has_maps_of_numbers_and_of_texts(self, project, odd, tmp_path):
        pytest.importorskip("pyarrow")
        done = project.export(tmp_path / "out")
        assert (done.runs, done.months, done.broken) == (2, ("2026-11", "2026-12"), ())
        full, plain = rows(tmp_path / "out")
        assert list(full) == list(plain) == list(tables.RUNS)
        assert full["started"] == datetime(2026, 11, 5, 12, 0, 0, 250000, tzinfo=UTC)
        assert full["started"].utcoffset().total_seconds() == 0
        assert (full["commit"], full["command"], full["seed"]) == (odd, "python 'my script.py'", "7")
        assert (full["tags"], full["notes"], full["sealed"]) == (["best", "b\\udcff"], ["=looked"], ["final"])
        assert (full["reproduces"], full["resumes"], full["copied_from"], full["parent"]) == (
            "one",
            "two",
            "three",
            "four",
        )
        metrics = dict(full["metrics"])
        assert math.isnan(metrics.pop("val.loss"))
        assert metrics == {
            "accuracy": 0.75, "val.f1.0": 1.0, "val.f1.1": INFINITY, "flag": 1.0, "huge": 1e200, "odd\\udcff": 1.0
        }  # fmt: skip
        assert dict(full["params"]) == {
            "lr": "1e-05", "optimizer": "adam", "layers.0": "64", "layers.1": "32", "nested.depth": "3", "flag": "false", "one": "1",
            "nothing": None, "path\\udcff": "b\\udcff", "empty": "{}", "text": '=1+1,"quoted"\nnext', "huge": str(HUGE),
        }  # fmt: skip
        assert (plain["status"], plain["tags"], plain["metrics"], plain["params"]) == ("crashed", [], [], [])
        for name in ("base", "ended", "duration", "exit_code", "author", "seed", "removed", "command"):
            assert plain[name] is None

    def test_csv_is_as_it_was_recorded_and_not_for_spreadsheets(self, project, odd, tmp_path):
        project.export(tmp_path / "out", format="csv")
        full, plain = rows(tmp_path / "out")
        assert list(full) == list(plain) == list(tables.RUNS)
        assert full["started"] == "2026-11-05T12:00:00.250000Z"
        assert (full["duration"], full["exit_code"], plain["exit_code"]) == ("3600", "0", "")
        assert json.loads(full["notes"]) == ["=looked"]
        assert json.loads(full["metrics"]) == {
            "accuracy": 0.75, "val.loss": "NaN", "val.f1.0": 1, "val.f1.1": "Infinity", "flag": True, "huge": HUGE, "none": [], "odd\\udcff": 1
        }  # fmt: skip
        assert json.loads(full["params"])["text"] == '=1+1,"quoted"\nnext'
        assert json.loads(full["params"])["lr"] == 1e-5
        assert plain["metrics"] == "{}"

    def test_json_lines_are_nested_and_have_every_key(self, project, odd, tmp_path):
        project.export(tmp_path / "out", format="jsonl")
        full, plain = rows(tmp_path / "out")
        assert list(full) == list(plain) == list(tables.RUNS)
        assert full["metrics"]["val"] == {"loss": "NaN", "f1": [1, "Infinity"]}
        assert full["params"]["layers"] == [64, 32]
        assert full["params"]["path\\udcff"] == "b\\udcff"
        assert plain["ended"] is None

    def test_duckdb_reads_all_three_alike(self, project, odd, tmp_path):
        duckdb = pytest.importorskip("duckdb")
        pytest.importorskip("pyarrow")
        readers = {"parquet": "read_parquet", "csv": "read_csv", "jsonl": "read_json"}
        counts = {}
        for form, reader in readers.items():
            project.export(tmp_path / form, format=form)
            found = duckdb.sql(
                f"SELECT month, name, status, duration::DOUBLE, epoch_us(started::TIMESTAMPTZ) FROM {reader}('{tmp_path}/{form}/runs/**/*.{form}', hive_partitioning = true) ORDER BY name"
            )
            counts[form] = [tuple(map(str, row)) for row in found.fetchall()]
        assert len(counts["parquet"]) == 2
        assert counts["parquet"] == counts["csv"] == counts["jsonl"]

    def test_what_was_annotated_later_is_there_and_removed_runs_say_by_whom(self, project, odd, repository, tmp_path):
        here = find_repository(repository)
        author = here.stand_in or _ada()
        run = project.run("full")
        for kind, value in ((AnnotationKind.TAG, "late"), (AnnotationKind.TOMBSTONE, None)):
            annotation.add(here, author, [(run, annotation.make(kind, value, author))])
        project.export(tmp_path / "out", format="jsonl")
        full, _ = rows(tmp_path / "out")
        assert full["tags"] == ["best", "b\\udcff", "late"]
        assert full["removed"] == str(author)

    def test_a_run_knows_its_base(self, exptrack, project, git, repository, tmp_path):
        assert exptrack("run", "--name", "real", "--", sys.executable, "train.py").returncode == 0
        project.export(tmp_path / "out", format="jsonl")
        assert rows(tmp_path / "out")[0]["base"] == git("rev-parse", "HEAD", cwd=repository)


def _ada():
    from exptrack.backends.git.repository import Identity

    return Identity("Ada", "ada@example.com")


class TestHistory:
    @pytest.mark.parametrize("form", ["parquet", "csv", "jsonl"])
    def test_each_point_is_a_row(self, project, repository, tmp_path, form):
        if form == "parquet":
            pytest.importorskip("pyarrow")
        series = [
            Point(1700000000.25, 0, 0.5),
            Point(1700000001.5, 1, 0.25, 2),
            Point(1e300, 2.5, NAN),
            Point(1700000002, "warm", INFINITY),
        ]
        save(
            repository,
            "one",
            files=histories(**{"loss": series, "val/a": [Point(1.0, 2**60, 1.0)], "system/cpu": [Point(2.0, 0, 3.0)]}),
        )
        save(repository, "two")
        done = project.export(tmp_path / "out", format=form, history=True)
        assert (done.runs, done.points, done.thinned) == (2, 6, 0)
        found = rows(tmp_path / "out", "history")
        assert list(found[0]) == list(tables.HISTORY)
        assert [row["metric"] for row in found] == ["loss"] * 4 + ["system/cpu", "val/a"]
        assert {row["run"] for row in found} == {"one"}
        missing = "" if form == "csv" else None
        assert [str(row["step_text"] or "") for row in found[:4]] == ["", "", "", "warm"]
        assert found[3]["step"] == missing
        assert found[2]["time"] == missing
        assert [float(row["value"]) for row in found if row["metric"] != "loss"] == [3.0, 1.0]
        assert float(found[5]["step"]) == 2.0**60
        assert str(found[2]["value"]).lower() == "nan"
        assert [str(row["epoch"] or "") for row in found[:2]] == ["", "2.0" if form == "parquet" else "2"]
        assert str(found[0]["is_whole"]).lower() == "true"

    def test_one_whose_whole_is_not_here_says_so(self, project, repository, tmp_path):
        said = []
        project = Project(repository, said.append)
        save(repository, "one", files=histories(loss=[Point(1.0, 0, 1.0), Point(3.0, 2, 1.0)]), thinned={"loss": 3})
        done = project.export(tmp_path / "out", format="jsonl", history=True)
        assert (done.points, done.thinned, said) == (2, 1, [])
        assert [row["is_whole"] for row in rows(tmp_path / "out", "history")] == [False, False]

    def test_what_is_sealed_has_none(self, exptrack, project, repository, tmp_path):
        (repository / "exptrack.yaml").write_text("metrics:\n  final: {goal: maximize, holdout: true}\n")
        code = "import exptrack\nwith exptrack.start_run() as run:\n    run.log_metrics({'final': 123456 / 10**6, 'loss': 1.0}, step=0)\n"
        assert exptrack("run", "--name", "one", "--", sys.executable, "-c", code).returncode == 0
        for form in ("csv", "jsonl"):
            Project(repository).export(tmp_path / form, format=form, history=True)
            assert "final" not in {row["metric"] for row in rows(tmp_path / form, "history")}
            assert "loss" in {row["metric"] for row in rows(tmp_path / form, "history")}
            assert "0.123456" not in "".join(path.read_text() for path in tmp_path.glob(f"{form}/*/*/*"))
        assert rows(tmp_path / "jsonl")[0]["sealed"] == ["final"]


class TestFolder:
    def test_a_year_of_two_repositories_is_one_table(self, repository, git, tmp_path):
        duckdb = pytest.importorskip("duckdb")
        pytest.importorskip("pyarrow")
        other = tmp_path / "other"
        git("init", "--quiet", other)
        for month in range(1, 13):
            save(
                repository,
                f"run-{month}",
                day=f"2026-{month:02}-01",
                metrics={"accuracy": month / 10},
                params={"params.yaml": {"lr": month}},
            )
        save(other, "run-1", day="2026-03-01", metrics={"loss": 1.5}, params={"params.yaml": {"lr": "auto"}})
        Project(repository).export(tmp_path / "out")
        Project(other).export(tmp_path / "out", repository="other")
        assert len(files(tmp_path / "out")) == 13
        found = duckdb.sql(
            f"SELECT month, repository, metrics['accuracy'], TRY_CAST(params['lr'] AS DOUBLE) FROM read_parquet('{tmp_path}/out/runs/**/*.parquet', hive_partitioning = true)"
            " WHERE month BETWEEN '2026-02' AND '2026-03' ORDER BY month, repository"
        ).fetchall()
        name = name_repository(find_repository(repository))
        assert found == [("2026-02", name, 0.2, 2.0), ("2026-03", "other", None, None), ("2026-03", name, 0.3, 3.0)]

    def test_an_export_replaces_its_own_files_and_no_others(self, project, repository, git, tmp_path):
        out = tmp_path / "out"
        save(repository, "old", day="2026-10-01", files=histories(loss=[Point(1.0, 0, 1.0)]))
        save(repository, "new")
        (out / "runs" / "month=2026-10").mkdir(parents=True)
        mine = out / "runs" / "month=2026-10" / "another.csv"
        mine.write_text("not ours")
        project.export(out, format="jsonl", history=True, repository="r")
        assert files(out) == [
            "history/month=2026-10/r.jsonl", "runs/month=2026-10/another.csv", "runs/month=2026-10/r.jsonl", "runs/month=2026-11/r.jsonl"
        ]  # fmt: skip
        git("update-ref", "-d", runs.RUNS + "2026-10/old", cwd=repository)
        project.export(out, format="csv", repository="r")
        assert files(out) == ["runs/month=2026-10/another.csv", "runs/month=2026-11/r.csv"]
        assert not (out / "history").exists()
        project.export(out, "name = none", format="csv", repository="r")
        assert files(out) == ["runs/month=2026-10/another.csv"]

    def test_only_runs_that_are_asked_for_are_in_it(self, project, repository, tmp_path):
        for day in ("2026-09-01", "2026-10-01", "2026-11-01"):
            save(repository, f"run-{day[5:7]}", day=day, metrics={"accuracy": float(day[5:7])})
        done = project.export(tmp_path / "out", "metrics.accuracy < 11", since="2026-09-15", format="csv")
        assert (done.runs, done.months) == (1, ("2026-10",))
        assert [row["name"] for row in rows(tmp_path / "out")] == ["run-10"]
        with pytest.raises(QueryError):
            project.export(tmp_path / "never", "metrics.acuracy < 11", format="csv")
        assert not (tmp_path / "never").exists()

    def test_what_cannot_be_read_is_named_and_costs_the_others_nothing(self, project, repository, git, tmp_path):
        save(repository, "whole")
        git("update-ref", f"{runs.RUNS}2026-11/none", "HEAD", cwd=repository)
        git("update-ref", f"{runs.RUNS}odd", "HEAD", cwd=repository)
        done = project.export(tmp_path / "out", format="csv")
        assert (done.runs, done.months) == (1, ("2026-11",))
        assert {one.name for one in done.broken} == {"none", "odd"}
        assert len(files(tmp_path / "out")) == 1

    def test_a_repository_without_runs_makes_no_folder(self, project, tmp_path):
        assert project.export(tmp_path / "a" / "out", format="csv").runs == 0
        assert not (tmp_path / "a").exists()

    def test_inside_of_the_work_tree_git_ignores_it(self, project, repository, git):
        save(repository, "one")
        before = git("status", "--porcelain", cwd=repository)
        project.export("exports", format="csv")
        assert (repository / "exports" / "runs").is_dir()
        assert git("status", "--porcelain", cwd=repository) == before

    def test_a_folder_of_the_users_gets_no_gitignore(self, project, repository):
        save(repository, "one")
        (repository / "results").mkdir()
        project.export("results", format="csv")
        assert [path.name for path in (repository / "results").iterdir()] == ["runs"]

    def test_a_history_that_is_lost_is_named_and_costs_the_others_nothing(self, project, repository, git, tmp_path):
        oid = save(repository, "torn", files=histories(loss=[Point(7.0, 0, 1.0)], **{"val/a": [Point(8.0, 0, 2.0)]}))
        save(repository, "whole", files=histories(loss=[Point(9.0, 0, 3.0)]))
        blob = git("rev-parse", f"{oid}:.exptrack/history/loss.tsv", cwd=repository)
        (repository / ".git" / "objects" / blob[:2] / blob[2:]).unlink()
        done = project.export(tmp_path / "out", format="csv", history=True)
        assert (done.runs, done.points) == (2, 2)
        assert [(one.name, one.reason) for one in done.broken] == [
            ("torn", "a history of it is missing from the repository, or broken; `git fsck` tells more")
        ]

    def test_what_a_killed_export_left_goes_and_what_another_writes_stays(self, project, repository, tmp_path):
        import fcntl
        import os

        save(repository, "one")
        out = tmp_path / "out"
        for name in (".r.dead.part", ".r.alive.part", ".other.dead.part"):
            (out / name / "runs").mkdir(parents=True)
        lock = os.open(out / ".r.alive.part", os.O_RDONLY)
        fcntl.flock(lock, fcntl.LOCK_EX)
        project.export(out, format="csv", repository="r")
        os.close(lock)
        assert sorted(path.name for path in out.iterdir()) == [".other.dead.part", ".r.alive.part", "runs"]

    def test_with_a_full_disk_the_folder_stays_as_it_was(self, project, repository, small_disk):
        disk = small_disk(1)
        save(repository, "one")
        project.export(disk / "out", format="csv")
        before = {path: (disk / "out" / path).read_bytes() for path in files(disk / "out")}
        save(
            repository,
            "large",
            files=histories(loss=[Point(step * 1.1, step, math.sin(step)) for step in range(30_000)]),
        )
        forms = ["csv", "jsonl", *(["parquet"] if _has_pyarrow() else [])]
        (disk / "filler").write_bytes(b"x" * 900_000)
        for form in forms:
            with pytest.raises(
                ExptrackError,
                match=r"^'.*out' cannot be written: .*[Nn]o space left on device.*; nothing in it was changed$",
            ):
                project.export(disk / "out", format=form, history=True)
            assert {path: (disk / "out" / path).read_bytes() for path in files(disk / "out")} == before

    def test_without_pyarrow_parquet_says_what_to_do(self, project, odd, tmp_path, monkeypatch):
        monkeypatch.setitem(sys.modules, "pyarrow.parquet", None)
        with pytest.raises(
            DataError,
            match=r"^to write Parquet `pip install 'exptrack\[parquet\]'` \(pyarrow\), or export with --format csv or jsonl$",
        ):
            project.export(tmp_path / "out")
        assert not (tmp_path / "out").exists()


def _has_pyarrow() -> bool:
    from importlib.util import find_spec

    return find_spec("pyarrow") is not None


class TestStream:
    def test_all_months_come_one_after_the_other(self, project, odd):
        file = io.BytesIO()
        assert export_stream(project.context, file, Asked(form="csv"), project.context.progress).runs == 2
        assert [row["name"] for row in csv.DictReader(io.StringIO(file.getvalue().decode()))] == ["full", "plain"]

    def test_parquet_is_none(self, project, odd):
        with pytest.raises(ExptrackError, match="Parquet is no stream"):
            export_stream(project.context, io.BytesIO(), Asked(), project.context.progress)


class TestNames:
    @pytest.mark.parametrize(
        "url",
        [
            "https://github.com/team/Digits.git", "https://user:token@GitHub.com/team/Digits", "ssh://git@github.com:22/team/Digits.git/",
            "git@github.com:team/Digits.git", "git@github.com:/team/Digits", "http://***@github.com:8080/team/Digits/",
        ],
    )  # fmt: skip
    def test_all_ways_to_a_remote_are_one(self, url):
        assert normalise(url, Path("/here")) == "github.com/team/Digits"

    def test_a_path_is_seen_from_the_root(self, tmp_path):
        assert normalise("../digits.git", tmp_path / "clone") == str(tmp_path.resolve() / "digits")
        assert normalise(f"file://{tmp_path}/digits/.git", tmp_path) == str(tmp_path.resolve() / "digits")

    def test_clones_share_a_name_and_a_fork_has_its_own(self, repository, git, tmp_path):
        git("clone", "--quiet", "--bare", repository, tmp_path / "shared.git")
        git("clone", "--quiet", tmp_path / "shared.git", tmp_path / "one")
        git("clone", "--quiet", "--depth", "1", f"file://{tmp_path}/shared.git", tmp_path / "two")
        git("clone", "--quiet", "--bare", repository, tmp_path / "fork" / "shared.git")
        git("clone", "--quiet", tmp_path / "fork" / "shared.git", tmp_path / "three")
        one, two, three = (name_repository(find_repository(tmp_path / name)) for name in ("one", "two", "three"))
        assert one == two
        assert one.startswith("shared-")
        assert three.startswith("shared-")
        assert three != one

    def test_without_a_remote_it_is_the_folder_and_the_first_commit(self, repository, git, tmp_path):
        name = name_repository(find_repository(repository))
        assert name.startswith("project-")
        git("commit", "--quiet", "--allow-empty", "-m", "second", cwd=repository)
        assert name_repository(find_repository(repository)) == name
        odd = tmp_path / "été & co"
        git("init", "--quiet", odd)
        assert name_repository(find_repository(odd)).startswith("t-co-")

    @pytest.mark.parametrize("name", ["", "a/b", "..", ".a", "-a", "a b", "*", "é", "a" * 101])
    def test_a_name_is_one_that_files_may_have(self, project, tmp_path, name):
        with pytest.raises(ExptrackError, match="is no name for files of a repository"):
            project.export(tmp_path / "out", repository=name, format="csv")
