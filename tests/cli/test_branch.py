"""`exptrack branch`: an ordinary branch of a run, which claims it."""

from __future__ import annotations

import sys

import pytest
from processes import run

PYTHON = sys.executable


@pytest.fixture
def things(repository, git):
    """What must be the same before and after: index, HEAD, tags, work tree, and all branches but the new one."""

    def state(name: str) -> tuple:
        refs = git("for-each-ref", "refs/heads", "refs/tags", "refs/exptrack", "refs/stash", cwd=repository).split("\n")
        others = [ref for ref in refs if not ref.endswith(f"refs/heads/{name}")]
        index = (repository / ".git" / "index").read_bytes()
        head = (repository / ".git" / "HEAD").read_bytes()
        return index, head, others, git("status", "--porcelain", cwd=repository)

    return state


@pytest.fixture
def branch(exptrack, things):
    """Make a branch, and see that all else stays; gives what was printed."""

    def call(rev: str, name: str, status: int = 0) -> tuple[str, str]:
        before = things(name)
        done = exptrack("branch", rev, name)
        assert done.returncode == status, done.stderr
        assert things(name) == before
        return done.stdout, done.stderr

    return call


@pytest.fixture
def recorded(repository, exptrack):
    """A run named one of edited files."""
    (repository / "params.yaml").write_text("lr: 0.5\n")
    (repository / "new.py").write_text("new\n")
    done = exptrack("run", "--name", "one", "-m", "a note\n\nof two parts", "--", PYTHON, "train.py")
    assert done.returncode == 0, done.stderr


class TestCommit:
    def test_it_is_the_base_the_changes_and_the_results_and_claims_the_run(
        self, branch, recorded, repository, git, look
    ):
        base = git("rev-parse", "HEAD", cwd=repository)
        out, err = branch("one", "topic/wide")
        shown = "look at it with `git switch topic/wide`, share it with `git push origin topic/wide`"
        assert (out, err) == (f"topic/wide holds one on {base[:10]}: {shown}\n", "")
        changes = git("diff", "--name-status", "main", "topic/wide", cwd=repository).split("\n")
        assert changes == ["A\tmetrics.json", "A\tnew.py", "M\tparams.yaml"]
        assert git("show", "topic/wide:params.yaml", cwd=repository) == "lr: 0.5"
        assert look.git("show", "topic/wide:metrics.json") == look.file("one", "metrics.json")
        assert git("rev-list", "--parents", "-1", "topic/wide", cwd=repository).split(" ")[1:] == [base]
        oid = git("rev-parse", look.ref("one"), cwd=repository)
        said = git("log", "-1", "--format=%an <%ae> %cn <%ce>%n%B", "topic/wide", cwd=repository)
        assert said == (
            "Ada Lovelace <ada@example.com> Ada Lovelace <ada@example.com>\n"
            f"one: accuracy=0.5\n\na note\n\nof two parts\n\nExptrack-Run: one {oid}"
        )
        git("stash", "-qu", cwd=repository)
        git("switch", "-q", "topic/wide", cwd=repository)
        assert git("status", "--porcelain", cwd=repository) == ""

    def test_later_notes_are_in_it_and_a_forged_claim_is_quoted(
        self, branch, recorded, exptrack, repository, git, look
    ):
        exptrack("note", "one", "-m", "seen again")
        forged = f"Exptrack-Run: other {'0' * 40}"
        assert exptrack("note", "one", "-m", forged).returncode == 2
        line = {
            "kind": "note",
            "value": forged,
            "author": "Eve <e@example.com>",
            "id": "0" * 16,
            "time": "2030-01-01T00:00:00Z",
        }
        notes = git("notes", "--ref=exptrack", "show", look.ref("one"), cwd=repository)
        git(
            "notes", "--ref=exptrack", "add", "-f", "-F", "-", look.ref("one"),
            cwd=repository, stdin=f"{notes}\n{json_of(line, notes)}\n",
        )  # fmt: skip
        branch("one", "wide")
        lines = git("log", "-1", "--format=%B", "wide", cwd=repository).split("\n")
        assert "seen again" in lines
        assert f"> {forged}" in lines
        assert sum(line.startswith("Exptrack-Run:") for line in lines) == 1

    def test_a_run_before_the_first_commit_gives_a_root(self, tmp_path, git, exptrack):
        folder = tmp_path / "young"
        git("init", "-q", folder)
        (folder / "a").write_text("1")
        assert exptrack("run", "--name", "one", "--", "true", cwd=folder).returncode == 0
        refused = exptrack("branch", "one", "main", cwd=folder)
        assert (refused.returncode, refused.stderr) == (
            2, "exptrack: 'main' is checked out, and has no commit yet: choose another name\n",
        )  # fmt: skip
        done = exptrack("branch", "one", "first", cwd=folder)
        assert done.stdout.startswith("first holds one without a base: "), done.stderr
        assert git("rev-list", "--count", "first", cwd=folder) == "1"
        assert git("ls-tree", "--name-only", "first", cwd=folder).split() == ["a", "metrics.json", "params.yaml"]

    def test_data_is_in_it_by_its_pointers_and_stays_out_of_git(self, branch, exptrack, repository, git, tmp_path):
        def dvc(*words: str, cwd=repository) -> None:
            run([PYTHON, "-m", "dvc", *words], cwd=cwd, check=True, capture_output=True)

        dvc("init", "-q")
        (repository / "dvc.yaml").write_text(
            "stages:\n  a:\n    cmd: 'echo ''{\"a\": 1}'' > metrics.json'\n    metrics: [metrics.json]\n"
        )
        git("add", ".", cwd=repository)
        git("commit", "-qm", "dvc", cwd=repository)
        code = (
            "import subprocess, sys; open('model.bin', 'w').write('model')\n"
            "subprocess.run([sys.executable, '-m', 'dvc', 'repro', '-q'], check=True)"
        )
        done = exptrack("run", "--name", "one", "-o", "model.bin", "--", PYTHON, "-c", code)
        assert done.returncode == 0, done.stderr
        branch("one", "wide")
        listed = git("ls-tree", "--name-only", "wide", cwd=repository).split()
        assert {"model.bin.dvc", "dvc.lock"} <= set(listed)
        # One that DVC holds and Git has, too, makes `dvc repro` fail.
        assert "metrics.json" not in listed
        assert "/model.bin" in git("show", "wide:.gitignore", cwd=repository).split()
        clone = tmp_path / "clone"
        git("clone", "-q", "-b", "wide", repository, clone)
        (clone / ".dvc" / "config.local").write_text(f"[cache]\n    dir = {repository}/.dvc/cache\n")
        dvc("checkout", "-q", cwd=clone)
        assert (clone / "model.bin").read_text() == "model"
        dvc("repro", "-q", cwd=clone)
        assert git("status", "--porcelain", cwd=clone) == ""

    def test_it_is_signed_if_git_says_so_and_the_signer_works(self, branch, recorded, repository, git, tmp_path):
        signer = tmp_path / "signer"
        signer.write_text("#!/bin/sh\ncat > /dev/null\nprintf '\\n[GNUPG:] SIG_CREATED \\n' >&2\necho signature\n")
        signer.chmod(0o755)
        git("config", "commit.gpgSign", "true", cwd=repository)
        git("config", "gpg.program", signer, cwd=repository)
        assert branch("one", "wide")[1] == ""
        assert "gpgsig signature" in git("cat-file", "commit", "wide", cwd=repository)
        git("config", "gpg.program", "false", cwd=repository)
        said = "exptrack: commit.gpgSign is set, but signing failed: the commit of the branch is unsigned\n"
        assert branch("one", "wider")[1] == said
        assert "gpgsig" not in git("cat-file", "commit", "wider", cwd=repository)

    def test_what_was_not_captured_is_told(self, branch, repository, exptrack):
        (repository / ".env").write_text("PASSWORD=1")
        assert exptrack("run", "--name", "one", "--", "true").returncode == 0
        assert branch("one", "wide")[1] == "exptrack: one: not captured: .env (looks secret)\n"


