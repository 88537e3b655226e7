"""A commit is what ran if each of its files is as before the run or as after it; what is not is named."""

from __future__ import annotations

import os
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from exptrack.analysis.secretshapes import MASK
from exptrack.errors import RepositoryError
from exptrack.model.change import Kind
from exptrack.model.difference import FileChange
from exptrack.model.run import Record, Run, Status
from exptrack.operations.checking.code import Compared, compare_code
from exptrack.project import Project
from exptrack.store import revs

PYTHON = sys.executable
TRAIN = (PYTHON, "train.py")
BRANCH = "claiming"


@pytest.fixture
def run(exptrack, repository):
    def call(name: str, *options: str, command: tuple[str, ...] = TRAIN) -> Run:
        done = exptrack("run", "--quiet", "--name", name, *options, *(("--", *command) if command else ()))
        assert done.returncode == 0, done.stderr
        return revs.load(Project(repository).context.repository, name)

    return call


@pytest.fixture
def commit(repository, git):
    def call(message: str = "amended") -> str:
        """All that lies in the work tree."""
        git("add", "--all", cwd=repository)
        git("commit", "--quiet", "--allow-empty", "-m", message, cwd=repository)
        return git("rev-parse", "HEAD", cwd=repository)

    return call


@pytest.fixture
def compare(repository):
    def call(run: Run, commit: str, *ignore: str, base: str | None = None, others: tuple[Run, ...] = ()) -> Compared:
        return compare_code(Project(repository).context, run, commit, ignore, others=others, base=base)

    return call


def say(found: Compared) -> list[str]:
    return [found.describe(one) for one in found.files]


class TestFiles:
    def test_the_branch_of_a_run_is_what_ran(self, run, compare, exptrack, repository, git):
        (repository / "train.py").write_text((repository / "train.py").read_text() + "print('uncommitted')\n")
        (repository / "new file.py").write_text("")
        one = run("one")
        assert exptrack("branch", "one", BRANCH).returncode == 0
        assert compare(one, git("rev-parse", BRANCH, cwd=repository)) == Compared()
        assert compare(one, one.snapshot) == compare(one, one.oid) == Compared()

    def test_work_that_was_never_committed_is_named(self, run, compare, repository, git):
        (repository / "train.py").write_text((repository / "train.py").read_text() + "print('uncommitted')\n")
        (repository / "new.py").write_text("1\n2\n")
        found = compare(run("one"), git("rev-parse", "HEAD", cwd=repository))
        assert found.files == (
            FileChange("new.py", Kind.REMOVED, 0, 2),
            FileChange("train.py", Kind.CHANGED, 0, 1),
        )
        assert say(found) == ["new.py (removed)", "train.py"]

    def test_an_amended_line_a_mode_and_a_new_file_are_named(self, run, compare, commit, repository):
        one = run("one")
        (repository / "train.py").write_text((repository / "train.py").read_text().replace("1 - lr", "1"))
        (repository / ".gitignore").chmod(0o755)
        (repository / "added.py").write_text("1\n")
        (repository / "link").symlink_to("train.py")
        found = compare(one, commit())
        assert found.files == (
            FileChange(".gitignore", Kind.CHANGED, 0, 0, None, "100644", "100755"),
            FileChange("added.py", Kind.ADDED, 1, 0),
            FileChange("link", Kind.ADDED, 1, 0),
            FileChange("train.py", Kind.CHANGED, 1, 1),
        )

    def test_what_is_to_be_ignored_may_differ(self, run, compare, commit, repository):
        one = run("one")
        (repository / "docs").mkdir()
        (repository / "docs" / "a.md").write_text("a")
        (repository / "README.md").write_text("a")
        (repository / "KEEP.md").write_text("a")
        head = commit()
        assert say(compare(one, head, "docs/", "*.md", "!KEEP.md")) == ["KEEP.md (added)"]
        assert compare(one, head, "docs/", "*.md") == Compared()

    def test_the_folder_of_exptrack_is_nobodys_code(self, run, compare, commit, repository):
        one = run("one")
        (repository / ".exptrack").mkdir()
        (repository / ".exptrack" / "run.json").write_text("{}")
        assert compare(one, commit()) == Compared()

    def test_results_may_be_missing_but_not_amended(self, run, compare, commit, repository):
        (repository / ".gitignore").unlink()
        (repository / "metrics.json").write_text('{\n"accuracy": 0\n}\n')
        before = commit("metrics are tracked")
        one = run("one")
        assert compare(one, before) == compare(one, commit("with what came out")) == Compared()
        (repository / "metrics.json").write_text('{"accuracy": 0.75, "loss": 0.1}')
        assert say(compare(one, commit())) == ["metrics.json"]
        (repository / "metrics.json").write_text('{"accuracy": 0.99}')
        # It is told beside what the run wrote, not beside what was there before.
        assert compare(one, commit()).files == (FileChange("metrics.json", Kind.CHANGED, 1, 3),)
        (repository / "metrics.json").unlink()
        assert say(compare(one, commit())) == ["metrics.json (removed)"]

    def test_a_snapshot_that_is_not_here_is_named(self, run, compare):
        one = run("one")
        with pytest.raises(RepositoryError, match="the snapshot of 'one' is not in this repository"):
            compare(one._replace(snapshot=None), one.oid)


