"""What lies behind a commit, and the order of commits."""

from __future__ import annotations

import pytest

from exptrack.backends.git.ancestry import find_reachable, sort_by_date


@pytest.fixture
def commits(repository, git, monkeypatch):
    """`base` and `main` behind each other, `side` beside `main`, `apart` without a parent; each a second older than the one before."""
    made: dict[str, str] = {}
    for seconds, (name, parents) in enumerate((("base", []), ("main", ["base"]), ("side", ["base"]), ("apart", []))):
        monkeypatch.setenv("GIT_COMMITTER_DATE", f"{1769860800 - seconds} +0000")
        words = [word for parent in parents for word in ("-p", made[parent])]
        made[name] = git("commit-tree", "-m", name, *words, "HEAD^{tree}", cwd=repository)
    monkeypatch.delenv("GIT_COMMITTER_DATE")
    return made


@pytest.mark.parametrize(
    ("tip", "behind"),
    [("base", {"base"}), ("main", {"base", "main"}), ("side", {"base", "side"}), ("apart", {"apart"})],
)
def test_reachable_is_the_tip_and_its_ancestors(repo, commits, tip, behind):
    assert find_reachable(repo, set(commits.values()), commits[tip]) == {commits[name] for name in behind}


def test_of_nothing_nothing_is_reachable(repo, commits):
    assert find_reachable(repo, [], commits["main"]) == set()


def test_the_last_committed_comes_first_and_what_is_no_commit_is_left_out(repo, commits, git, repository):
    blob = git("rev-parse", "HEAD:train.py", cwd=repository)
    listed = [commits["apart"], blob, commits["base"], "1" * 40, commits["side"], commits["apart"]]
    assert sort_by_date(repo, listed) == [commits["base"], commits["side"], commits["apart"]]
    assert sort_by_date(repo, []) == []
