"""The diff between two commits is git's own, whatever the user has set."""

from __future__ import annotations

import pytest

from exptrack.backends.git.diffs import list_changes, read_diff


@pytest.fixture
def two(repository, git):
    (repository / "train.py").write_text("edited\n")
    (repository / "new\nname ünï.py").write_text("new\n")
    git("add", ".", cwd=repository)
    git("commit", "--quiet", "-m", "second", cwd=repository)
    return git("rev-parse", "HEAD^", "HEAD", cwd=repository).split()


def test_equal_trees_give_nothing(repo, two):
    assert read_diff(repo, two[0], two[0]) == ""


def test_what_changed_is_shown_with_old_and_new(repo, two):
    text = read_diff(repo, *two)
    assert "-import json, pathlib\n" in text
    assert "+edited\n" in text
    assert "\x1b" not in text
    back = read_diff(repo, *two[::-1])
    assert "-edited\n" in back


def test_no_colours_come_whatever_is_set(repo, two, git, repository):
    git("config", "color.ui", "always", cwd=repository)
    assert "\x1b[" not in read_diff(repo, *two)


def test_no_program_of_the_users_is_run(repo, two, git, repository, tmp_path):
    marker = tmp_path / "was run"
    script = tmp_path / "spy"
    script.write_text(f"#!/bin/sh\ntouch '{marker}'\n")
    script.chmod(0o755)
    git("config", "diff.external", script, cwd=repository)
    git("config", "core.pager", script, cwd=repository)
    git("config", "diff.spy.textconv", script, cwd=repository)
    (repository / ".git" / "info" / "attributes").write_text("*.py diff=spy\n")
    assert "+edited\n" in read_diff(repo, *two)
    assert not marker.exists()


def test_binary_files_are_named_only(repo, git, repository):
    (repository / "data.bin").write_bytes(b"\0\1\2")
    git("add", ".", cwd=repository)
    git("commit", "--quiet", "-m", "binary", cwd=repository)
    text = read_diff(repo, "HEAD^", "HEAD")
    assert "Binary files /dev/null and b/data.bin differ" in text


def test_text_that_is_not_utf_8_is_shown_as_far_as_it_goes(repo, git, repository):
    (repository / "latin.txt").write_bytes(b"caf\xe9\n")
    git("add", ".", cwd=repository)
    git("commit", "--quiet", "-m", "latin", cwd=repository)
    assert "+caf\ufffd\n" in read_diff(repo, "HEAD^", "HEAD")


def test_a_file_named_as_a_commit_does_not_confuse(repo, two, repository):
    (repository / "main").write_text("x")
    assert "+edited\n" in read_diff(repo, two[0], "main")


def test_changed_files_are_listed_with_their_lines(repo, git, repository):
    git("mv", "train.py", "moved.py", cwd=repository)
    (repository / "params.yaml").write_text("lr: 0.5\nmore: 1\n")
    (repository / "new\nname ünï.py").write_text("new\n")
    (repository / "data.bin").write_bytes(b"\0\1\2")
    (repository / ".gitignore").unlink()
    git("add", "-A", ".", cwd=repository)
    git("commit", "--quiet", "-m", "second", cwd=repository)
    found = {
        one.path: (one.status, one.added, one.removed, one.old_path) for one in list_changes(repo, "HEAD^", "HEAD")
    }
    assert found == {
        ".gitignore": ("D", 0, 1, None),
        "data.bin": ("A", None, None, None),
        "moved.py": ("R", 0, 0, "train.py"),
        "new\nname ünï.py": ("A", 1, 0, None),
        "params.yaml": ("M", 2, 1, None),
    }
    apart = {one.path: one.status for one in list_changes(repo, "HEAD^", "HEAD", renames=False)}
    assert (apart["moved.py"], apart["train.py"]) == ("A", "D")
    assert "lr: 0.5" not in read_diff(repo, "HEAD^", "HEAD", without=["params.yaml", "new\nname ünï.py", "not there"])
    assert list_changes(repo, "HEAD", "HEAD") == []
