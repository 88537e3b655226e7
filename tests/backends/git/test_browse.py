"""A commit's files and folders by path, whatever they are called."""

from __future__ import annotations

import os

import pytest

from exptrack.backends.git.browse import Entry, find_entry, list_entries, list_paths

ODD = [
    "-dash",
    ":colon",
    ":(top)x",
    "[glob]*",
    "new\nline",
    "tab\t",
    'quo"te',
    "ünï",
    "deep/er/x",
    os.fsdecode(b"latin-\xe9"),
]


@pytest.fixture
def odd(repository, git):
    for path in ODD:
        (repository / path).parent.mkdir(parents=True, exist_ok=True)
        (repository / path).write_text(path.encode(errors="replace").decode())
    git("add", ".", cwd=repository)
    git("commit", "--quiet", "-m", "odd", cwd=repository)
    return git("rev-parse", "HEAD", cwd=repository)


@pytest.mark.parametrize("path", ODD)
def test_a_file_is_found_by_its_path(repo, odd, path):
    entry = find_entry(repo, odd, path)
    assert entry is not None
    assert (entry.path, entry.kind) == (path, "blob")


def test_folders_and_the_root_are_found_and_listed(repo, odd):
    entry = find_entry(repo, odd, "deep")
    assert entry is not None
    assert entry.kind == "tree"
    assert [(one.path, one.kind) for one in list_entries(repo, entry.oid)] == [("er", "tree")]
    root = find_entry(repo, odd, "")
    assert root == Entry("", "tree", f"{odd}^{{tree}}")
    assert {one.path for one in list_entries(repo, root.oid)} >= {"deep", "-dash", ":colon"}


def test_what_is_not_there_is_none(repo, odd):
    for path in ("nothing", "deep/er/x/y", "dee", "[g]*", "*"):
        assert find_entry(repo, odd, path) is None


def test_all_paths_are_listed_or_those_below_a_folder(repo, odd):
    assert set(list_paths(repo, odd)) == {*ODD, ".gitignore", "params.yaml", "train.py"}
    assert list_paths(repo, odd, "deep/") == ["deep/er/x"]
    assert list_paths(repo, odd, "nothing/") == []