class TestGiven:
    @pytest.fixture
    def commit_params(self, repository, commit):
        def call(text: str) -> str:
            (repository / "params.yaml").write_text(text)
            return commit()

        return call

    def test_what_a_run_was_given_need_not_be_committed(self, run, compare, repository, git):
        one = run("one", "-S", "lr=0.5")
        head = git("rev-parse", "HEAD", cwd=repository)
        assert compare(one, head) == Compared(given=("params.yaml without what the run was given: lr=0.5",))
        masked = one._replace(record=one.record._replace(overrides=(f"lr={MASK}",)))
        assert say(compare(masked, head)) == ["params.yaml"]

    def test_a_seed_is_given_too(self, run, compare, commit_params):
        script = "import pathlib; pathlib.Path('metrics.json').write_text('{\"a\": 1}')"
        head = commit_params("lr: 0.25\nseed: 1\n")
        one = run("one", "--seed", "3", "-S", "+new=2", command=(PYTHON, "-c", script))
        assert compare(one, head).given == ("params.yaml without what the run was given: +new=2, seed=3",)

    def test_comments_make_no_other_parameters(self, run, compare, commit_params):
        one = run("one", "-S", "lr=0.5")
        found = compare(one, commit_params("# how fast\nlr:   0.125  # was 0.25\n"))
        assert (found.files, len(found.given)) == ((), 1)

    @pytest.mark.parametrize("text", ["lr: 0.25\nmore: 1\n", "rate: 0.25\n", "{", "- 1\n"])
    def test_any_other_difference_is_named(self, run, compare, commit_params, text):
        one = run("one", "-S", "lr=0.5")
        assert (say(found := compare(one, commit_params(text))), found.given) == (["params.yaml"], ())

    def test_without_anything_given_a_comment_is_a_difference(self, run, compare, commit_params):
        assert say(compare(run("one"), commit_params("lr: 0.25  # slow\n"))) == ["params.yaml"]

    def test_a_seed_that_was_edited_in_the_file_was_not_given(self, run, compare, commit_params, repository):
        head = commit_params("seed: 1\n")
        (repository / "params.yaml").write_text("seed: 3\n")
        one = run("one", command=("sh", "-c", "echo '{}' > metrics.json"))
        assert one.record.seed == 3
        assert say(compare(one, head)) == ["params.yaml"]

    def test_other_code_is_named_all_the_same(self, run, compare, commit, repository):
        one = run("one", "-S", "lr=0.5")
        (repository / "train.py").write_text("")
        found = compare(one, commit())
        assert (say(found), len(found.given)) == (["train.py"], 1)

    def test_the_mode_of_a_file_was_not_given(self, run, compare, commit, repository):
        one = run("one", "-S", "lr=0.5")
        (repository / "params.yaml").chmod(0o755)
        assert say(compare(one, commit())) == ["params.yaml"]

    def test_a_project_below_the_root_is_given_its_own(self, run, compare, commit, repository):
        below = repository / "sub"
        below.mkdir()
        for name in ("train.py", "params.yaml", ".gitignore"):
            (below / name).write_text((repository / name).read_text())
        (below / "exptrack.yaml").write_text("")
        head = commit()
        done = subprocess.run(
            [PYTHON, "-m", "exptrack", "run", "--name", "one", "-S", "lr=0.5", "--", *TRAIN],
            cwd=below,
            capture_output=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        one = revs.load(Project(repository).context.repository, "one")
        assert compare(one, head).given == ("sub/params.yaml without what the run was given: lr=0.5",)


class TestData:
    @pytest.fixture
    def with_data(self, repository, dvc, commit):
        dvc("init", "--quiet")
        (repository / "data").mkdir()
        (repository / "data" / "digits.csv").write_text("1\n")
        dvc("add", "--quiet", "data/digits.csv")
        return commit("data")

    @pytest.mark.usefixtures("with_data")
    def test_data_is_named_by_its_path_and_its_pointer(self, run, compare, commit, dvc, repository):
        one = run("one")
        (repository / "data" / "digits.csv").write_text("2\n")
        dvc("add", "--quiet", "data/digits.csv")
        found = compare(one, commit())
        assert found.data == {"data/digits.csv.dvc": ("data/digits.csv",)}
        assert [(one.path, one.added, one.removed) for one in found.files] == [("data/digits.csv.dvc", 1, 1)]
        assert say(found) == ["data/digits.csv (its pointer data/digits.csv.dvc)"]
        dvc("remove", "data/digits.csv.dvc")
        assert "data/digits.csv (its pointer data/digits.csv.dvc was removed)" in say(compare(one, commit()))

    def test_a_broken_pointer_is_named_alone(self, with_data, run, compare, commit, repository):
        one = run("one")
        assert compare(one, with_data) == Compared()
        (repository / "data" / "digits.csv.dvc").write_text("{")
        assert say(compare(one, commit())) == ["data/digits.csv.dvc"]

    @pytest.mark.usefixtures("with_data")
    def test_a_pipeline_is_what_ran_before_it_and_after_it(self, run, compare, commit, exptrack, git, repository):
        (repository / "dvc.yaml").write_text(
            "stages:\n  train:\n    wdir: sub\n"
            f"    cmd: {PYTHON} -c \"open('model','w').write('m'); open('m.json','w').write('{{}}')\"\n"
            "    deps: [../data/digits.csv]\n    outs: [model]\n    metrics: [m.json]\n"
        )
        (repository / "sub").mkdir()
        (repository / "sub" / "keep").write_text("")
        before = commit("pipeline")
        one = run("one", command=())
        assert exptrack("branch", "one", BRANCH).returncode == 0
        assert compare(one, before) == compare(one, git("rev-parse", BRANCH, cwd=repository)) == Compared()
        lock = repository / "dvc.lock"
        text = lock.read_text()
        md5 = next(line.split()[-1] for line in text.splitlines() if line.strip().startswith("md5:"))
        lock.write_text(text.replace(md5, "0" * 32))
        found = compare(one, commit())
        assert found.data == {"dvc.lock": ("data/digits.csv",)}
        assert say(found) == ["data/digits.csv (in dvc.lock)"]


class TestOthers:
    """Several runs that one commit claims."""

    @pytest.fixture
    def sweep(self, run, dvc, commit, repository):
        """Two runs of the same code, each with its result and its metrics."""
        dvc("init", "--quiet")
        (repository / ".gitignore").write_text("/out.bin\n")
        commit("before")
        write = "open('out.bin', 'w').write('{0}'); open('metrics.json', 'w').write('{\"a\": {0}}')"
        runs = [run(f"r{one}", "-o", "out.bin", command=(PYTHON, "-c", write.replace("{0}", one))) for one in "12"]
        (repository / "metrics.json").unlink()
        return runs

    def test_a_commit_has_the_results_of_one(self, sweep, compare, commit, git, repository):
        one, two = sweep
        git("checkout", two.oid, "--", "metrics.json", "out.bin.dvc", cwd=repository)
        head = commit("the results of the second")
        assert compare(two, head, others=(one,)) == compare(one, head, others=(two,)) == Compared()
        assert say(compare(one, head)) == ["metrics.json", "out.bin (its pointer out.bin.dvc)"]
        (repository / "metrics.json").write_text('{"a": 3}')
        (repository / "train.py").write_text("1\n")
        assert say(compare(one, commit(), others=(two,))) == ["metrics.json", "train.py"]

    def test_what_no_run_wrote_is_not_looked_for_in_the_others(
        self, sweep, compare, commit, repository, monkeypatch, tmp_path
    ):
        one, two = sweep
        (repository / "train.py").write_text("1\n")
        head = commit()
        started = []
        for others in ((), (two,) * 9):
            trace = tmp_path / f"trace {len(others)}"
            monkeypatch.setenv("GIT_TRACE", str(trace))
            assert say(compare(one, head, others=others)) == ["train.py"]
            started.append(trace.read_text().count("trace: built-in"))
        assert started[1] <= started[0] + 1


class TestBase:
    @pytest.fixture
    def claimed(self, run, commit, repository, git):
        """A run on a branch that adds a file, while the base may move on."""
        git("switch", "--quiet", "-c", BRANCH, cwd=repository)
        (repository / "mine.py").write_text("1\n")
        commit("mine")
        return run("one")

    @pytest.fixture
    def move_main(self, repository, git, commit):
        def call(**files: str) -> str:
            git("switch", "--quiet", "main", cwd=repository)
            for name, text in files.items():
                (repository / f"{name}.py").write_text(text)
            oid = commit("main moves on")
            git("switch", "--quiet", BRANCH, cwd=repository)
            return oid

        return call

    def merge(self, repository: Path, git) -> str:
        git("merge", "--quiet", "--no-edit", "main", cwd=repository)
        return git("rev-parse", "HEAD", cwd=repository)

    def test_what_the_base_brought_since_is_told(self, claimed, move_main, compare, repository, git):
        base = move_main(train="print('better')\n", other="1\n")
        head = self.merge(repository, git)
        found = compare(claimed, head, base=base)
        assert (say(found), found.is_base_newer) == (["other.py (added)", "train.py"], True)
        assert not compare(claimed, head).is_base_newer

    def test_what_the_branch_amends_itself_was_not_brought(self, claimed, move_main, compare, commit, repository, git):
        base = move_main(train="print('better')\n")
        self.merge(repository, git)
        (repository / "mine.py").write_text("2\n")
        found = compare(claimed, commit(), base=base)
        assert (say(found), found.is_base_newer) == (["mine.py", "train.py"], False)

    def test_what_the_branch_takes_back_was_not_brought(self, claimed, move_main, compare, commit, repository):
        base = move_main(other="1\n")
        (repository / "mine.py").unlink()
        found = compare(claimed, commit(), base=base)
        assert (say(found), found.is_base_newer) == (["mine.py (removed)"], False)

    def test_a_base_without_a_commit_in_common_brought_nothing(self, claimed, compare, commit, repository, git):
        tree = git("rev-parse", "HEAD^{tree}", cwd=repository)
        alien = git("commit-tree", "-m", "alien", tree, cwd=repository)
        (repository / "mine.py").write_text("2\n")
        assert not compare(claimed, commit(), base=alien).is_base_newer


PATHS = (
    b"a", b"b", b"dir/a", b"dir/deep/b.py", b"with\nline", b"with\ttab", b'quote"', b"back\\slash", b":colon", b"\xff\xfe", b" lead",
    "é".encode(), b"-dash", b".exptrack/run.json", b"dir/.exptrack/x", b".exptrackfile",
)  # fmt: skip
STATES = st.none() | st.tuples(st.sampled_from(["100644", "100755", "120000", "160000"]), st.sampled_from("xyz"))
TREES = st.dictionaries(st.sampled_from(PATHS), st.tuples(STATES, STATES, st.sampled_from("srn"), STATES), min_size=1)


def write_trees(folder: Path, trees: list[dict[bytes, tuple[str, str]]]) -> list[str]:
    """A commit for each tree, with files, links and submodules."""
    stream = b""
    for number, tree in enumerate(trees, 1):
        stream += b"commit refs/heads/made\nmark :%d\ncommitter A <a> 0 +0000\ndata 0\ndeleteall\n" % number
        for path, (mode, content) in tree.items():
            quoted = b'"' + b"".join(b"\\%03o" % byte for byte in path) + b'"'
            if mode == "160000":
                stream += b"M 160000 %s %s\n" % (content.encode().hex().encode() * 20, quoted)
            else:
                stream += b"M %s inline %s\ndata 1\n%s\n" % (mode.encode(), quoted, content.encode())
        stream += b"get-mark :%d\n" % number
    stream = b"feature force\n" + stream
    done = subprocess.run(["git", "fast-import", "--quiet"], cwd=folder, input=stream, capture_output=True, check=True)
    return done.stdout.decode().split()


def list_tree(folder: Path, commit: str) -> dict[str, bytes]:
    out = subprocess.run(["git", "ls-tree", "-r", "-z", commit], cwd=folder, capture_output=True, check=True).stdout
    return {os.fsdecode(path): facts for facts, _, path in (line.partition(b"\t") for line in out.split(b"\0")[:-1])}


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(TREES)
def test_a_file_is_named_exactly_if_it_agrees_with_neither_side(compare, repository, sides):
    chosen = {"s": 0, "r": 1, "n": 3}
    trees = [
        {path: state for path, facts in sides.items() if (state := facts[number if number < 2 else chosen[facts[2]]])}
        for number in range(3)
    ]
    commits = write_trees(repository, trees)
    record = Record("one", Status.COMPLETED, datetime(2026, 1, 1, tzinfo=UTC))
    found = compare(Run(record, commits[1], "", snapshot=commits[0]), commits[2])
    before, after, head = (list_tree(repository, commit) for commit in commits)
    named = {
        path
        for path in {**before, **after, **head}
        if head.get(path) not in {before.get(path), after.get(path)} and ".exptrack" not in path.split("/")[:-1]
    }
    assert {one.path for one in found.files} == named
    assert [one.path for one in found.files] == sorted(named, key=os.fsencode)
