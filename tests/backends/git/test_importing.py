"""A commit that is imported holds its files byte for byte under any name, and nothing else of the repository changes."""

from __future__ import annotations

import os

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from exptrack.backends.git.importing import format_files, format_notes, import_commit, store_files
from exptrack.backends.git.objects import read, read_many
from exptrack.backends.git.repository import find_repository
from exptrack.errors import RepositoryError

# Any name that a file can have: no NUL, no slash, not `.` or `..`, and nothing that git keeps for itself.
LETTERS = st.characters(exclude_characters="\0/", exclude_categories=["Cs"]) | st.integers(0x80, 0xFF).map(
    lambda byte: os.fsdecode(bytes([byte]))
)
NAMES = st.text(LETTERS, min_size=1, max_size=9).filter(
    lambda name: name.strip(".") and not name.lower().startswith((".git", "git~"))
)
PATHS = st.lists(NAMES, min_size=1, max_size=3).map("/".join)


@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.dictionaries(PATHS, st.binary(max_size=40), max_size=5))
def test_what_is_imported_is_read_back(repo, people, files):
    paths = [path for path in files if not any(other.startswith(f"{path}/") for other in files)]
    kept = {path: files[path] for path in paths}
    oid = import_commit(repo, people, "x\n", None, format_files(kept))
    assert list(read_many(repo, [f"{oid}:{path}" for path in paths])) == list(kept.values())


def test_a_stored_file_is_put_by_its_oid(repo, people, tmp_path):
    odd = tmp_path / 'a "b"\nc'
    odd.write_bytes(b"a\r\n\0" * 1000)
    [oid] = store_files(repo, [odd])
    commit = import_commit(repo, people, "x\n", None, format_files({"d/e f": oid, "g": b"h"}))
    assert list(read_many(repo, [f"{commit}:d/e f", f"{commit}:g"])) == [odd.read_bytes(), b"h"]


def test_the_files_come_on_top_of_the_parents(repo, people, git, repository):
    head = git("rev-parse", "HEAD", cwd=repository)
    changes = format_files({"train.py": b"new\r\n", "params.yaml/is now": b"a folder", "deep/er": b"\0"})
    oid = import_commit(repo, people, "subject ünï\n\nbody\n", head, changes)
    assert git("ls-tree", "-r", "--name-only", oid, cwd=repository).split("\n") == [
        ".gitignore", "deep/er", "params.yaml/is now", "train.py",
    ]  # fmt: skip
    assert read(repo, f"{oid}:train.py") == b"new\r\n"
    assert (
        git("log", "-1", "--format=%P|%an|%at|%ct|%B", oid, cwd=repository)
        == f"{head}|Ada Lovelace|1769860800|1769860801|subject ünï\n\nbody"
    )
    git("fsck", "--strict", cwd=repository)
    again = import_commit(repo, people, "x\n", oid, format_files({"deep": b"now a file"}))
    assert read(repo, f"{again}:deep") == b"now a file"


def test_a_first_commit_has_no_parent(repo, people, git, repository):
    oid = import_commit(repo, people, "x\n", None, b"")
    assert git("rev-list", "--parents", "-1", oid, cwd=repository) == oid
    assert git("ls-tree", oid, cwd=repository) == ""


def test_nothing_else_of_the_repository_changes(repo, people, git, repository):
    index, listed = repo.index_file.read_bytes(), git("for-each-ref", cwd=repository)
    (repository / ".git" / "index.lock").touch()
    (repository / ".git" / "packed-refs.lock").touch()
    import_commit(repo, people, "x\n", git("rev-parse", "HEAD", cwd=repository), format_files({"a": b"a"}))
    (repository / ".git" / "index.lock").unlink()
    assert (repo.index_file.read_bytes(), git("for-each-ref", cwd=repository)) == (index, listed)
    assert list(repo.shared.iterdir()) == []
    assert not list((repository / ".git").glob("fast_import_crash*"))


def test_many_files_and_large_ones_arrive(repo, people, git, repository):
    files = {f"many/{number}": b"%d" % number for number in range(500)} | {"large": os.urandom(3_000_000)}
    oid = import_commit(repo, people, "x\n", None, format_files(files))
    assert list(read_many(repo, [f"{oid}:{path}" for path in files])) == list(files.values())
    git("fsck", "--strict", cwd=repository)


def test_a_parent_that_is_not_there_is_named_and_nothing_is_left_behind(repo, people):
    with pytest.raises(RepositoryError, match=r"^git fast-import failed: .*1111"):
        import_commit(repo, people, "x\n", "1" * 40, b"")
    assert list(repo.shared.iterdir()) == []


def test_notes_are_put_on_commits(repo, people, git, repository):
    head = git("rev-parse", "HEAD", cwd=repository)
    oid = import_commit(repo, people, "annotate\n", None, format_notes({head: "a note\n"}))
    git("update-ref", "refs/notes/x", oid, cwd=repository)
    assert git("notes", "--ref=x", "show", head, cwd=repository) == "a note"


def test_sha_256_and_odd_folders_work(people, tmp_path, git):
    for name in ("long", "new\nline", "with space"):
        git("init", "--quiet", *(["--object-format=sha256"] if name == "long" else []), tmp_path / name)
        found = find_repository(tmp_path / name)
        oid = import_commit(found, people, "x\n", None, format_files({"a": b"a"}))
        assert read(found, f"{oid}:a") == b"a"
        assert len(oid) == (64 if name == "long" else 40)
