"""`exptrack apply`: a run's files in the work tree, and nothing else of the user's touched."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from processes import run

PYTHON = sys.executable


@pytest.fixture
def things(repository, git):
    """What must be the same before and after: the index to the byte, HEAD, branches, tags, stash."""

    def state() -> tuple:
        refs = git("for-each-ref", "refs/heads", "refs/tags", "refs/stash", cwd=repository)
        return (repository / ".git" / "index").read_bytes(), (repository / ".git" / "HEAD").read_bytes(), refs

    return state


@pytest.fixture
def files(repository):
    """Every file of the work tree: its content or where it links to, and whether it can be executed."""

    def listed() -> dict:
        return {
            str(path.relative_to(repository)): (
                path.readlink() if path.is_symlink() else path.read_bytes(),
                not path.is_symlink() and os.access(path, os.X_OK),
            )
            for path in repository.rglob("*")
            if ".git" not in path.relative_to(repository).parts and (path.is_symlink() or path.is_file())
        }

    return listed


@pytest.fixture
def restore(repository, git):
    """The work tree as HEAD has it, without untracked files."""

    def call() -> None:
        git("reset", "-q", "--hard", cwd=repository)
        git("clean", "-fdq", cwd=repository)

    return call


@pytest.fixture
def apply(exptrack, things):
    """Apply, and see that what is the user's alone stays; gives what was printed."""

    def call(*words: str, status: int = 0) -> tuple[str, str]:
        before = things()
        done = exptrack("apply", *words)
        assert done.returncode == status, done.stderr
        assert things() == before
        return done.stdout, done.stderr

    return call


def edit(folder: Path) -> None:
    """Change, add and remove files, of all kinds that Git knows."""
    (folder / "params.yaml").write_text("lr: 0.5\n")
    (folder / "gone.py").unlink()
    (folder / "train.py").write_text((folder / "train.py").read_text() + "# edited\n")
    (folder / "deep" / "er").mkdir(parents=True)
    (folder / "deep" / "er" / "tool.sh").write_text("#!/bin/sh\n")
    (folder / "deep" / "er" / "tool.sh").chmod(0o755)
    (folder / "link").symlink_to("train.py")
    (folder / "two\nlines").write_text("a name of two lines")
    if sys.platform != "darwin":
        (folder / os.fsdecode(b"caf\xe9")).write_text("a name that is not UTF-8")


@pytest.fixture
def edited(repository, git, exptrack, restore, files):
    """A run named one, of edited files; then the work tree is as committed again. Gives the files as they were after the run."""
    (repository / "gone.py").write_text("1\n")
    git("add", ".", cwd=repository)
    git("commit", "-qm", "second", cwd=repository)
    edit(repository)
    assert exptrack("run", "--name", "one", "--", PYTHON, "train.py").returncode == 0
    after = files()
    restore()
    (repository / "metrics.json").unlink()
    return after


def as_git_sees(found: dict) -> dict:
    """The metrics are written by exptrack in a form of its own."""
    return {path: content for path, content in found.items() if path != "metrics.json"}


def list_runs_of(git, folder: Path, *names: str) -> list[str]:
    """The refs of runs."""
    patterns = [f"refs/exptrack/runs/*/{name}" for name in names]
    return git("for-each-ref", "--format=%(refname)", *patterns, cwd=folder).splitlines()


