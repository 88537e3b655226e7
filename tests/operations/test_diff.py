"""What differs between runs, commits and the work tree."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import processes
import pytest

from exptrack.errors import RevError
from exptrack.model.change import Kind
from exptrack.model.difference import Area, DataFile, Difference, FileChange, SideKind
from exptrack.project import Project

PYTHON = sys.executable
WRITE = "import sys; open('metrics.json', 'w').write(sys.argv[1])"


@pytest.fixture
def record(exptrack):
    def call(
        name: str, *words: str, code: str = WRITE, metrics: str = '{"accuracy": 0.5}', options: tuple = ()
    ) -> None:
        done = exptrack("run", "--name", name, *options, "--", PYTHON, "-c", code, metrics, *words)
        assert done.returncode == 0, done.stderr

    return call


@pytest.fixture
def dvc(repository):
    def call(*words: str) -> None:
        done = processes.run([PYTHON, "-m", "dvc", *words], cwd=repository, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr

    return call


def changes(difference: Difference, *areas: str) -> list[tuple]:
    """(area, key, old, new) of what differs; without `areas` of parameters, metrics and data."""
    wanted = areas or ("params", "metrics", "data")
    return [
        (one.area, ".".join(one.key) if one.area != "data" else one.key[0], one.old, one.new)
        for one in difference.changes
        if one.area in wanted
    ]


def files(difference: Difference) -> dict[str, str]:
    return {one.path: str(one.kind) for one in difference.files}


def state(folder: Path) -> dict[str, tuple[int, int]]:
    """Every file below a folder, with its size and time; our caches left out."""
    return {
        str(path): (path.lstat().st_size, path.lstat().st_mtime_ns)
        for path in folder.rglob("*")
        if not path.is_dir() and ".git/exptrack/cache" not in str(path)
    }


class TestRuns:
    def test_values_and_code_differ(self, record, repository):
        record("one")
        (repository / "train.py").write_text("print('edited')\n")
        (repository / "new.py").write_text("1\n")
        record("two", "lr=0.5", metrics='{"accuracy": 0.75, "loss": {"train": 1}}')
        found = Project(repository).diff("one", "two")
        assert changes(found) == [
            ("params", "lr", 0.25, 0.5),
            ("metrics", "accuracy", 0.5, 0.75),
            ("metrics", "loss.train", None, 1),
        ]
        assert found.files == (FileChange("new.py", Kind.ADDED, 1, 0), FileChange("train.py", Kind.CHANGED, 1, 3))
        assert "+print('edited')" in found.patch
        assert (found.old.kind, found.new.name, found.skipped) == (SideKind.RUN, "two", {})

    def test_a_run_and_itself_do_not_differ(self, record, repository):
        record("one")
        found = Project(repository).diff("one", "one")
        assert found.is_empty
        assert found.patch == ""

    def test_files_that_are_compared_by_value_are_no_code(self, record, repository, git):
        (repository / ".gitignore").write_text("")
        (repository / "metrics.json").write_text('{"accuracy": 0}')
        git("add", ".", cwd=repository)
        git("commit", "-qm", "metrics are tracked", cwd=repository)
        record("one")
        (repository / "params.yaml").write_text("lr: 0.5\n")
        record("two", metrics='{"accuracy": 0.75}')
        found = Project(repository).diff("one", "two")
        assert (files(found), found.patch) == ({}, "")
        assert changes(found) == [("params", "lr", 0.25, 0.5), ("metrics", "accuracy", 0.5, 0.75)]

    def test_only_what_is_asked_for_is_compared(self, record, repository):
        record("one")
        record("two", "lr=0.5", metrics='{"accuracy": 0.75}')
        found = Project(repository).diff("one", "two", areas=[Area.METRICS])
        assert {one.area for one in found.changes} == {"metrics"}
        assert found.files == ()

    def test_packages_interpreter_and_variables_are_compared(self, record, repository, exptrack):
        record("one")
        exptrack("run", "--name", "two", "--", "true", env={**os.environ, "OMP_NUM_THREADS": "3"})
        record("three")
        project = Project(repository)
        found = changes(project.diff("one", "two"), "environment")
        assert ("environment", "variables.OMP_NUM_THREADS", None, "3") in found
        assert changes(project.diff("one", "three"), "environment") == []

    def test_an_environment_that_was_not_captured_is_skipped_with_the_reason(self, record, repository, git):
        record("one")
        record("two")
        [ref] = git("for-each-ref", "--format=%(refname)", "refs/exptrack/runs/*/two", cwd=repository).split()
        index = {**os.environ, "GIT_INDEX_FILE": str(repository / ".git" / "scratch")}
        for words in (["read-tree", ref], ["rm", "-q", "--cached", ".exptrack/environment.json"]):
            subprocess.run(["git", *words], cwd=repository, env=index, check=True)
        tree = subprocess.run(
            ["git", "write-tree"], cwd=repository, env=index, capture_output=True, text=True, check=True
        )
        commit = git("commit-tree", tree.stdout.strip(), "-p", f"{ref}^", "-m", "two", cwd=repository)
        git("update-ref", ref, commit, cwd=repository)
        found = Project(repository).diff("one", "two")
        assert found.skipped == {"environment": "two: it was not captured"}


class TestData:
    @pytest.fixture(autouse=True)
    def project(self, repository, dvc, git):
        dvc("init", "--quiet")
        data = repository / "data"
        data.mkdir()
        for name in "abc":
            (data / name).write_text(name)
        dvc("add", "--quiet", "data")
        git("add", ".", cwd=repository)
        git("commit", "-qm", "data", cwd=repository)

    def test_files_of_a_folder_are_told_apart(self, record, repository, dvc):
        record("one")
        (repository / "data" / "a").write_text("changed")
        (repository / "data" / "b").unlink()
        (repository / "data" / "new").mkdir()
        (repository / "data" / "new" / "d").write_text("dd")
        dvc("add", "--quiet", "data")
        record("two")
        found = Project(repository).diff("one", "two")
        assert [key for _, key, _, _ in changes(found, "data")] == ["data"]
        assert found.folders == {
            "data": (
                DataFile("a", Kind.CHANGED, 1, 7),
                DataFile("b", Kind.REMOVED, 1, None),
                DataFile("new/d", Kind.ADDED, None, 2),
            )
        }
        assert (found.old.pointers["data"].files, found.new.pointers["data"].files) == (3, 3)
        assert files(found) == {}

    def test_without_the_listings_the_folder_as_a_whole_differs(self, record, repository, dvc):
        record("one")
        (repository / "data" / "a").write_text("changed")
        dvc("add", "--quiet", "data")
        record("two")
        for listing in (repository / ".dvc" / "cache").rglob("*.dir"):
            listing.unlink()
        found = Project(repository).diff("one", "two")
        assert len(changes(found, "data")) == 1
        assert found.folders == {}

    def test_data_that_changed_without_its_pointer_differs(self, record, repository):
        record("one")
        (repository / "data" / "a").write_text("changed")
        record("two")
        record("three")
        project = Project(repository)
        [(_, _, old, new)] = changes(project.diff("one", "two"), "data")
        assert new == f"{old} modified"
        both = project.diff("two", "three")
        assert changes(both, "data") == []
        assert both.cautions == (
            "data was modified on both sides without its pointer: whether it differs cannot be told",
        )
        [(_, _, _, here)] = changes(project.diff("one", "."), "data")
        assert here == new
        assert project.overview(["one", "two", "three"]).cautions == (
            "data was modified on 2 sides without its pointer: whether it differs cannot be told",
        )

    def test_data_that_is_not_on_disk_is_named(self, record, repository):
        record("one")
        for name in "abc":
            (repository / "data" / name).unlink()
        (repository / "data").rmdir()
        found = Project(repository).diff("one", ".")
        assert changes(found, "data") == []
        assert found.cautions == ("data is not on disk: its pointer is compared",)

    def test_outputs_are_compared_between_runs_alone(self, record, repository):
        code = "open('model', 'w').write(__import__('sys').argv[1]); " + WRITE
        record("one", code=code, options=("-o", "model"))
        record("two", code=code, metrics='{"accuracy": 0.75}', options=("-o", "model"))
        project = Project(repository)
        assert [key for _, key, _, _ in changes(project.diff("one", "two"), "data")] == ["model"]
        assert changes(project.diff("one", "main"), "data") == []
        assert changes(project.diff("one", "."), "data") == []


class TestWorkTree:
    def test_it_is_what_a_run_would_record_now(self, record, repository):
        (repository / "untracked.py").write_text("1\n")
        record("one", "only-here=1")
        project = Project(repository)
        assert changes(project.diff("one"), "params", "data") == []
        assert files(project.diff("one")) == {}
        (repository / "untracked.py").write_text("2\n")
        (repository / "more.py").write_text("3\n")
        (repository / "train.py").unlink()
        (repository / "params.yaml").write_text("lr: 0.5\n")
        found = project.diff("one", ".")
        assert files(found) == {"more.py": "added", "train.py": "removed", "untracked.py": "changed"}
        assert "+3" in found.patch
        assert changes(found) == [("params", "lr", 0.25, 0.5)]
        assert found.new.kind is SideKind.WORK_TREE
        assert changes(project.diff(".", "one"))[0] == ("params", "lr", 0.5, 0.25)

    def test_nothing_but_caches_is_written(self, record, repository):
        record("one")
        (repository / "untracked.py").write_text("2\n")
        before = state(repository)
        found = Project(repository).diff("one")
        assert files(found) == {"untracked.py": "added"}
        assert state(repository) == before

    def test_what_is_no_code_stays_out_as_in_a_run(self, record, repository):
        record("one")
        (repository / ".env").write_text("PASSWORD=1\n")
        (repository / "metrics.json").write_text('{"accuracy": 0.25}')
        (repository / "params.yaml").write_text("lr: 0.25\npassword: hunter2hunter2\n")
        found = Project(repository).diff("one", ".")
        assert files(found) == {}
        assert changes(found) == [("params", "password", None, "***"), ("metrics", "accuracy", 0.5, 0.25)]

    def test_metrics_of_the_output_are_compared_between_runs_alone(self, record, repository):
        (repository / "exptrack.yaml").write_text("capture:\n  patterns: ['loss (?P<val__loss>.*)']\n")
        code = "import os, sys; print('loss', os.environ['HOME'] and 0.5); " + WRITE
        record("one", code=code)
        (repository / "metrics.json").write_text('{"accuracy": 0.5}')
        project = Project(repository)
        assert project.run("one").metrics == {"accuracy": 0.5, "val": {"loss": 0.5}}
        assert project.diff("one", ".").is_empty
        (repository / "metrics.json").write_text('{"accuracy": 0.25}')
        found = project.diff("one", ".")
        assert changes(found) == [("metrics", "accuracy", 0.5, 0.25)]
        assert found.cautions == ("the metrics of the work tree are what lies in its files, whichever run wrote them",)

    def test_the_environment_is_that_in_which_the_command_would_run_now(self, record, repository, monkeypatch):
        record("one")
        monkeypatch.setenv("OMP_NUM_THREADS", "5")
        found = changes(Project(repository).diff("one"), "environment")
        assert ("environment", "variables.OMP_NUM_THREADS", None, "5") in found
        assert not [key for _, key, _, _ in found if not key.startswith("variables")]

    def test_a_repository_whose_path_is_odd(self, tmp_path, git):
        folder = tmp_path / 'a:b "c" \\ d'
        folder.mkdir()
        git("init", "--quiet", folder)
        (folder / "a.py").write_text("1\n")
        git("add", ".", cwd=folder)
        git("commit", "-qm", "first", cwd=folder)
        (folder / "a.py").write_text("2\n")
        found = Project(folder).diff("main", ".")
        assert files(found) == {"a.py": "changed"}


class TestCommits:
    def test_a_branch_is_read_from_its_own_files(self, record, repository, git):
        record("one")
        git("switch", "-qc", "feature", cwd=repository)
        (repository / "params.yaml").write_text("lr: 0.125\n")
        (repository / "train.py").write_text("other\n")
        (repository / "metrics.json").write_text('{"accuracy": 0.875}')
        git("add", "-f", ".", cwd=repository)
        git("commit", "-qm", "feature", cwd=repository)
        git("switch", "-q", "main", cwd=repository)
        found = Project(repository).diff("one", "feature")
        assert changes(found) == [("params", "lr", 0.25, 0.125), ("metrics", "accuracy", 0.5, 0.875)]
        assert files(found) == {"train.py": "changed"}
        assert (found.new.kind, found.new.name) == (SideKind.COMMIT, "feature")
        assert found.skipped == {"environment": "feature: a commit has none"}
        back = Project(repository).diff("feature~1", "main")
        assert back.is_empty
        assert back.skipped["metrics"] == "feature~1 and main: no file of metrics"

    def test_a_templated_pipeline_of_a_commit_is_read(self, repository, dvc, git):
        dvc("init", "--quiet")
        (repository / "dvc.yaml").write_text(
            "vars: [names.yaml]\nstages:\n  a:\n    cmd: 'true'\n    metrics:\n      - ${file}:\n          cache: false\n"
        )
        (repository / "names.yaml").write_text("file: scores.json\n")
        (repository / "scores.json").write_text(json.dumps({"f1": 0.5}))
        git("add", ".", cwd=repository)
        git("commit", "-qm", "pipeline", cwd=repository)
        (repository / "scores.json").write_text(json.dumps({"f1": 0.75}))
        git("commit", "-qam", "better", cwd=repository)
        found = Project(repository).diff("main~1", "main")
        assert found.new.problems == ()
        assert changes(found) == [("metrics", "f1", 0.5, 0.75)]
        assert files(found) == {}

    def test_a_branch_counts_more_than_the_beginning_of_a_name(self, record, repository):
        record("main-idea")
        assert Project(repository).diff("main", ".").old.kind is SideKind.COMMIT

    def test_a_run_counts_more_than_a_branch_of_its_name_and_that_is_said(self, record, repository, git):
        record("one")
        git("branch", "one", cwd=repository)
        said = []
        found = Project(repository, notice=said.append).diff("one", "refs/heads/one")
        assert (found.old.kind, found.new.kind) == (SideKind.RUN, SideKind.COMMIT)
        assert said == ["'one' is a run and a branch or tag of Git: the run is taken, `refs/heads/one` is the branch"]

    def test_what_is_neither_is_refused(self, repository):
        with pytest.raises(RevError, match="nothing"):
            Project(repository).diff("nothing", ".")


class TestOverview:
    def test_three_runs_side_by_side(self, record, repository):
        record("one")
        record("two", "lr=0.5", metrics='{"accuracy": 0.75, "loss": 1}')
        (repository / "train.py").write_text("other\n")
        record("three", metrics='{"accuracy": 0.75}')
        found = Project(repository).overview(["one", "two", "three"])
        assert [side.name for side in found.sides] == ["one", "two", "three"]
        assert [(row.area, row.key, dict(row.values)) for row in found.rows if row.area != "code"] == [
            ("params", ("lr",), {0: 0.25, 1: 0.5, 2: 0.25}),
            ("metrics", ("accuracy",), {0: 0.5, 1: 0.75, 2: 0.75}),
            ("metrics", ("loss",), {1: 1}),
        ]
        [row] = [row for row in found.rows if row.area == "code"]
        assert row.key == ("train.py",)
        assert row.values[0] == row.values[1] != row.values[2]

    def test_a_file_that_only_some_have(self, record, repository):
        record("one")
        (repository / "new.py").write_text("1\n")
        record("two")
        record("three")
        [row] = [row for row in Project(repository).overview(["one", "two", "three"]).rows if row.area == "code"]
        assert (row.key, sorted(row.values)) == (("new.py",), [1, 2])
        found = Project(repository).overview(["one", "main", "."], areas=[Area.CODE])
        assert [(one.key, sorted(one.values)) for one in found.rows] == [(("new.py",), [2])]


class TestNothingIsHidden:
    def test_a_file_of_parameters_that_cannot_be_read_is_code(self, repository, git):
        (repository / "dvc.yaml").write_text("stages:\n  a:\n    cmd: 'true'\n    params: [{train.py: [LR]}]\n")
        (repository / "train.py").write_text('LR = 0.1\nprint("hello")\n')
        git("add", ".", cwd=repository)
        git("commit", "-qm", "one", cwd=repository)
        (repository / "train.py").write_text('LR = 0.1\nprint("evil")\n')
        (repository / "params.yaml").write_text("lr: [broken\n")
        git("commit", "-qam", "two", cwd=repository)
        found = Project(repository).diff("main~1", "main")
        assert files(found) == {"params.yaml": "changed", "train.py": "changed"}
        assert '+print("evil")' in found.patch

    @pytest.mark.parametrize("source", ["", ".", "src", "train.py", "a\0b", ":(top)*", "src/"])
    def test_a_record_cannot_hide_code(self, record, repository, git, source):
        (repository / "src").mkdir()
        (repository / "src" / "a.py").write_text("1\n")
        record("one")
        (repository / "src" / "a.py").write_text("2\n")
        (repository / "train.py").write_text("other\n")
        record("two")
        project = Project(repository)
        run = project.run("two")
        lying = run._replace(record=run.record._replace(params={source: {"k": 1}}))
        found = project.diff("one", lying)
        assert files(found) == {"src/a.py": "changed", "train.py": "changed"}
        assert "+other" in found.patch

    def test_settings_of_the_user_change_nothing(self, record, repository, git, monkeypatch):
        record("one")
        (repository / "new.py").write_text((repository / "train.py").read_text())
        (repository / "train.py").unlink()
        record("two")
        project = Project(repository)
        before = project.diff("one", "two")
        assert before.files == (FileChange("new.py", Kind.CHANGED, 0, 0, "train.py"),)
        assert "rename from train.py" in before.patch
        for key, value in {"diff.renames": "false", "diff.noprefix": "true", "core.abbrev": "20"}.items():
            git("config", key, value, cwd=repository)
        git("config", "diff.orderFile", "order", cwd=repository)
        (repository / "order").write_text("z*\n")
        monkeypatch.setenv("GIT_LITERAL_PATHSPECS", "1")
        after = project.diff("one", "two")
        assert (after.files, after.patch) == (before.files, before.patch)

    def test_a_submodule_that_git_is_told_to_ignore_is_compared(self, repository, git, tmp_path):
        inner = tmp_path / "inner"
        git("init", "--quiet", inner)
        git("commit", "--allow-empty", "-qm", "one", cwd=inner)
        git("-c", "protocol.file.allow=always", "submodule", "--quiet", "add", inner, "sub", cwd=repository)
        git("config", "-f", ".gitmodules", "submodule.sub.ignore", "all", cwd=repository)
        git("commit", "-qam", "sub", cwd=repository)
        git("commit", "--allow-empty", "-qm", "two", cwd=repository / "sub")
        git(
            "update-index",
            "--cacheinfo",
            f"160000,{git('rev-parse', 'HEAD', cwd=repository / 'sub')},sub",
            cwd=repository,
        )
        git("commit", "-qm", "moved", cwd=repository)
        assert files(Project(repository).diff("main~1", "main")) == {"sub": "changed"}

    def test_a_mode_that_changed_is_told(self, record, repository):
        record("one")
        (repository / "train.py").chmod(0o755)
        record("two")
        project = Project(repository)
        [found] = project.diff("one", "two").files
        assert (found.path, found.added, found.old_mode, found.new_mode) == ("train.py", 0, "100644", "100755")
        [row] = [row for row in project.overview(["one", "two", "one"]).rows if row.area == "code"]
        assert [str(row.values[number]).partition(" ")[2] for number in range(3)] == ["100644", "100755", "100644"]

    def test_what_the_work_tree_leaves_out_is_named(self, record, repository):
        record("one")
        (repository / "huge.py").write_bytes(b"#" * 2_000_000)
        found = Project(repository).diff("one", ".")
        assert found.cautions == ("work tree: not captured: huge.py (too large)",)

    def test_parameters_behind_a_link_are_read_from_a_commit_too(self, record, repository, git):
        (repository / "conf").mkdir()
        (repository / "conf" / "real.yaml").write_text("lr: 1\n")
        (repository / "params.yaml").unlink()
        (repository / "params.yaml").symlink_to("conf/real.yaml")
        git("add", ".", cwd=repository)
        git("commit", "-qm", "link", cwd=repository)
        record("one")
        assert changes(Project(repository).diff("one", "main"), "params") == []
