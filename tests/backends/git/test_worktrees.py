"""Worktrees that are linked by hand are git's own in every way, and hold what a checkout gives. What runs do with them is in tests/store."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from exptrack.backends.git.clearing import Listing, clear, remove
from exptrack.backends.git.repository import Repository, find_repository
from exptrack.backends.git.worktrees import Worktree, check_out, find_git_dir, link, list_commit, lock, unlock
from exptrack.errors import RepositoryError


@pytest.fixture
def head(repository, git) -> str:
    return git("rev-parse", "HEAD", cwd=repository)


@pytest.fixture
def tree(repo, tmp_path):
    """A worktree that is not there yet but for its folder, with the lock that its gits hold."""
    top = tmp_path / "mine"
    top.mkdir()
    git_dir = find_git_dir(repo.common_dir, "mine", top)
    hold = os.open(tmp_path, os.O_RDONLY)
    yield Worktree(Repository(top, git_dir, repo.common_dir, git_dir / "index"), hold)
    os.close(hold)


def fill(tree: Worktree, commit: str) -> None:
    link(tree, commit)
    check_out(tree, commit, list_commit(tree, commit))


def test_git_takes_it_for_a_worktree_of_its_own(tree, head, repository, git):
    fill(tree, head)
    assert find_repository(tree.repository.top) == tree.repository
    assert git("status", "--porcelain", "--ignored", cwd=tree.repository.top) == ""
    assert git("worktree", "list", "--porcelain", cwd=repository).split("\n\n")[1].split("\n") == [
        f"worktree {tree.repository.top}",
        f"HEAD {head}",
        "detached",
    ]
    git("worktree", "remove", tree.repository.top, cwd=repository)
    assert not tree.repository.git_dir.exists()


def test_it_can_be_locked_as_git_does(tree, head, repository, git):
    fill(tree, head)
    lock(tree.repository, "because")
    assert git("worktree", "list", "--porcelain", cwd=repository).endswith("\nlocked because")
    unlock(tree.repository)
    unlock(tree.repository)
    assert git("worktree", "list", "--porcelain", cwd=repository).endswith("\ndetached")


def test_a_name_that_is_the_users_is_not_taken(tree, repository, head, git, tmp_path):
    folders = repository / ".git" / "worktrees"
    git("worktree", "add", "--quiet", "--detach", tmp_path / "his", cwd=repository)
    (folders / "his-1").touch()
    assert find_git_dir(repository / ".git", "his", tmp_path / "x") == folders / "his-2"
    fill(tree, head)
    assert find_git_dir(repository / ".git", "mine", tree.repository.top) == folders / "mine"
    (folders / "empty").mkdir()
    assert find_git_dir(repository / ".git", "empty", tmp_path / "x") == folders / "empty"


def test_a_commit_is_listed_with_all_that_decides_on_its_files(tree, repository, git):
    (repository / "a" / "b").mkdir(parents=True)
    (repository / "a" / "b" / "new\nline").touch()
    (repository / "link").symlink_to("a")
    (repository / ".gitattributes").write_text("*.py eol=crlf\n")
    git("add", ".", cwd=repository)
    git("update-index", "--add", "--cacheinfo", f"160000,{'1' * 40},a/sub", cwd=repository)
    git("commit", "--quiet", "-m", "x", cwd=repository)
    listing = list_commit(tree, git("rev-parse", "HEAD", cwd=repository))
    own = {".gitattributes", ".gitignore", "a/b/new\nline", "link", "params.yaml", "train.py"}
    assert (listing.files, listing.folders, listing.submodules) == (own, {"a", "a/b"}, {"a/sub": "1" * 40})
    assert [listing.holds(path) for path in ("a", "a/sub", "link", "b")] == [True, True, True, False]
    keys = {listing.key}
    for change in (
        lambda: git("config", "core.autocrlf", "true", cwd=repository),
        lambda: git("config", "filter.x.smudge", "cat", cwd=repository),
        lambda: (repository / ".git" / "info" / "attributes").write_text("*.py -text\n"),
        lambda: git("config", "core.attributesFile", str(repository / "link" / "attributes"), cwd=repository),
        lambda: (repository / "a" / "attributes").write_text("*.py -text\n"),
    ):
        change()
        keys.add(list_commit(tree, "HEAD").key)
    git("rm", "--quiet", "--cached", ".gitattributes", cwd=repository)
    git("commit", "--quiet", "-m", "y", cwd=repository)
    keys.add(list_commit(tree, "HEAD").key)
    assert len(keys) == 7
    git("config", "user.name", "Somebody Else", cwd=repository)
    assert list_commit(tree, "HEAD").key in keys


def test_what_is_no_commit_is_refused_and_leaves_nothing(tree, repository, git):
    for name in ("0" * 40, "HEAD^{tree}", "--help"):
        with pytest.raises(RepositoryError, match=r"^git ls-tree failed: "):
            list_commit(tree, name)
    assert not (repository / ".git" / "worktrees").exists()


def test_each_git_holds_the_lock(tree, head, tmp_path, monkeypatch):
    (tmp_path / "bin").mkdir()
    front = tmp_path / "bin" / "git"
    front.write_text(
        f'#!/bin/sh\nreadlink /proc/$$/fd/{tree.hold} >> "{tmp_path}/held"\nexec /usr/bin/env -u PATH {_real()} "$@"\n'
    )
    front.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}{os.pathsep}{os.environ['PATH']}")
    if not Path("/proc/self/fd").exists():
        pytest.skip("there is no /proc here")
    fill(tree, head)
    held = (tmp_path / "held").read_text().splitlines()
    assert len(held) >= 3
    assert set(held) == {str(tmp_path)}


def _real() -> str:
    return subprocess.run(["which", "git"], capture_output=True, text=True, check=True).stdout.strip()


def test_without_git_the_reason_is_told(tree, monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(RepositoryError, match=r"^git cannot be started in .*: No such file or directory$"):
        list_commit(tree, "HEAD")


def test_a_repository_with_refs_in_a_table_gets_what_git_makes_there(tree, head, repository):
    # A git that knows reftable (2.45) reads the real HEAD from the table; here only the layout can be looked at.
    (repository / ".git" / "reftable").mkdir()
    link(tree, head)
    assert (tree.repository.git_dir / "reftable").is_dir()
    assert (tree.repository.git_dir / "HEAD").read_text() == "ref: refs/heads/.invalid\n"


def test_clearing_follows_no_link_and_spares_what_is_kept(tmp_path):
    top, outside = tmp_path / "top", tmp_path / "outside"
    for folder in (top / "in" / "deep", top / "kept" / "deep", outside / "in"):
        folder.mkdir(parents=True)
        (folder / "file").touch()
    (top / "in" / "out").symlink_to(outside)
    (top / "there").symlink_to(outside / "in")
    (top / "in" / "deep").chmod(0)
    listing = Listing(frozenset({"in/file", "there/file"}), frozenset({"in", "there"}), {}, "")
    clear(top, listing, frozenset({"kept/deep"}), lambda path: tmp_path / path)
    assert sorted(str(path.relative_to(top)) for path in top.rglob("*")) == [
        "in",
        "kept",
        "kept/deep",
        "kept/deep/file",
    ]
    assert (outside / "in" / "file").exists()


def test_removing_a_link_leaves_what_it_leads_to(tmp_path):
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "file").touch()
    (tmp_path / "link").symlink_to("folder")
    remove(tmp_path / "link")
    remove(tmp_path / "not there")
    assert (tmp_path / "folder" / "file").exists()
    remove(tmp_path / "folder")
    assert list(tmp_path.iterdir()) == []
