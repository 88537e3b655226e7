"""The benchmarks run, say what they measured, and leave nothing behind; the repositories that they read are as the real ones."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from exptrack.analysis.annotationlines import decode_annotations
from exptrack.analysis.codec import decode_environment
from exptrack.model.annotation import AnnotationKind
from exptrack.model.run import Run, Status
from exptrack.project import Project
from exptrack.store.annotation import NOTES

ROOT = Path(__file__).parent.parent
SCRIPT = ROOT / "benchmarks" / "run.py"
sys.path.append(str(ROOT))  # at the end: an installed package comes first

from benchmarks.experiments import forget, make_experiments  # noqa: E402
from benchmarks.invent import PER_BASE, invent_records  # noqa: E402
from benchmarks.measure import BenchmarkError, Case, Group, Target, measure  # noqa: E402
from benchmarks.populate import make_runs, tag_of  # noqa: E402
from benchmarks.report import check_page, describe, write_page  # noqa: E402
from benchmarks.studies import EXPERIMENT, Shape, Study, invent_study, make_study  # noqa: E402
from benchmarks.worlds import seal  # noqa: E402

TRUE = ("true",)
PAGE = "# Title\n\nbefore\n\n<!-- measured -->\nold\n<!-- end of measured -->\n\nafter\n"


@pytest.fixture
def benchmark(tmp_path):
    """Run the script with small sizes; `tmp_path/t` is where it may put temporary files."""
    (tmp_path / "t").mkdir()

    def call(*options, cwd=tmp_path):
        return subprocess.run(
            [sys.executable, SCRIPT, "-n", "1", "--files", "30", "--runs", "2", *map(str, options)],
            capture_output=True, text=True, cwd=cwd, check=False, env={**os.environ, "TMPDIR": str(tmp_path / "t")},
        )  # fmt: skip

    return call


class TestScript:
    def test_each_command_has_a_row_with_its_times_and_targets(self, benchmark, tmp_path):
        groups = [word for group in ("start", "small", "large", "changed", "read") for word in ("--only", group)]
        done = benchmark(*groups, "--json", tmp_path / "times.json", "--check")
        assert done.returncode == 0, done.stderr
        assert done.stderr == ""
        written = json.loads((tmp_path / "times.json").read_text())
        rows = written["rows"]
        assert [(row["group"], row["command"], *(one["target"] for one in row["targets"])) for row in rows] == [
            ("start-up", "python -c pass"),
            ("start-up", "import exptrack", "added <= 30 ms"),
            ("start-up", "exptrack --version"),
            ("start-up", "exptrack ls (10 runs)"),
            ("20 files", "true"),
            ("20 files", "exptrack run, cold", "added <= 150 ms"),
            ("20 files", "exptrack run, warm", "added <= 150 ms"),
            ("30 files", "true"),
            ("30 files", "exptrack run, cold", "added <= 300 ms"),
            ("30 files", "exptrack run, warm", "added <= 300 ms"),
            ("30 files, 30 changed, 200 new", "true"),
            ("30 files, 30 changed, 200 new", "exptrack run, cold", "added <= 300 ms"),
            ("30 files, 30 changed, 200 new", "exptrack run, warm", "added <= 300 ms"),
            ("2 runs", "git for-each-ref"),
            ("2 runs", "exptrack ls"),
            ("2 runs", "exptrack ls -n 20"),
            ("2 runs", "exptrack ls QUERY"),
            ("2 runs", "exptrack log --oneline"),
            ("2 runs", "exptrack show NAME", "<= 200 ms"),
            ("2 runs", "exptrack show TAG", "<= 200 ms"),
            ("2 runs", "exptrack show OID", "<= 200 ms"),
            ("2 runs", "exptrack show @", "<= 200 ms"),
            ("2 runs", "exptrack diff A B", "<= 200 ms"),
        ]
        for row in rows:
            assert len(row["seconds"]) == len(row["cpu"]) == 1
            assert row["median"] == row["seconds"][0] > 0
        assert list((tmp_path / "t").iterdir()) == []
        _, _, head, *lines = done.stdout.splitlines()
        assert head.split() == ["command", "min", "median", "max", "cpu", "added", "target", "found", "met"]
        assert [line for line in lines if not line.startswith(" ")] == list(dict.fromkeys(row["group"] for row in rows))
        for line, row in zip([line for line in lines if line.startswith(" ")], rows, strict=True):
            assert line.strip().startswith(row["command"])
            assert f"{row['median'] * 1000:.1f}" in line
            assert all(line.endswith({True: "yes", False: "no"}[one["met"]]) for one in row["targets"])

    def test_isolated_runs_pipelines_and_reproductions_have_rows(self, benchmark, tmp_path):
        names = ("isolated", "pipeline", "together", "reproduce")
        groups = [word for group in names for word in ("--only", group)]
        done = benchmark(*groups, "--alone", "--json", tmp_path / "times.json")
        assert done.returncode == 0, done.stderr
        assert done.stderr == ""
        rows = json.loads((tmp_path / "times.json").read_text())["rows"]
        stages = "a pipeline, three empty stages"
        assert [(row["group"], row["command"], *(one["target"] for one in row["targets"])) for row in rows] == [
            *(
                row
                for group in ("20 files, isolated", "30 files, isolated")
                for row in (
                    (group, "true"),
                    (group, "exptrack run"),
                    (group, "exptrack run --isolated, new"),
                    (group, "exptrack run --isolated", "of exptrack run", "of exptrack run --isolated, new"),
                )
            ),
            (stages, "the stages alone"),
            (stages, "exptrack run"),
            (stages, "exptrack run -S, new slot", "added <= 2000 ms"),
            (stages, "exptrack run -S", "added <= 2000 ms"),
            ("four pipelines at once", "the stages alone"),
            ("four pipelines at once", "exptrack run -S, 4 times"),
            ("reproduction, a run of true", "git worktree add, and it"),
            ("reproduction, a run of true", "exptrack reproduce"),
            ("reproduction, a run of three empty stages", "git worktree add, and it"),
            ("reproduction, a run of three empty stages", "exptrack reproduce"),
        ]
        assert list((tmp_path / "t").iterdir()) == []

    def test_checks_of_claims_have_rows(self, benchmark, tmp_path):
        done = benchmark("--only", "check", "--alone", "--json", tmp_path / "times.json")
        assert done.returncode == 0, done.stderr
        rows = json.loads((tmp_path / "times.json").read_text())["rows"]
        assert [(row["group"], row["command"], *(one["target"] for one in row["targets"])) for row in rows] == [
            ("a claimed run of the example, in a fresh clone", "the stages alone"),
            ("a claimed run of the example, in a fresh clone", "exptrack check", "added <= 5000 ms"),
            ("a branch without a claim", "git log origin/main..HEAD"),
            ("a branch without a claim", "exptrack check", "<= 200 ms"),
            ("a commit", "git commit"),
            ("a commit", "git commit, with the hook", "added <= 20 ms"),
            ("a commit", "git commit of a claim", "added <= 400 ms"),
            ("a history of 2 commits without a claim", "git log --grep"),
            ("a history of 2 commits without a claim", "exptrack check --all-recent 1", "<= 200 ms"),
        ]
        assert list((tmp_path / "t").iterdir()) == []

    def test_comparisons_have_rows(self, benchmark, tmp_path):
        done = benchmark("--only", "compare", "--json", tmp_path / "times.json")
        assert done.returncode == 0, done.stderr
        rows = json.loads((tmp_path / "times.json").read_text())["rows"]
        assert [(row["group"], row["command"], *(one["target"] for one in row["targets"])) for row in rows] == [
            ("6 runs in 2 configurations", "import scipy.special"),
            ("6 runs in 2 configurations", "exptrack compare", "added <= 3000 ms"),
            ("6 runs in 2 configurations", "exptrack compare, by words", "added <= 3000 ms"),
            ("6 runs in 2 configurations", "exptrack compare -e, all of it"),
            ("6 runs in 2 configurations", "exptrack select"),
            ("6 runs in 2 configurations", "exptrack conclude"),
            ("6 runs in 2 configurations", "exptrack compare, in 2"),
            ("10 runs in 2 configurations", "import scipy.special"),
            ("10 runs in 2 configurations", "exptrack compare"),
        ]
        assert list((tmp_path / "t").iterdir()) == []

    def test_commands_of_dvc_stand_beside_ours(self, benchmark, tmp_path):
        done = benchmark("--only", "apply", "--json", tmp_path / "times.json")
        assert done.returncode == 0, done.stderr
        rows = json.loads((tmp_path / "times.json").read_text())["rows"]
        assert [(row["group"], row["command"], *(one["target"] for one in row["targets"])) for row in rows] == [
            ("apply", "git restore --source=RUN"),
            ("apply", "exptrack apply", "of dvc exp apply"),
            ("apply", "dvc exp apply"),
            ("branch", "git branch"),
            ("branch", "exptrack branch", "of dvc exp branch"),
            ("branch", "dvc exp branch"),
        ]

    @pytest.mark.skipif(Path(sys.executable).with_name("git").exists(), reason="a git beside Python comes first")
    def test_a_command_that_fails_is_named_and_nothing_is_left(self, benchmark, tmp_path, monkeypatch):
        broken = tmp_path / "bin"
        broken.mkdir()
        (broken / "git").write_text("#!/bin/sh\necho 'out of order' >&2\nexit 9\n")
        (broken / "git").chmod(0o755)
        monkeypatch.setenv("PATH", str(broken))
        done = benchmark("--only", "small")
        assert done.returncode == 2
        assert done.stderr.startswith("benchmarks: 'git init ")
        assert done.stderr.endswith(" gave 9: out of order\n")
        assert list((tmp_path / "t").iterdir()) == []

    def test_the_report_goes_between_the_marks_and_all_else_is_kept(self, benchmark, tmp_path):
        page = tmp_path / "page.md"
        page.write_text(PAGE)
        for _ in range(2):
            done = benchmark("--only", "read", "--report", page)
            assert done.returncode == 0, done.stderr
            before, rest = page.read_text().split("<!-- measured -->\n")
            written, after = rest.split("<!-- end of measured -->")
            assert (before, after) == ("# Title\n\nbefore\n\n", "\n\nafter\n")
            assert re.search(r"^Measured on \d{4}-\d\d-\d\d: exptrack .*; dvc .*; git .*; Python ", written)
            assert "old" not in written
            assert "### 2 runs\n" in written
            assert "| `exptrack show NAME` |" in written

    def test_the_help_names_the_options(self, benchmark):
        done = benchmark("--help")
        assert done.returncode == 0
        for option in (
            "-n N",
            "--files N",
            "--runs N,N",
            "--only",
            "--skip",
            "--alone",
            "--json FILE",
            "--report FILE",
            "--check",
        ):
            assert option in done.stdout

    @pytest.mark.parametrize(
        "words",
        [
            ("-n", "0"), ("--skip", "nothing"), ("--only", "nothing"), ("--json", "no/such/folder"), ("--runs", "1"),
            ("--runs", "many"), ("--report", "no/such/page.md"),
        ],
    )  # fmt: skip
    def test_wrong_usage_is_refused(self, benchmark, words):
        assert benchmark(*words).returncode == 2


class TestMeasure:
    def test_a_share_is_judged_by_the_other_case(self, tmp_path):
        slow = Case("slow", ("sleep", "0.5"), tmp_path, targets=(Target(0.5, of="quick"),), rounds=1)
        quick = Case(
            "quick", TRUE, tmp_path, targets=(Target(0.5, of="slow"), Target(of="slow"), Target(10, is_added=True))
        )
        first, second = measure(Group("two", (slow, quick)), os.environ, rounds=2)
        assert [verdict.met for verdict in first.verdicts] == [False]
        assert [verdict.met for verdict in second.verdicts] == [True, None, True]
        assert first.added is None
        assert second.added == second.median - first.median < 0

    def test_a_slow_case_has_fewer_rounds(self, tmp_path):
        cases = (Case("often", TRUE, tmp_path), Case("seldom", TRUE, tmp_path, rounds=2))
        assert [len(row.seconds) for row in measure(Group("two", cases), os.environ, rounds=4)] == [4, 2]

    def test_a_case_is_prepared_each_time(self, tmp_path):
        prepared = []
        case = Case("true", TRUE, tmp_path, prepare=lambda: prepared.append(1))
        measure(Group("one", (case,)), os.environ, rounds=3)
        assert len(prepared) == 4  # and once for the round that is not counted
        measure(Group("one", (case._replace(rounds=1),)), os.environ, rounds=3)
        assert len(prepared) == 5

    @pytest.mark.parametrize(
        ("target", "text"),
        [
            (Target(0.2), "<= 200 ms"),
            (Target(0.03, is_added=True), "added <= 30 ms"),
            (Target(1 / 80, of="dvc exp show"), "<= 1/80 of dvc exp show"),
            (Target(0.1, of="dvc exp run", is_added=True), "added <= 1/10 of dvc exp run"),
            (Target(of="dvc exp show"), "of dvc exp show"),
        ],
    )
    def test_a_target_says_what_was_promised(self, target, text):
        assert describe(target) == text


class TestPage:
    @pytest.mark.parametrize("text", ["# Title\n", "<!-- measured -->\n", "<!-- end of measured -->\n"])
    def test_a_page_without_marks_is_refused_and_kept(self, tmp_path, text):
        page = tmp_path / "page.md"
        page.write_text(text)
        for act in (check_page, lambda path: write_page(path, "new")):
            with pytest.raises(BenchmarkError, match="has no lines <!-- measured --> and <!-- end of measured -->"):
                act(page)
        assert page.read_text() == text

    def test_the_page_of_the_documentation_can_be_written(self):
        check_page(ROOT / "docs" / "performance.md")


NUMBER = PER_BASE + 20


@pytest.fixture(scope="module")
def recorded(tmp_path_factory):
    """A repository with runs on two bases, and their names."""
    place = tmp_path_factory.mktemp("recorded")
    return place / "repository", make_runs(place / "repository", NUMBER, seal(place / "home"))


class TestRuns:
    def test_git_finds_nothing_wrong(self, recorded, git):
        assert git("fsck", "--strict", "--no-progress", cwd=recorded[0]) == ""

    def test_every_run_is_read_as_it_was_made_up(self, recorded):
        folder, names = recorded
        runs = list(Project(folder).runs())
        assert all(isinstance(run, Run) for run in runs)
        made_up = list(invent_records(NUMBER))
        assert sorted(runs, key=lambda run: run.record.started) == [
            next(run for run in runs if run.name == record.name)._replace(record=record) for record in made_up
        ]
        assert names == tuple(record.name for record in made_up)

    def test_the_runs_are_mixed(self, recorded):
        runs = list(Project(recorded[0]).runs())
        statuses = Counter(run.record.status for run in runs)
        assert set(statuses) == set(Status)
        assert 0.75 < statuses[Status.COMPLETED] / NUMBER < 0.95
        assert len({run.ref.split("/")[3] for run in runs}) > 3
        assert len({run.record.experiment for run in runs}) > 3

    def test_a_run_stands_on_its_snapshot_and_that_on_a_base(self, recorded, git):
        folder, names = recorded
        run = Project(folder).run(names[-1])
        assert git("log", "-1", "--format=%s", run.snapshot, cwd=folder) == f"snapshot of {names[-1]}"
        assert run.base == git("rev-parse", "main", cwd=folder)
        assert git("diff", "--name-only", run.base, run.snapshot, cwd=folder) == "params.yaml"
        assert git("diff", "--name-only", run.snapshot, run.oid, cwd=folder).splitlines() == [
            ".exptrack/environment.json",
            ".exptrack/history/accuracy.tsv",
            ".exptrack/output.log",
            ".exptrack/requirements.txt",
            ".exptrack/run.json",
            "metrics.json",
        ]

    def test_the_environment_is_shared_by_the_runs_of_a_base(self, recorded, git):
        folder, names = recorded
        oids = [Project(folder).run(name).oid for name in (names[0], names[1], names[-1])]
        first, second, last = (git("rev-parse", f"{oid}:.exptrack/environment.json", cwd=folder) for oid in oids)
        assert first == second != last
        assert len(decode_environment(git("cat-file", "blob", last, cwd=folder).encode()).packages) == 150

    def test_one_of_fifty_carries_a_tag_and_a_note(self, recorded, git):
        folder, names = recorded
        noted = {line.split()[1] for line in git("notes", f"--ref={NOTES}", "list", cwd=folder).splitlines()}
        assert noted == {Project(folder).run(name).oid for name in names[::50]}
        for oid in noted:
            lines = decode_annotations(git("notes", f"--ref={NOTES}", "show", oid, cwd=folder))
            assert [line.kind for line in lines] == [AnnotationKind.TAG, AnnotationKind.NOTE]
        assert Project(folder).run(tag_of(120)).name == names[100]

    def test_all_of_it_is_packed_and_the_work_tree_is_clean(self, recorded, git):
        folder, _ = recorded
        assert [path for path in (folder / ".git" / "refs").rglob("*") if path.is_file()] == []
        assert "count: 0\n" in git("count-objects", "-v", cwd=folder)
        assert git("status", "--porcelain", cwd=folder) == ""


@pytest.mark.parametrize("shape", Shape)
def test_a_study_is_read_as_so_many_configurations_with_so_many_seeds(tmp_path, shape, git):
    study = Study(120, 6, shape, is_declared=True)
    folder = make_study(tmp_path / "study", study, seal(tmp_path / "home"))
    assert git("fsck", "--strict", "--no-progress", cwd=folder) == ""
    runs = Project(folder).runs()
    assert not runs.broken
    by_name = {run.name: run.record for run in runs}
    assert by_name == {record.name: record for record, _ in invent_study(study)}
    comparison = Project(folder).compare(experiment=EXPERIMENT)
    assert [len(one.runs) for one in comparison.configurations] == [20] * 6
    assert comparison.baseline is not None
    assert len(comparison.verdicts) == 5
    assert sum(one.sample.failed for one in comparison.configurations) == 2
    assert {run.record.sealed for run in runs} == {("test",), ()}

    def test_the_same_number_gives_the_same_commits(self, tmp_path, git):
        for name in ("one", "two"):
            make_runs(tmp_path / name, 20, os.environ)
        assert git("show-ref", cwd=tmp_path / "one") == git("show-ref", cwd=tmp_path / "two")

    def test_the_commands_work_on_it(self, recorded, exptrack):
        folder, names = recorded
        listed, shown, differing = (
            exptrack(*words, cwd=folder) for words in (["ls"], ["show", names[7]], ["diff", names[0], names[-1]])
        )
        assert [done.returncode for done in (listed, shown, differing)] == [0, 0, 0]
        assert not any("cannot" in done.stderr for done in (listed, shown, differing))
        assert len(listed.stdout.splitlines()) == NUMBER + 1
        assert names[7] in shown.stdout
        assert "accuracy" in differing.stdout

    def test_a_git_that_fails_is_named(self, tmp_path):
        (tmp_path / "taken").write_text("")
        with pytest.raises(BenchmarkError, match="'git init "):
            make_runs(tmp_path / "taken", 2, os.environ)


class TestExperiments:
    @pytest.fixture
    def twin(self, tmp_path):
        folder = tmp_path / "twin"
        return folder, make_experiments(folder, 6, os.environ)

    def test_dvc_finds_them_with_their_parameters_and_metrics(self, twin):
        folder, names = twin
        assert set(dvc(folder, "exp", "list", "--name-only").split()) == set(names)
        _, baseline = json.loads(dvc(folder, "exp", "show", "--json"))
        found = {one["name"]: one["revs"][0]["data"] for one in baseline["experiments"]}
        for record in invent_records(6):
            assert found[record.name]["params"]["params.yaml"]["data"] == record.params["params.yaml"]
            assert found[record.name]["metrics"]["metrics.json"]["data"] == record.metrics
        assert len(found) == 6

    def test_dvc_finds_the_pipeline_up_to_date(self, twin):
        assert "up to date" in dvc(twin[0], "status")

    def test_what_dvc_keeps_of_them_is_forgotten(self, twin):
        folder, _ = twin
        cached, sites = folder / ".dvc" / "tmp" / "exps" / "cache", Path(os.environ["DVC_SITE_CACHE_DIR"])
        for _ in range(2):
            forget(folder, os.environ)()
            assert not cached.exists()
            assert not sites.exists()
            dvc(folder, "exp", "show", "--json")
            assert len([path for path in cached.rglob("*") if path.is_file()]) == 7  # and the baseline


def dvc(folder, *words):
    done = subprocess.run(
        [sys.executable, "-m", "dvc", *words], cwd=folder, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout
