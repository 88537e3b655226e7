from __future__ import annotations

import pytest

from exptrack.backends.git.remotes import GitRemote, find_remote, is_remote, mask_url
from exptrack.errors import RepositoryError


@pytest.fixture
def add(git, repository):
    """Add remotes by name."""

    def call(*names):
        for name in names:
            git("remote", "add", name, f"../{name}.git", cwd=repository)

    return call


def test_the_remote_is_the_most_special_one_that_is_set(repo, repository, git, add):
    add("a", "b", "c", "d")
    with pytest.raises(
        RepositoryError, match=r"which remote\? name one of a, b, c, d, or run `git config exptrack.remote NAME` once"
    ):
        find_remote(repo)
    git("remote", "add", "origin", "../origin.git", cwd=repository)
    chosen = [find_remote(repo).name]
    for key, name in (
        ("branch.main.remote", "a"), ("remote.pushDefault", "b"), ("branch.main.pushRemote", "c"), ("exptrack.remote", "d"),
    ):  # fmt: skip
        git("config", key, name, cwd=repository)
        chosen.append(find_remote(repo).name)
    assert chosen == ["origin", "a", "b", "c", "d"]
    assert find_remote(repo, "a") == GitRemote("a", "../a.git")


def test_the_only_remote_needs_no_name(repo, add):
    add("a.b/c")
    assert find_remote(repo) == GitRemote("a.b/c", "../a.b/c.git")
    assert str(find_remote(repo)) == "a.b/c (../a.b/c.git)"


def test_a_branch_of_the_repository_itself_names_no_remote(repo, repository, git, add):
    add("a")
    git("config", "branch.main.remote", ".", cwd=repository)
    assert find_remote(repo).name == "a"


def test_no_remote_at_all_is_said_with_what_to_do(repo):
    with pytest.raises(RepositoryError, match="no remote to share runs by: run `git remote add origin URL`"):
        find_remote(repo)
    with pytest.raises(RepositoryError, match="no such remote: upstream; run `git remote add upstream URL`"):
        find_remote(repo, "upstream")


def test_an_unknown_remote_is_told_with_those_that_are_there(repo, repository, git, add):
    add("a", "b")
    with pytest.raises(RepositoryError, match="no such remote: c; choose one of a, b, or give a URL"):
        find_remote(repo, "c")
    git("config", "exptrack.remote", "c", cwd=repository)
    with pytest.raises(
        RepositoryError,
        match=r"no such remote: c, which `exptrack.remote` names; run `git config exptrack.remote NAME`",
    ):
        find_remote(repo)


def test_a_url_is_shown_as_git_uses_it_and_without_its_token(repo, repository, git):
    git("config", "url.https://ada:ghp_0123456789@example.com/.insteadOf", "work:", cwd=repository)
    git("remote", "add", "origin", "work:team/runs.git", cwd=repository)
    assert find_remote(repo) == GitRemote("origin", "https://***@example.com/team/runs.git")
    assert find_remote(repo, "work:team/x") == GitRemote("work:team/x", "https://***@example.com/team/x")


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("https://token@host/x.git", "https://***@host/x.git"),
        ("https://ada:se@cret@host/x", "https://***@host/x"),
        ("ssh://git@host:22/x", "ssh://git@host:22/x"),
        ("ssh://git:secret@host/x", "ssh://***@host/x"),
        ("git@host:team/x.git", "git@host:team/x.git"),
        ("/srv/a@b/x.git", "/srv/a@b/x.git"),
        ("cannot reach 'https://a:b@c/' or https://d:e@f/", "cannot reach 'https://***@c/' or https://***@f/"),
        ("https://host/x.git?private_token=abcdefgh12345678", "https://host/x.git?private_token=***"),
    ],
)
def test_credentials_in_a_url_are_masked(url, shown):
    assert mask_url(url) == shown


def test_a_remote_is_told_from_a_query_and_a_run(repo, repository, git, add, tmp_path):
    add("a")
    git("init", "--bare", "--quiet", tmp_path / "other.git")
    (repository / "folder").mkdir()
    git("bundle", "create", tmp_path / "x.bundle", "main", cwd=repository)
    yes = ["a", "../other.git", "../other", str(tmp_path / "other.git"), ".", "https://host/x", "file:///x", "git@host:x", "host:team/x", "ext::sh", str(tmp_path / "x.bundle")]  # fmt: skip
    no = ["", "b", "folder", "../gone.git", "train.py", "@", "@~2", "brave-otter-k3f9", "a..b", "metrics.loss < 0.5", "tag = x:y", "2026-11-01T12:00", "-a"]  # fmt: skip
    assert [word for word in yes if not is_remote(repo, word)] == []
    assert [word for word in no if is_remote(repo, word)] == []
