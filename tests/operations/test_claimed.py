"""Which commits a range means in the clones that people and CI have, and which claims are found in them."""

from __future__ import annotations

import subprocess

import pytest

from exptrack.errors import RepositoryError, RevError
from exptrack.model.checking import Claim, Misclaim
from exptrack.operations.checking.claimed import Range, default_range, find_claims_in, find_range, find_recent
from exptrack.project import Project

ADA = "Ada Lovelace <ada@example.com>"
FIRST, SECOND = "a" * 40, "b" * 40
ALL = "fetch all of its history, by `fetch-depth: 0` (GitHub), `GIT_DEPTH: 0` (GitLab) or `git fetch --unshallow`"


@pytest.fixture
def commit(repository, git):
    def make(message: str) -> str:
        git("commit", "--quiet", "--allow-empty", "-m", message, cwd=repository)
        return git("rev-parse", "HEAD", cwd=repository)

    return make


@pytest.fixture
def history(repository, git, commit):
    """A branch `topic` with two commits on `main`, which has gone on by one."""
    git("checkout", "--quiet", "-b", "topic", cwd=repository)
    oids = [commit(f"one\n\nExptrack-Run: one {FIRST}"), commit(f"two\n\nExptrack-Run: two {SECOND}")]
    git("checkout", "--quiet", "main", cwd=repository)
    oids.append(commit("main goes on"))
    git("checkout", "--quiet", "topic", cwd=repository)
    return oids


def copy(repository, folder, *words: str):
    """A clone of what is checked out."""
    subprocess.run(["git", "clone", "--quiet", *words, f"file://{repository}", folder], check=True)
    return Project(folder).context


def test_a_missing_side_is_head(repository, history, git):
    context = Project(repository).context
    _, topic, main = history
    assert find_range(context, "main..topic") == Range("main", "topic", main, topic)
    assert find_range(context, "main..") == Range("main", "HEAD", main, topic)
    assert find_range(context, "..main") == Range("HEAD", "main", topic, main)
    assert find_range(context, f"{main[:9]}..topic~1").head_oid == history[0]


@pytest.mark.parametrize("word", ["main...topic", "main", "..", "...", "...main", ""])
def test_what_is_no_range_says_how_to_write_one(repository, history, word):
    with pytest.raises(RevError, match=r"is no range: write it with two dots, as in 'main\.\.HEAD'"):
        find_range(Project(repository).context, word)


@pytest.mark.parametrize("word", ["main..gone", "gone..", "--all..HEAD", "main..a..b", "main^{tree}.."])
def test_what_is_no_commit_is_named(repository, history, word):
    with pytest.raises(RevError, match=r"' is no commit here: run `git fetch`, or see `git branch --all`$"):
        find_range(Project(repository).context, word)


def test_a_branch_that_only_the_remote_has_is_taken_from_it(repository, history, tmp_path):
    context = copy(repository, tmp_path / "clone")
    _, topic, main = history
    assert find_range(context, "main..") == Range("origin/main", "HEAD", main, topic)
    assert find_range(context, "main~1..topic").base == "origin/main~1"


def test_the_default_is_from_the_remotes_default_branch_to_head(repository, history, tmp_path, git):
    _, topic, main = history
    assert default_range(Project(repository).context) == Range("main", "HEAD", main, topic)
    git("branch", "--quiet", "-m", "main", "master", cwd=repository)
    assert default_range(Project(repository).context) == Range("master", "HEAD", main, topic)
    context = copy(repository, tmp_path / "clone")
    assert default_range(context).base == "origin/topic"
    git("remote", "set-head", "origin", "--delete", cwd=tmp_path / "clone")
    assert default_range(context) == Range("origin/master", "HEAD", main, topic)
    git("symbolic-ref", "refs/remotes/origin/HEAD", "refs/remotes/origin/gone", cwd=tmp_path / "clone")
    assert default_range(context).base == "origin/master"


def test_without_any_base_or_commit_it_is_said_what_to_name(repository, git, tmp_path):
    git("branch", "--quiet", "-m", "main", "mine", cwd=repository)
    with pytest.raises(
        RevError, match=r"no main or master to check HEAD against: name the base, as in `exptrack check BASE"
    ):
        default_range(Project(repository).context)
    git("init", "--quiet", tmp_path / "empty")
    for ask in (default_range, lambda context: find_range(context, "main..")):
        with pytest.raises(RevError, match=r"^(HEAD is no commit yet|'main' is no commit here)"):
            ask(Project(tmp_path / "empty").context)


