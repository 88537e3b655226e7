"""Notes of two clones are put together by their lines, whoever made them and whatever they are on."""

from __future__ import annotations

import os

import pytest

from exptrack.backends.git import notesmerge
from exptrack.backends.git.notes import add_to_notes, list_notes, read_notes
from exptrack.backends.git.notesmerge import merge_notes
from exptrack.backends.git.repository import find_repository
from exptrack.errors import RepositoryError

REF = "refs/notes/exptrack"
OTHER = "refs/notes/other"


@pytest.fixture
def head(repository, git):
    return git("rev-parse", "HEAD", cwd=repository)


@pytest.fixture
def tip(repository, git):
    def call(ref=REF):
        return git("rev-parse", ref, cwd=repository)

    return call


@pytest.fixture
def make_tree(repository, git):
    """A commit (on `parents`) of a tree of blobs by path, odd ones too; the value is a text, or mode, type and oid."""

    def call(entries, *parents):
        lines = []
        folders = {}
        for path, content in entries.items():
            folder, slash, name = path.partition("/")
            if slash:
                folders.setdefault(folder, {})[name] = content
            elif isinstance(content, tuple):
                lines.append("{} {} {}\t{}".format(*content, path))
            else:
                data = content if isinstance(content, bytes) else content.encode()
                (repository / ".git" / "content").write_bytes(data)
                lines.append(f"100644 blob {git('hash-object', '-w', '.git/content', cwd=repository)}\t{path}")
        for folder, below in folders.items():
            lines.append(f"040000 tree {git('rev-parse', call(below) + '^{tree}', cwd=repository)}\t{folder}")
        tree = git("mktree", stdin="".join(f"{line}\n" for line in lines), cwd=repository)
        return git("commit-tree", "-m", "x", *(word for one in parents for word in ("-p", one)), tree, cwd=repository)

    return call


def test_a_note_has_the_lines_of_both_ours_first(repo, identity, head, git, repository, tip):
    add_to_notes(repo, REF, {head: "common\n"}, identity)
    add_to_notes(repo, OTHER, {head: "common\ntheirs\nalso theirs\n"}, identity)
    add_to_notes(repo, REF, {head: "ours\n"}, identity)
    mine, other = tip(), tip(OTHER)
    new = merge_notes(repo, REF, other, identity)
    assert new == tip()
    assert read_notes(repo, REF) == {head: "common\nours\ntheirs\nalso theirs\n"}
    assert git("log", "-1", "--format=%P %an <%ae>", REF, cwd=repository) == f"{mine} {other} {identity}"
    assert merge_notes(repo, REF, other, identity) == merge_notes(repo, REF, new, identity) == new == tip()
    git("fsck", "--strict", cwd=repository)
    assert list(repo.shared.iterdir()) == []


def test_where_one_side_has_all_of_the_other_it_is_taken_as_it_is(repo, identity, head, git, repository, tip):
    add_to_notes(repo, OTHER, {head: "one\n"}, identity)
    first = tip(OTHER)
    assert merge_notes(repo, REF, first, identity) == first == tip()
    add_to_notes(repo, OTHER, {head: "two\n"}, identity)
    second = tip(OTHER)
    assert merge_notes(repo, REF, second, identity) == second == tip()
    assert merge_notes(repo, REF, first, identity) == second == tip()
