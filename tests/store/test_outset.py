"""Before a run starts it is known who commits, where HEAD is, and whether the name is free."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from exptrack.backends.git.repository import Identity, find_repository
from exptrack.errors import RepositoryError
from exptrack.store.outset import find_outset

NOW = datetime(2026, 11, 20, tzinfo=UTC)


@pytest.fixture
def look(repository):
    return lambda name="one", now=NOW: find_outset(find_repository(repository), name, now)


def test_a_free_name_is_free(look, git, repository):
    git("update-ref", "refs/exptrack/runs/2026-11/one-more", "HEAD", cwd=repository)
    git("update-ref", "refs/heads/one", "HEAD", cwd=repository)
    outset = look()
    assert outset.taken is None
    assert outset.base == git("rev-parse", "HEAD", cwd=repository)


@pytest.mark.parametrize(
    "ref", ["runs/2026-11/one", "runs/2026-01/one", "runs/2027-01/one", "active/one", "trash/20260101/one"]
)
def test_a_name_is_taken_in_whatever_month_and_also_by_what_is_under_way_or_removed(look, git, repository, ref):
    git("update-ref", f"refs/exptrack/{ref}", "HEAD", cwd=repository)
    git("pack-refs", "--all", cwd=repository)
    assert look().taken == f"refs/exptrack/{ref}"
    assert look("other").taken is None


def test_a_clock_that_is_behind_does_not_hide_this_months_names(look, git, repository):
    git("update-ref", "refs/exptrack/runs/1970-01/one", "HEAD", cwd=repository)
    assert look(now=datetime(1970, 1, 2, tzinfo=UTC)).taken == "refs/exptrack/runs/1970-01/one"


def test_before_the_first_commit_there_is_no_base(git, tmp_path):
    git("init", "--quiet", tmp_path / "new")
    assert find_outset(find_repository(tmp_path / "new"), "one", NOW).base is None


def test_author_committer_and_signing_are_those_of_git(look, git, repository, monkeypatch):
    monkeypatch.setenv("GIT_AUTHOR_NAME", "Grace = Hopper")
    how = look().committing
    assert how.author == Identity("Grace = Hopper", "ada@example.com")
    assert how.committer == Identity("Ada Lovelace", "ada@example.com")
    assert not how.is_signing
    git("config", "commit.gpgSign", "true", cwd=repository)
    assert look().committing.is_signing


def test_no_identity_is_named(look, sealed_world):
    (sealed_world / ".gitconfig").write_text("[user]\n\tuseConfigOnly = true\n")
    with pytest.raises(RepositoryError, match=r"^Git does not know who you are"):
        look()


def test_the_branch_is_the_one_that_is_checked_out(repository, git):
    def branch() -> str | None:
        return find_outset(find_repository(repository), "new", datetime.now(UTC)).branch

    assert branch() == "main"
    git("switch", "-qc", "tree/with ünï".replace(" ", "-"), cwd=repository)
    assert branch() == "tree/with-ünï"
    git("worktree", "add", "-qb", "other", repository.parent / "other", cwd=repository)
    assert find_outset(find_repository(repository.parent / "other"), "new", datetime.now(UTC)).branch == "other"
    git("switch", "-q", "--detach", cwd=repository)
    assert branch() is None
