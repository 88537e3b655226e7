"""Notes are written by compare-and-swap: whatever others do meanwhile, nothing that was added is lost."""

from __future__ import annotations

import os

import pytest

from exptrack.backends.git.notes import add_to_notes, change_notes, list_notes, read_notes
from exptrack.backends.git.repository import find_repository
from exptrack.errors import RepositoryError

REF = "refs/notes/exptrack"


@pytest.fixture
def head(repository, git):
    return git("rev-parse", "HEAD", cwd=repository)


def test_what_is_added_stands_behind_what_was_there(repo, identity, head, git, repository):
    assert read_notes(repo, REF) == {}
    add_to_notes(repo, REF, {head: "one ünï\n"}, identity)
    add_to_notes(repo, REF, {head: "two\nthree\n"}, identity)
    assert read_notes(repo, REF) == {head: "one ünï\ntwo\nthree\n"}
    assert git("notes", "--ref=exptrack", "show", head, cwd=repository) == "one ünï\ntwo\nthree"
    assert git("log", "-1", "--format=%an <%ae>", REF, cwd=repository) == str(identity)
    git("fsck", "--strict", cwd=repository)


def test_several_notes_are_one_commit(repo, identity, head, git, repository):
    other = git("commit-tree", "-m", "other", "HEAD^{tree}", cwd=repository)
    add_to_notes(repo, REF, {head: "a\n", other: "b\n"}, identity)
    assert read_notes(repo, REF) == {head: "a\n", other: "b\n"}
    assert read_notes(repo, REF, [other, "1" * 40]) == {other: "b\n"}
    assert git("rev-list", "--count", REF, cwd=repository) == "1"


def test_eight_processes_lose_no_line(repo, head, at_once):
    code = f"for i in range(12): notes.add_to_notes(repo, {REF!r}, {{{head!r}: f'{{number}}-{{i}}\\n'}}, ada)"
    at_once(code)
    lines = read_notes(repo, REF)[head].splitlines()
    assert sorted(lines) == sorted(f"{number}-{i}" for number in range(8) for i in range(12))
    for number in range(8):
        assert [line for line in lines if line.startswith(f"{number}-")] == [f"{number}-{i}" for i in range(12)]
    assert list(repo.shared.iterdir()) == []


def test_notes_that_git_has_fanned_out_are_read_and_kept(repo, identity, git, repository):
    commits = _many_commits(git, repository, 400)
    for half in (commits[:200], commits[200:]):
        add_to_notes(repo, REF, {oid: f"{oid}\n" for oid in half}, identity)
    for oid in commits[:3]:
        git("notes", "--ref=exptrack", "append", "-m", "by git", oid, cwd=repository)
    assert "/" in git("ls-tree", "-r", "--name-only", REF, cwd=repository), "not fanned out"
    add_to_notes(repo, REF, dict.fromkeys(commits[2:5], "more\n"), identity)
    notes = read_notes(repo, REF)
    assert notes.keys() == set(commits)
    by_git = [oid for oid, text in notes.items() if "by git" in text]
    more = [oid for oid, text in notes.items() if text.endswith("more\n")]
    assert (sorted(by_git), sorted(more)) == (sorted(commits[:3]), sorted(commits[2:5]))
    assert all(text.startswith(f"{oid}\n") for oid, text in notes.items())
    assert git("notes", "--ref=exptrack", "list", cwd=repository).count("\n") == 399
    git("fsck", "--strict", cwd=repository)


def _many_commits(git, repository, count: int) -> list[str]:
    who = "committer A <a@example.com> 1 +0000"
    script = "".join(
        f"commit refs/heads/many\nmark :{n}\n{who}\ndata 1\nx\n\nget-mark :{n}\n" for n in range(1, count + 1)
    )
    return git("fast-import", "--quiet", cwd=repository, stdin=script).split()


def test_a_note_that_git_wrote_meanwhile_is_kept(repo, identity, head, git, repository):
    add_to_notes(repo, REF, {head: "ours\n"}, identity)
    calls = []

    def change(texts):
        if not calls:
            git("notes", "--ref=exptrack", "append", "-m", "theirs", head, cwd=repository)
        calls.append(texts)
        return {head: texts[head] + "more\n"}

    change_notes(repo, REF, change, [head], identity)
    assert [texts[head] for texts in calls] == ["ours\n", "ours\n\ntheirs\n"]
    assert read_notes(repo, REF) == {head: "ours\n\ntheirs\nmore\n"}


def test_a_notes_ref_that_git_merged_or_rewrote_meanwhile_is_built_upon(repo, identity, head, git, repository):
    add_to_notes(repo, REF, {head: "base\n"}, identity)
    base = git("rev-parse", REF, cwd=repository)
    add_to_notes(repo, REF, {head: "ours\n"}, identity)
    git("update-ref", "refs/notes/theirs", base, cwd=repository)
    add_to_notes(repo, "refs/notes/theirs", {head: "theirs\n"}, identity)
    git("notes", "--ref=exptrack", "merge", "--quiet", "-s", "cat_sort_uniq", "theirs", cwd=repository)
    add_to_notes(repo, REF, {head: "after the merge\n"}, identity)
    assert read_notes(repo, REF)[head] == "base\nours\ntheirs\nafter the merge\n"
    git("notes", "--ref=exptrack", "add", "-f", "-m", "anew", head, cwd=repository)
    add_to_notes(repo, REF, {head: "after\n"}, identity)
    git("notes", "--ref=exptrack", "remove", head, cwd=repository)
    add_to_notes(repo, REF, {head: "again\n"}, identity)
    assert read_notes(repo, REF) == {head: "again\n"}
    git("update-ref", "-d", REF, cwd=repository)
    add_to_notes(repo, REF, {head: "first\n"}, identity)
    assert read_notes(repo, REF) == {head: "first\n"}