@pytest.mark.parametrize("words", [("--single-branch",), ("--no-single-branch",)])
def test_a_shallow_clone_says_how_to_get_the_rest(repository, history, tmp_path, words, git):
    context = copy(repository, tmp_path / "clone", "--depth=1", *words)
    with pytest.raises(RepositoryError) as caught:
        find_range(context, "main..HEAD")
    assert str(caught.value).endswith(ALL)
    git("remote", "set-head", "origin", "--delete", cwd=tmp_path / "clone")
    with pytest.raises(RepositoryError) as caught:
        default_range(context)
    assert str(caught.value).startswith("this clone is shallow, and ")
    assert str(caught.value).endswith(ALL)


def test_a_shallow_clone_that_holds_the_whole_range_is_enough(repository, history, commit, tmp_path, git):
    context = copy(repository, tmp_path / "clone", "--depth=3", "--no-single-branch")
    assert find_range(context, "main..HEAD").head_oid == history[1]
    git("fetch", "--quiet", "--depth=1", "origin", "topic", cwd=tmp_path / "clone")
    with pytest.raises(RepositoryError, match="what HEAD has beyond origin/main is not all here"):
        find_range(context, "main..HEAD")


def test_each_run_is_claimed_once_by_the_newest_commit(repository, history, commit):
    last = commit(f"again\n\nExptrack-Run: one {FIRST}\nexptrack-run: one {SECOND}\n")
    project = Project(repository)
    found = find_claims_in(project.context.repository, history[2], last)
    assert found.claims == (
        Claim("one", FIRST, last, ADA),
        Claim("one", SECOND, last, ADA),
        Claim("two", SECOND, history[1], ADA),
    )
    assert find_claims_in(project.context.repository, history[1], last).claims == found.claims[:2]
    assert find_claims_in(project.context.repository, None, history[0]).claims == (
        Claim("one", FIRST, history[0], ADA),
    )


def test_lines_that_claim_nothing_are_found_in_a_range_and_forgiven_in_the_past(repository, history, commit):
    last = commit("torn\n\nExptrack-Run: one")
    repository_ = Project(repository).context.repository
    assert find_claims_in(repository_, history[2], last).broken == (Misclaim("Exptrack-Run: one", last),)
    assert find_recent(repository_, last, 9).broken == ()


def test_a_squash_merge_and_a_merge_keep_their_claims(repository, history, git):
    git("checkout", "--quiet", "main", cwd=repository)
    git("merge", "--quiet", "--squash", "topic", cwd=repository)
    git("commit", "--quiet", "--no-edit", "--allow-empty", cwd=repository)
    squashed = git("rev-parse", "HEAD", cwd=repository)
    context = Project(repository).context
    found = find_claims_in(context.repository, history[2], squashed).claims
    assert {(claim.name, claim.oid, claim.commit) for claim in found} == {
        ("one", FIRST, squashed),
        ("two", SECOND, squashed),
    }


def test_the_newest_claims_of_a_long_history_are_found(repository, git):
    lines = []
    for number in range(150):
        message = f"commit {number}\n\nExptrack-Run: run-{number // 75} {FIRST}\n"
        lines.append(
            f"commit refs/heads/long\nauthor A <a@b> {number} +0000\ncommitter A <a@b> {1_700_000_000 + number} +0000\n"
            f"data {len(message)}\n{message}\n"
        )
    git("fast-import", "--quiet", cwd=repository, stdin="".join(lines))
    tip = git("rev-parse", "long", cwd=repository)
    where = Project(repository).context.repository
    assert [claim.name for claim in find_recent(where, tip, 1).claims] == ["run-1"]
    assert [claim.name for claim in find_recent(where, tip, 2).claims] == ["run-1", "run-0"]
    assert [claim.name for claim in find_recent(where, tip, 3).claims] == ["run-1", "run-0"]
    assert find_recent(where, tip, 2).claims[0].commit == tip