class TestFiles:
    def test_all_is_as_the_run_had_it(self, apply, edited, files, repository, exptrack, git):
        out, err = apply("one")
        assert as_git_sees(files()) == as_git_sees(edited)
        assert (repository / "metrics.json").read_text() == '{\n  "accuracy": 0.5\n}\n'
        assert (out, err) == (f"applied one: {len(edited) - 1} files changed, 1 removed\n", "")
        assert "no difference" in exptrack("diff", "one", "--only", "code,params").stdout
        status = git("status", "--porcelain", "-uall", cwd=repository).split("\n")
        expected = {"D gone.py", " M params.yaml", " M train.py", "?? link", r'?? "two\nlines"', "?? deep/er/tool.sh"}
        if sys.platform != "darwin":
            expected.add(r'?? "caf\351"')
        assert set(status) == expected
        assert apply("one")[0] == "applied one: nothing to do, the work tree is like that already\n"
        assert list((repository / ".git" / "exptrack").glob("apply-*")) == []

    def test_a_dry_run_lists_and_changes_nothing(self, apply, edited, files, repository):
        before = files()
        out, _ = apply("one", "--dry-run")
        assert files() == before
        assert out.splitlines()[-1].startswith("would apply one: ")
        assert {"A deep/er/tool.sh", "D gone.py", "A link", "M params.yaml", r"A two\nlines"} <= set(out.splitlines())

    def test_only_some_parts(self, apply, edited, repository, restore):
        apply("one", "--only", "params")
        assert (repository / "params.yaml").read_text() == "lr: 0.5\n"
        assert "# edited" not in (repository / "train.py").read_text()
        restore()
        assert apply("one", "--only=data")[0] == "applied one: 1 file changed\n"
        assert (repository / "metrics.json").exists()
        (repository / "metrics.json").unlink()
        apply("one", "--only", "code")
        assert (repository / "params.yaml").read_text() == "lr: 0.25\n"
        assert "# edited" in (repository / "train.py").read_text()
        assert not (repository / "metrics.json").exists()
        assert apply("one", "--only", "params,data")[0] == "applied one: 2 files changed\n"

    @pytest.mark.parametrize(
        ("word", "said"), [("speed", "'speed' is not one of"), ("", "'' is not one of"), ("code,", "'' is not one of")]
    )
    def test_an_unknown_part_is_told_the_three(self, exptrack, word, said):
        done = exptrack("apply", "one", "--only", word)
        assert (done.returncode, done.stdout) == (2, "")
        assert done.stderr == f"exptrack: argument --only: {said} params, code, data; see `exptrack apply --help`\n"

    def test_it_works_from_a_folder_that_the_run_did_not_have(self, apply, exptrack, edited, repository, git):
        (repository / "later").mkdir()
        (repository / "later" / "x").write_text("x")
        git("add", "later", cwd=repository)
        git("commit", "-qm", "later", cwd=repository)
        assert exptrack("apply", "one", cwd=repository / "later").returncode == 0
        assert not (repository / "later" / "x").exists()
        assert (repository / "later").is_dir()

    def test_an_isolated_run_brings_its_parameters_as_they_ran(self, apply, exptrack, repository):
        assert exptrack("run", "--name", "one", "-S", "lr=0.125", "--", PYTHON, "train.py").returncode == 0
        apply("one")
        assert (repository / "params.yaml").read_text().split() == ["lr:", "0.125"]
        assert '"accuracy": 0.875' in (repository / "metrics.json").read_text()

    def test_what_the_command_was_told_is_in_the_file_or_named(self, apply, exptrack, repository):
        (repository / "params.yaml").write_text(
            "# rates\nlr: 0.25  # slow\ntoken: ghp_0123456789abcdefghijABCDEFGHIJ012345\n"
        )
        (repository / "train.py").write_text("")
        words = ("--lr", "9", "--epochs", "3")
        assert exptrack("run", "--name", "one", "--", PYTHON, "train.py", *words).returncode == 0
        _, err = apply("one", "--force")
        assert err == "exptrack: one was told epochs=3 by its command, which is in no file of it\n"
        text = (repository / "params.yaml").read_text()
        assert text == "# rates\nlr: 9     # slow\ntoken: ghp_0123456789abcdefghijABCDEFGHIJ012345\n"
        assert "no difference" in exptrack("diff", "one", "--only", "code,params").stdout

    def test_filters_and_ends_of_lines_are_those_of_the_run(self, apply, exptrack, repository, git, restore):
        (repository / ".gitattributes").write_text("*.txt text eol=crlf\n*.up filter=up\n")
        git("config", "filter.up.clean", "tr a-z A-Z", cwd=repository)
        git("config", "filter.up.smudge", "tr A-Z a-z", cwd=repository)
        (repository / "a.txt").write_bytes(b"one\r\ntwo\r\n")
        (repository / "b.up").write_bytes(b"small")
        assert exptrack("run", "--name", "one", "--", "true").returncode == 0
        restore()
        apply("one")
        assert (repository / "a.txt").read_bytes() == b"one\r\ntwo\r\n"
        assert (repository / "b.up").read_bytes() == b"small"
        assert apply("one")[0].startswith("applied one: nothing to do")

    def test_a_file_may_take_the_place_of_a_folder_and_the_other_way_round(
        self, apply, exptrack, repository, git, restore
    ):
        (repository / "x").mkdir()
        (repository / "x" / "y").write_text("y")
        (repository / "z").write_text("z")
        git("add", ".", cwd=repository)
        git("commit", "-qm", "second", cwd=repository)
        shutil.rmtree(repository / "x")
        (repository / "x").write_text("a file")
        (repository / "z").unlink()
        (repository / "z").mkdir()
        (repository / "z" / "deep").write_text("deep")
        assert exptrack("run", "--name", "one", "--", "true").returncode == 0
        restore()
        apply("one")
        assert (repository / "x").read_text() == "a file"
        assert (repository / "z" / "deep").read_text() == "deep"

    def test_submodules_are_left_alone(self, apply, exptrack, repository, git, tmp_path, restore):
        other = tmp_path / "other"
        git("init", "-q", other)
        git("commit", "-q", "--allow-empty", "-m", "a", cwd=other)
        allow = ("-c", "protocol.file.allow=always")
        git(*allow, "submodule", "--quiet", "add", str(other), "sub", cwd=repository)
        git("commit", "-qm", "sub", cwd=repository)
        git("commit", "-q", "--allow-empty", "-m", "b", cwd=repository / "sub")
        assert exptrack("run", "--name", "one", "--", "true").returncode == 0
        git("checkout", "-q", "HEAD~1", cwd=repository / "sub")
        head = git("rev-parse", "HEAD", cwd=repository / "sub")
        assert "submodules are left alone; another commit in the run: sub" in apply("one")[1]
        assert git("rev-parse", "HEAD", cwd=repository / "sub") == head

    def test_what_a_sparse_checkout_leaves_out_stays_out_and_is_named(self, apply, exptrack, repository, git, restore):
        for name in ("in", "out"):
            (repository / name).mkdir()
            (repository / name / "f").write_text("1")
        git("add", ".", cwd=repository)
        git("commit", "-qm", "second", cwd=repository)
        (repository / "in" / "f").write_text("2")
        (repository / "out" / "f").write_text("2")
        (repository / "out" / "new").write_text("2")
        assert exptrack("run", "--name", "one", "--", "true").returncode == 0
        restore()
        git("sparse-checkout", "set", "in", cwd=repository)
        _, err = apply("one", "--only", "code,params")
        assert err == "exptrack: left alone, since the sparse checkout leaves it out: out/f, out/new\n"
        assert (repository / "in" / "f").read_text() == "2"
        assert not (repository / "out").exists()

    def test_incomplete_runs_say_what_they_lack(self, apply, exptrack, repository, restore):
        (repository / "big").write_bytes(os.urandom(2_000_000))
        (repository / ".env").write_text("PASSWORD=1")
        assert exptrack("run", "--name", "one", "--", "true").returncode == 0
        (repository / "big").unlink()
        assert "exptrack: one: not captured: .env (looks secret), big (too large)" in apply("one")[1]

    def test_a_run_before_the_first_commit(self, tmp_path, git, exptrack):
        folder = tmp_path / "young"
        git("init", "-q", folder)
        (folder / "a").write_text("1")
        assert exptrack("run", "--name", "one", "--", "true", cwd=folder).returncode == 0
        (folder / "a").unlink()
        done = exptrack("apply", "one", cwd=folder)
        assert (done.returncode, done.stdout) == (0, "applied one: 1 file changed\n"), done.stderr
        assert [path.name for path in folder.iterdir() if path.name != ".git"] == ["a"]