def test_a_note_without_a_newline_at_its_end_swallows_no_line(repo, identity, head, git, repository):
    blob = git("hash-object", "-w", "--stdin", stdin="by hand", cwd=repository)
    git("notes", "--ref=exptrack", "add", "-C", blob, head, cwd=repository)
    add_to_notes(repo, REF, {head: "ours\n"}, identity)
    assert read_notes(repo, REF)[head] == "by hand\nours\n"


def test_what_is_not_utf_8_is_kept_as_it_was(repo, identity, head, git, repository):
    path = repository / "latin"
    path.write_bytes(b"caf\xe9 \0 \xff\n")
    blob = git("hash-object", "-w", "latin", cwd=repository)
    git("notes", "--ref=exptrack", "add", "-C", blob, head, cwd=repository)
    add_to_notes(repo, REF, {head: "ünï\n"}, identity)
    [note] = list_notes(repo, REF).values()
    assert os.fsencode(read_notes(repo, REF)[head]) == b"caf\xe9 \0 \xff\n" + "ünï\n".encode()
    assert git("cat-file", "-s", note, cwd=repository) == str(len(b"caf\xe9 \0 \xff\n" + "ünï\n".encode()))


def test_the_users_index_work_tree_and_branches_are_untouched(repo, identity, head, git, repository):
    index, before = (repository / ".git" / "index").read_bytes(), git("for-each-ref", cwd=repository)
    add_to_notes(repo, REF, {head: "x\n"}, identity)
    assert (repository / ".git" / "index").read_bytes() == index
    assert git("for-each-ref", "refs/heads", "refs/tags", "refs/stash", cwd=repository) == before
    assert git("status", "--porcelain", cwd=repository) == ""


def test_notes_work_from_a_linked_worktree_and_in_sha_256(repo, identity, head, git, repository, tmp_path):
    git("worktree", "add", "--quiet", "-b", "other", tmp_path / "linked", cwd=repository)
    add_to_notes(find_repository(tmp_path / "linked"), REF, {head: "linked\n"}, identity)
    assert read_notes(repo, REF) == {head: "linked\n"}
    git("init", "--quiet", "--object-format=sha256", tmp_path / "long")
    git("commit", "--quiet", "--allow-empty", "-m", "x", cwd=tmp_path / "long")
    long = find_repository(tmp_path / "long")
    for text in ("one\n", "two\n"):
        add_to_notes(long, REF, {git("rev-parse", "HEAD", cwd=long.top): text}, identity)
    assert list(read_notes(long, REF).values()) == ["one\ntwo\n"]


def test_a_lock_in_the_way_is_named_and_nothing_is_left_behind(repo, identity, head, repository):
    add_to_notes(repo, REF, {head: "one\n"}, identity)
    lock = repository / ".git" / f"{REF}.lock"
    lock.touch()
    with pytest.raises(RepositoryError, match=rf"^{REF} cannot be written: .*\.lock': File exists"):
        add_to_notes(repo, REF, {head: "two\n"}, identity)
    assert read_notes(repo, REF) == {head: "one\n"}
    assert list(repo.shared.iterdir()) == []


def test_a_note_whose_content_is_gone_is_named_and_not_written_over(repo, identity, head, git, repository):
    add_to_notes(repo, REF, {head: "precious\n"}, identity)
    tip = git("rev-parse", REF, cwd=repository)
    blob = list_notes(repo, REF)[head]
    (repository / ".git" / "objects" / blob[:2] / blob[2:]).unlink()
    with pytest.raises(RepositoryError, match=rf"^the note on {head} in {REF} is not in the repository"):
        add_to_notes(repo, REF, {head: "more\n"}, identity)
    assert git("rev-parse", REF, cwd=repository) == tip


def test_notes_that_cannot_be_listed_are_not_taken_for_none(repo, identity, head, git, repository):
    add_to_notes(repo, REF, {head: "precious\n"}, identity)
    tree = git("rev-parse", f"{REF}^{{tree}}", cwd=repository)
    (repository / ".git" / "objects" / tree[:2] / tree[2:]).unlink()
    with pytest.raises(RepositoryError, match=r"^git notes failed: "):
        add_to_notes(repo, REF, {head: "more\n"}, identity)


def test_a_folder_that_cannot_be_written_is_named(repo, identity, head):
    repo.shared.write_text("in the way")
    with pytest.raises(RepositoryError, match=rf"^cannot write below {repo.shared}: Not a directory$"):
        add_to_notes(repo, REF, {head: "x\n"}, identity)