class TestRefusals:
    def test_a_branch_that_is_there_is_not_moved(self, branch, recorded, repository, git):
        branch("one", "wide")
        before = git("rev-parse", "wide", "main", cwd=repository)
        for name in ("wide", "main"):
            assert branch("one", name, status=2)[1] == (
                f"exptrack: the branch '{name}' exists already: choose another name, or delete it with `git branch -D`\n"
            )
        assert git("rev-parse", "wide", "main", cwd=repository) == before

    @pytest.mark.parametrize("name", ["a..b", "", "a b", "@{-1}", "HEAD", "a.lock", "refs/../x"])
    def test_a_name_that_no_branch_can_have(self, branch, recorded, name):
        said = f"exptrack: {name!r} cannot be the name of a branch: see `git help check-ref-format`\n"
        assert branch("one", name, status=2)[1] == said

    def test_a_name_below_a_branch_is_refused_in_one_line(self, branch, recorded):
        out, err = branch("one", "main/more", status=2)
        assert (out, len(err.splitlines())) == ("", 1)
        assert "refs/heads/main" in err

    def test_without_an_identity_nothing_is_made(self, recorded, exptrack, repository, git, sealed_world):
        (sealed_world / ".gitconfig").write_text("[user]\n\tuseConfigOnly = true\n")
        done = exptrack("branch", "one", "wide")
        assert done.returncode == 2
        assert done.stderr.startswith("exptrack: Git does not know who you are: ")
        assert git("branch", "--list", "wide", cwd=repository) == ""

    def test_a_shallow_clone_that_lacks_the_base(self, recorded, exptrack, repository, git, look, tmp_path):
        (repository / "train.py").write_text("")
        git("add", ".", cwd=repository)
        git("commit", "-qm", "second", cwd=repository)
        clone = tmp_path / "clone"
        git("clone", "-q", "--depth=1", f"file://{repository}", clone)
        ref = look.ref("one")
        git("fetch", "-q", "--depth=2", "origin", f"{ref}:{ref}", cwd=clone)
        done = exptrack("branch", "one", "wide", cwd=clone)
        assert (done.returncode, done.stderr) == (
            2, "exptrack: the base of 'one' is not in this repository: run `git fetch --unshallow` first\n",
        )  # fmt: skip


def json_of(fields: dict, notes: str) -> str:
    """A line of annotations like the one that is there, with other values."""
    import json

    like = json.loads(notes.splitlines()[-1])
    return json.dumps({**like, **{key: value for key, value in fields.items() if key in like}})
