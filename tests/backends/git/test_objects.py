"""Objects come back byte for byte, under any name, and what is missing costs only itself."""

from __future__ import annotations

import os
import subprocess

import pytest

from exptrack.backends.git.importing import format_files, import_commit
from exptrack.backends.git.objects import (
    measure,
    parse_tree,
    read,
    read_many,
    resolve,
    write_commit,
    write_tree,
)
from exptrack.backends.git.repository import find_repository
from exptrack.errors import RepositoryError

CONTENTS = [
    b"",
    b"\n",
    b"no newline",
    b"a\nb\n",
    b"\0\xff\xfe" * 1000,
    b"0" * 40 + b" blob 3\nabc\n",
    b"x missing\n",
    b"\r\n",
]
NAMES = [
    "with space", "two  spaces", "new\nline", "line\u2028separator", "form\x0cfeed", "carriage\rreturn", "end\r", "tab\there", 'quo"te', "ünï—code",
    "-dash", "back\\slash", "x missing", "x blob 12", "a" * 200, os.fsdecode(b"latin-\xe9"), "end\n", "deep/er/path", "[glob]*", ":colon",
]  # fmt: skip


@pytest.fixture
def odd(repo, people):
    """A commit that holds each of NAMES, whose content is its own name, and each of CONTENTS."""
    files = {name: os.fsencode(name) for name in NAMES} | {
        f"content-{i}": content for i, content in enumerate(CONTENTS)
    }
    return import_commit(repo, people, "odd\n", None, format_files(files))


def test_names_of_every_kind_are_read_back_in_order(repo, odd):
    asked = [f"{odd}:{name}" for name in NAMES]
    assert list(read_many(repo, asked)) == [os.fsencode(name) for name in NAMES]
    assert list(read_many(repo, asked[::-1])) == [os.fsencode(name) for name in NAMES[::-1]]


def test_content_of_every_kind_comes_back_byte_for_byte(repo, odd):
    assert list(read_many(repo, [f"{odd}:content-{i}" for i in range(len(CONTENTS))])) == CONTENTS


@pytest.mark.parametrize(
    "missing", ["nothing", "HEAD:no such file", "HEAD:no\nsuch\nfile", "", "0" * 40, "HEAD:x blob 12", "a\u2028b"]
)
def test_a_missing_name_costs_only_itself(repo, odd, missing):
    asked = [f"{odd}:content-2", missing, f"{odd}:new\nline", missing, "HEAD:params.yaml"]
    assert list(read_many(repo, asked)) == [b"no newline", None, b"new\nline", None, b"lr: 0.25\n"]
    oids = resolve(repo, asked)
    assert [oid is None for oid in oids] == [False, True, False, True, False]


def test_an_ambiguous_name_is_missing(repo, git, repository):
    one, other = (git("hash-object", "-w", "--stdin", stdin=text, cwd=repository) for text in ("142", "784"))
    assert one[:4] == other[:4]
    assert list(read_many(repo, [one[:4], other, "HEAD:params.yaml"])) == [None, b"784", b"lr: 0.25\n"]
    assert resolve(repo, [one[:4], other]) == [None, other]


def test_a_name_is_resolved_to_what_git_resolves_it_to(repo, git, repository, odd):
    names = ["HEAD", "HEAD^{tree}", "HEAD^{commit}", "refs/heads/main", "HEAD:train.py"]
    assert resolve(repo, names) == [git("rev-parse", name, cwd=repository) for name in names]
    assert resolve(repo, [f"{odd}:new\nline"]) == [git("rev-parse", f"{odd}:new\nline", cwd=repository)]
    assert resolve(repo, ["HEAD^", "nothing"]) == [None, None]


def test_a_submodule_has_no_content(repo, git, repository):
    commit = git("rev-parse", "HEAD", cwd=repository)
    tree = git(
        "mktree", "--missing", stdin=f"160000 commit {'1' * 40}\tgone\n160000 commit {commit}\there\n", cwd=repository
    )
    assert read(repo, f"{tree}:gone") is None
    assert resolve(repo, [f"{tree}:gone"]) in ([None], ["1" * 40])


def test_nothing_asked_gives_nothing(repo):
    assert list(read_many(repo, [])) == []
    assert resolve(repo, []) == []


def test_a_tree_with_an_object_that_is_gone_is_refused(repo, git, repository, tmp_path):
    index = tmp_path / "index"
    line = f"100644 {'1' * 40}\tgone\0"
    subprocess.run(
        ["git", "update-index", "--add", "-z", "--index-info"], cwd=repository, input=line.encode(), env={**os.environ, "GIT_INDEX_FILE": str(index)}, check=True
    )  # fmt: skip
    with pytest.raises(RepositoryError, match=r"^git write-tree failed: "):
        write_tree(repo, index)
    assert write_tree(repo, repo.index_file) == git("rev-parse", "HEAD^{tree}", cwd=repository)


def test_a_commit_is_written_with_its_parents_and_message(repo, git, repository):
    tree, head = git("rev-parse", "HEAD^{tree}", cwd=repository), git("rev-parse", "HEAD", cwd=repository)
    message = "subject ünï\n\nbody\n\ntree 123\nparent 456\n"
    root = write_commit(repo, tree, [], "root\n")
    oid = write_commit(repo, tree, [head, root], message)
    assert git("log", "-1", "--format=%T %P", oid, cwd=repository) == f"{tree} {head} {root}"
    assert git("log", "-1", "--format=%B", oid, cwd=repository) == message.strip()
    assert git("log", "-1", "--format=%T %P", root, cwd=repository) == tree


def test_a_failing_signer_is_named(repo, git, repository):
    git("config", "gpg.program", "false", cwd=repository)
    with pytest.raises(RepositoryError, match=r"^git commit-tree failed: "):
        write_commit(repo, git("rev-parse", "HEAD^{tree}", cwd=repository), [], "x\n", signed=True)


@pytest.mark.parametrize("rest", [b"", b"100644 half", b"100644 half\0abc", b"\xff", b"nothing " * 9])
def test_what_is_no_entry_ends_a_tree(rest):
    entry = b"40000 folder\0" + bytes(range(20))
    [found] = parse_tree(entry + rest, 20)
    assert found == ("40000", "folder", bytes(range(20)).hex())
    assert found.is_folder
    assert not found.is_elsewhere


def test_many_are_measured_as_few_are(repository):
    here = find_repository(repository)
    names = [name for number in range(1500) for name in ("HEAD", f"HEAD:no{number}", "HEAD^{tree}")]
    assert measure(here, names) == measure(here, names[:3]) * 1500
    with pytest.raises(RepositoryError):
        measure(here._replace(top=repository.with_name("gone")), names)