def test_what_a_killed_one_had_replaced_is_named_and_its_other_things_go(apply, edited, repository):
    private = repository / ".git" / "exptrack"
    for name in ("one", "two"):
        (private / f"apply-{name}" / "old").mkdir(parents=True)
    (private / "apply-two" / "old" / "0").write_text("mine")
    for folder in private.glob("apply-*"):
        os.utime(folder, (1e9, 1e9))
    _, err = apply("one")
    said = f"what it had replaced is in {private}/apply-two, delete that if all is well"
    assert err == f"exptrack: an `exptrack apply` was killed: {said}\n"
    assert [path.name for path in private.glob("apply-*")] == ["apply-two"]


def test_a_linked_work_tree_has_its_own_files(edited, exptrack, repository, git, tmp_path, things):
    git("worktree", "add", "-q", tmp_path / "linked", cwd=repository)
    before = things()
    done = exptrack("apply", "one", cwd=tmp_path / "linked")
    assert done.returncode == 0, done.stderr
    assert things() == before
    assert (tmp_path / "linked" / "params.yaml").read_text() == "lr: 0.5\n"
    assert git("status", "--porcelain", cwd=repository) == ""


class TestRefusals:
    def test_uncommitted_work_is_not_overwritten(self, apply, edited, repository, files):
        (repository / "train.py").write_text("mine")
        (repository / "gone.py").write_text("mine")
        (repository / "link").write_text("mine")
        before = files()
        _, err = apply("one", status=2)
        assert err == (
            "exptrack: 'one' is not applied, since it would overwrite what is not committed: gone.py, link, train.py; "
            "commit or stash it, or overwrite it with --force\n"
        )
        assert files() == before
        apply("one", "--force")
        assert as_git_sees(files()) == as_git_sees(edited)

    def test_what_is_staged_is_no_work_to_lose_and_what_is_alike_is_fine(self, apply, edited, repository, git, files):
        (repository / "train.py").write_text("staged")
        git("add", "train.py", cwd=repository)
        (repository / "params.yaml").write_text("lr: 0.5\n")
        (repository / "link").symlink_to("train.py")
        apply("one")
        assert as_git_sees(files()) == as_git_sees(edited)
        assert git("show", ":train.py", cwd=repository) == "staged"

    def test_untracked_files_that_the_run_had_not_stay_and_are_named(self, apply, edited, repository):
        (repository / "mine.py").write_text("mine")
        _, err = apply("one")
        assert err == "exptrack: left alone, since Git does not track it and the run did not have it: mine.py\n"
        assert (repository / "mine.py").read_text() == "mine"

    def test_results_of_another_run_are_no_work_to_lose(self, apply, exptrack, repository, edited):
        assert exptrack("run", "--name", "two", "--", PYTHON, "train.py").returncode == 0
        apply("one", "--only", "data")
        assert '"accuracy": 0.5' in (repository / "metrics.json").read_text()
        (repository / "metrics.json").write_text('{"accuracy": 7}')
        assert "not committed: metrics.json;" in apply("one", "--only", "data", status=2)[1]

    def test_results_of_a_run_before_many_others_are_no_work_to_lose(self, apply, exptrack, repository, git, edited):
        """Of the many, which have the commit of another run, none can be read; the latest are looked at first."""
        assert exptrack("run", "--name", "two", "--", PYTHON, "train.py").returncode == 0
        one, two = (git("rev-parse", ref, cwd=repository) for ref in list_runs_of(git, repository, "one", "two"))
        lines = "".join(f"create refs/exptrack/runs/2099-01/other-{number} {one}\n" for number in range(120))
        git("update-ref", "--stdin", cwd=repository, stdin=lines)
        apply("one", "--only", "data")
        (repository / "metrics.json").write_text(git("show", f"{two}:metrics.json", cwd=repository) + "\n")
        apply("one", "--only", "data")
        (repository / "metrics.json").write_text('{"accuracy": 7}')
        assert "not committed: metrics.json;" in apply("one", "--only", "data", status=2)[1]

    def test_a_folder_or_link_in_the_way_is_named_also_with_force(self, apply, edited, repository, tmp_path, files):
        (repository / "link").mkdir()
        (repository / "link" / "mine").write_text("mine")
        assert "link/mine is in the way of link: move it away" in apply("one", "--force", status=2)[1]
        shutil.rmtree(repository / "link")
        (tmp_path / "elsewhere").mkdir()
        (repository / "deep").symlink_to(tmp_path / "elsewhere")
        assert "deep is in the way of deep/er/tool.sh: move it away" in apply("one", "--force", status=2)[1]
        assert list((tmp_path / "elsewhere").iterdir()) == []

    def test_a_rev_that_is_none(self, apply):
        assert "no run is named 'none'" in apply("none", status=2)[1]

    def test_a_failing_filter_leaves_all_as_it_was(self, apply, exptrack, repository, git, files, restore):
        (repository / ".gitattributes").write_text("*.x filter=x\n")
        (repository / "a.x").write_text("x")
        assert exptrack("run", "--name", "one", "--", "true").returncode == 0
        restore()
        git("config", "filter.x.smudge", "false", cwd=repository)
        git("config", "filter.x.required", "true", cwd=repository)
        before = files()
        assert "a.x: smudge filter x failed" in apply("one", status=2)[1]
        assert files() == before


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A place for the repository that `recorded` makes, which takes seconds, and what else it gives."""
    return {"folder": tmp_path_factory.mktemp("made") / "project"}


class TestData:
    @pytest.fixture
    def project(self, repository, git, dvc):
        make_project(repository, git, dvc)

    @pytest.fixture
    def dvc(self, repository):
        def call(*words: str) -> str:
            done = run([PYTHON, "-m", "dvc", *words], cwd=repository, capture_output=True, text=True, check=False)
            assert done.returncode == 0, done.stderr
            return done.stdout

        return call

    @pytest.fixture
    def recorded(self, repository, made, git, dvc, exptrack, restore, files):
        """A run of other data is there, and the work tree as committed, data too. Gives the files after the run."""
        if "after" not in made:
            make_project(repository, git, dvc)
            made["after"] = record_other_data(repository, exptrack, dvc, restore, files)
            shutil.copytree(repository, made["folder"], symlinks=True)
        shutil.rmtree(repository)
        shutil.copytree(made["folder"], repository, symlinks=True)
        return made["after"]

    def test_data_outs_outputs_and_results_come_with_their_pointers(self, apply, recorded, files, repository, dvc, git):
        out, err = apply("one")
        assert (out, err) == ("applied one: 7 files changed, 4 data paths\n", "")
        found = files()
        for path in ("data/a", "data/new", "raw.csv", "model.bin", "out.bin", "scores.yaml", "raw.csv.dvc", "dvc.lock"):
            assert found[path] == recorded[path], path
        assert "data/b" not in found
        assert (repository / "out.bin.dvc").exists()
        assert dvc("status", "-q") == ""
        status = git("status", "--porcelain", cwd=repository).split("\n")
        expected = ["M .gitignore", " M data.dvc", " M dvc.lock", " M raw.csv.dvc", " M scores.yaml", "?? out.bin.dvc"]
        assert status == expected
        assert not list(repository.rglob(".*apply-*"))
        assert apply("one")[0].startswith("applied one: nothing to do")

    def test_where_dvc_has_its_remotes_is_the_repositorys_not_the_runs(self, apply, recorded, repository, dvc, git):
        dvc("remote", "add", "later", "/nowhere")
        git("commit", "-qam", "a remote", cwd=repository)
        config = (repository / ".dvc" / "config").read_text()
        apply("one")
        assert (repository / ".dvc" / "config").read_text() == config

    def test_data_that_is_not_in_the_cache_is_not_overwritten(self, apply, recorded, files, repository):
        (repository / "data" / "mine").write_text("mine")
        (repository / "raw.csv").write_text("mine")
        before = files()
        _, err = apply("one", status=2)
        assert (
            "not committed: data/mine (not in the DVC cache), raw.csv (not in the DVC cache); `dvc add` the data,"
            in err
        )
        assert files() == before
        apply("one", "--force")
        assert not (repository / "data" / "mine").exists()
        assert (repository / "raw.csv").read_text() == "second raw"

    def test_data_that_is_not_in_the_cache_comes_from_the_remote(self, apply, recorded, files, repository, dvc):
        apply("one")
        dvc("push", "-q")
        wanted = files()
        dvc_cache = repository / ".dvc" / "cache"
        write_data(repository, "first")
        shutil.rmtree(dvc_cache)
        apply("one", "--force")
        assert {path: one for path, one in files().items() if ".dvc/" not in path} == {
            path: one for path, one in wanted.items() if ".dvc/" not in path
        }

    def test_nothing_is_touched_if_data_is_not_to_be_had(self, apply, recorded, files, repository):
        for path in (repository / ".dvc" / "cache" / "files" / "md5").rglob("*"):
            if path.is_file() and path.read_bytes() == b"second raw":
                path.unlink()
        before = files()
        _, err = apply("one", status=2)
        assert err.startswith("exptrack: ")
        assert len(err.splitlines()) == 1
        assert "raw.csv" in err
        assert files() == before
        apply("one", "--only", "code,params")

    def test_data_that_the_run_had_not_goes_if_it_is_in_the_cache(self, apply, project, exptrack, repository, git, dvc):
        assert exptrack("run", "--name", "one", "--", "true").returncode == 0
        for name in ("later.csv", "edited.csv"):
            (repository / name).write_text(name)
            dvc("add", "-q", name)
        git("add", ".", cwd=repository)
        git("commit", "-qm", "later", cwd=repository)
        (repository / "edited.csv").write_text("mine")
        out, err = apply("one")
        assert out == "applied one: 1 file changed, 2 removed, 1 data path\n"
        assert err.splitlines()[0] == (
            "exptrack: left alone, since it is not in the DVC cache and the run did not have it: edited.csv"
        )
        assert not (repository / "later.csv").exists()
        assert (repository / "edited.csv").read_text() == "mine"

    def test_what_dvcignore_leaves_out_of_data_is_not_lost(self, apply, exptrack, repository, recorded, files):
        (repository / ".dvcignore").write_text("*.txt\n")
        (repository / "data" / "notes.txt").write_text("mine")
        before = files()
        assert "not committed: data/notes.txt (not in the DVC cache);" in apply("one", "--only", "data", status=2)[1]
        assert files() == before

    def test_a_record_cannot_lead_out_of_the_repository(self, apply, recorded, repository, git, look, files):
        ref = look.ref("one")
        record = look.record("one")
        index = {**os.environ, "GIT_INDEX_FILE": str(repository / ".git" / "forged")}

        def forge(*words: str) -> str:
            done = subprocess.run(
                ["git", *words], cwd=repository, env=index, check=True, capture_output=True, text=True
            )
            return done.stdout.strip()

        before = files()
        for path in ("../outside", "/outside", "x/../../outside", ".git/hooks/pre-commit", "", "."):
            record["data"][0]["path"] = path
            oid = git("hash-object", "-w", "--stdin", cwd=repository, stdin=json.dumps(record))
            forge("read-tree", ref)
            forge("update-index", "--cacheinfo", f"100644,{oid},.exptrack/run.json")
            forge("update-ref", ref, forge("commit-tree", "-p", f"{ref}^", "-m", "forged", forge("write-tree")))
            assert (
                "do not trust it: its record names a path that leads elsewhere" in apply("one", "--force", status=2)[1]
            )
        assert files() == before

    def test_without_a_dvc_project_only_the_rest_can_be_applied(self, apply, recorded, repository, git):
        git("rm", "-rq", "--cached", ".dvc", cwd=repository)
        git("commit", "-qm", "no dvc", cwd=repository)
        shutil.rmtree(repository / ".dvc")
        assert "leave the data out with `--only params,code`" in apply("one", status=2)[1]


def make_project(repository: Path, git, dvc) -> None:
    """Data in a file and in a folder, and a stage that makes more."""
    dvc("init", "-q")
    dvc("remote", "add", "-q", "-d", "store", "../remote")
    write_data(repository, "first")
    dvc("add", "-q", "data", "raw.csv")
    (repository / "dvc.yaml").write_text(
        "stages:\n  train:\n    cmd: 'cat raw.csv > model.bin; echo \"score: $(wc -c < raw.csv)\" > scores.yaml'\n"
        "    deps: [raw.csv]\n    outs: [model.bin]\n    metrics: [scores.yaml: {cache: false}]\n"
    )
    dvc("repro", "-q")
    git("add", ".", cwd=repository)
    git("commit", "-qm", "data", cwd=repository)


def record_other_data(repository: Path, exptrack, dvc, restore, files) -> dict:
    """A run named one, and the work tree as it was before; gives the files after the run."""
    write_data(repository, "second")
    dvc("add", "-q", "data", "raw.csv")
    code = (
        "import subprocess, sys\nsubprocess.run([sys.executable, '-m', 'dvc', 'repro', '-q'], check=True)\n"
        "open('out.bin', 'w').write('output')\nopen('metrics.json', 'w').write('{\"a\": 1}')"
    )
    done = exptrack("run", "--name", "one", "-o", "out.bin", "--", PYTHON, "-c", code)
    assert done.returncode == 0, done.stderr
    after = files()
    restore()
    (repository / "out.bin").unlink(missing_ok=True)
    (repository / "metrics.json").unlink()
    dvc("checkout", "-q", "--force")
    return after


def write_data(repository: Path, version: str) -> None:
    shutil.rmtree(repository / "data", ignore_errors=True)
    (repository / "data").mkdir()
    (repository / "data" / "a").write_text(f"{version} a")
    (repository / "data" / ("b" if version == "first" else "new")).write_text("b")
    (repository / "raw.csv").unlink(missing_ok=True)
    (repository / "raw.csv").write_text(f"{version} raw")
