"""Notes of two clones are put together by their lines, whoever made them and whatever they are on."""

from __future__ import annotations

import os
import subprocess

import pytest

from exptrack.backends.git.notes import add_to_notes, list_notes, read_notes
from exptrack.backends.git.notesmerge import merge_notes
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


def test_a_side_that_drops_lines_of_ours_takes_none_away(repo, identity, head, git, repository, tip, make_tree):
    other = git("rev-parse", "HEAD^{tree}", cwd=repository)
    add_to_notes(repo, REF, {head: "one\ntwo\n"}, identity)
    mine = tip()
    emptied = make_tree({other: "only this\n", head: "two\n"}, mine)
    new = merge_notes(repo, REF, emptied, identity)
    assert read_notes(repo, REF) == {head: "one\ntwo\n", other: "only this\n"}
    assert git("rev-list", "--parents", "-1", new, cwd=repository).split() == [new, mine, emptied]
    assert merge_notes(repo, REF, make_tree({}, new), identity) != new
    assert read_notes(repo, REF) == {head: "one\ntwo\n", other: "only this\n"}


def test_histories_that_share_nothing_are_put_together(repo, identity, head, tip, make_tree):
    add_to_notes(repo, REF, {head: "ours\n"}, identity)
    merge_notes(repo, REF, make_tree({head: "theirs without an end"}), identity)
    assert read_notes(repo, REF) == {head: "ours\ntheirs without an end\n"}


def test_a_note_of_ours_without_a_newline_at_its_end_swallows_no_line(repo, identity, head, git, repository, make_tree):
    git("update-ref", REF, make_tree({head: "by hand"}), cwd=repository)
    merge_notes(repo, REF, make_tree({head: "by hand\ntheirs\n"}), identity)
    assert read_notes(repo, REF) == {head: "by hand\ntheirs\n"}
    merge_notes(repo, REF, make_tree({head: "more"}), identity)
    assert read_notes(repo, REF) == {head: "by hand\ntheirs\nmore\n"}


def test_what_is_not_utf_8_survives(repo, identity, head, make_tree):
    merge_notes(repo, REF, make_tree({head: b"caf\xe9 \0\n\xff\r\n"}), identity)
    merge_notes(repo, REF, make_tree({head: b"\n\xfe\nat the end"}), identity)
    assert os.fsencode(read_notes(repo, REF)[head]) == b"caf\xe9 \0\n\xff\r\n\n\xfe\nat the end\n"


def test_notes_on_what_is_no_commit_or_not_here_survive(repo, identity, head, git, repository, make_tree):
    tree = git("rev-parse", "HEAD^{tree}", cwd=repository)
    absent = "1" * 40
    git("update-ref", REF, make_tree({tree: "ours\n", absent: "ours\n"}), cwd=repository)
    merge_notes(repo, REF, make_tree({tree: "theirs\n", absent: "theirs\n", "2" * 40: "new\n"}), identity)
    both = "ours\ntheirs\n"
    assert read_notes(repo, REF) == {tree: both, absent: both, "2" * 40: "new\n"}


def test_whatever_the_fan_out_each_note_is_there_once(repo, identity, git, repository, tip, make_tree):
    oids = [f"{number:04x}" + "7" * 36 for number in range(300)]
    flat = make_tree({oid: f"flat {oid}\n" for oid in oids[:200]})
    fanned = make_tree({f"{oid[:2]}/{oid[2:]}": f"fanned {oid}\n" for oid in oids[100:]})
    git("update-ref", REF, flat, cwd=repository)
    merge_notes(repo, REF, fanned, identity)
    paths = git("ls-tree", "-r", "--name-only", REF, cwd=repository).split()
    assert sorted(paths) == [f"{oid[:2]}/{oid[2:]}" for oid in oids], "as fast-import keeps 300 notes"
    notes = read_notes(repo, REF)
    assert notes[oids[150]] == f"flat {oids[150]}\nfanned {oids[150]}\n"
    head = git("rev-parse", "HEAD", cwd=repository)
    add_to_notes(repo, REF, {head: "x\n"}, identity)
    assert list_notes(repo, REF).keys() == {*oids, head}


def test_a_note_in_two_places_becomes_one(repo, identity, head, git, repository, make_tree):
    git("update-ref", REF, make_tree({head: "a\nb\n", f"{head[:2]}/{head[2:]}": "b\nc\n"}), cwd=repository)
    merge_notes(repo, REF, make_tree({head: "c\nd\n"}), identity)
    assert git("ls-tree", "-r", "--name-only", REF, cwd=repository) == head
    assert read_notes(repo, REF) == {head: "a\nb\nc\nd\n"}


def test_what_an_enemy_puts_there_is_left_out(repo, identity, head, git, repository, make_tree):
    add_to_notes(repo, REF, {head: "ours\n"}, identity)
    tree = git("rev-parse", "HEAD^{tree}", cwd=repository)
    blob = git("rev-parse", "HEAD:train.py", cwd=repository)
    good, large = "3" * 40, "4" * 40
    enemy = make_tree(
        {
            head: "x" * 1024 * 1024 + "\n",
            large: b"\xff" * (1024 * 1024 + 1),
            good: "kept\n",
            "README.md": "odd\n",
            "5" * 40: ("120000", "blob", blob),
            "6" * 40: ("160000", "commit", head),
            "7" * 40: ("040000", "tree", tree),
            "A" * 40: "in capitals\n",
            "8" * 39: "too short\n",
            "zz": ("040000", "tree", tree),
            "evil\x1b[2J": "x",
        }
    )
    new = merge_notes(repo, REF, enemy, identity)
    assert read_notes(repo, REF) == {head: "ours\n", good: "kept\n"}
    assert set(git("ls-tree", "-r", "--name-only", REF, cwd=repository).split()) == {head, good}
    assert merge_notes(repo, REF, enemy, identity) == new
    git("update-ref", "-d", REF, cwd=repository)
    merge_notes(repo, REF, enemy, identity)
    assert read_notes(repo, REF) == {good: "kept\n"}, "where there were none"


@pytest.mark.timeout(120)
def test_a_tree_that_never_ends_is_refused(repo, identity, head, git, repository, tip, make_tree):
    add_to_notes(repo, REF, {head: "ours\n"}, identity)
    before = tip()
    blob = git("rev-parse", "HEAD:train.py", cwd=repository)
    bomb = ("100644", "blob", blob)
    for _ in range(19):
        commit = make_tree({f"{number:02x}": bomb for number in range(256)})
        bomb = ("040000", "tree", git("rev-parse", f"{commit}^{{tree}}", cwd=repository))
    with pytest.raises(RepositoryError, match=rf"^the annotations of {commit} are more than 1,000,000: they are not"):
        merge_notes(repo, REF, commit, identity)
    assert tip() == before


def test_a_tree_of_endless_depth_is_not_walked(repo, identity, git, repository, make_tree):
    blob = git("rev-parse", "HEAD:train.py", cwd=repository)
    entry = ("100644", "blob", blob)
    for name in (*["ab"] * 30, "cd"):
        commit = make_tree({name: entry})
        entry = ("040000", "tree", git("rev-parse", f"{commit}^{{tree}}", cwd=repository))
    merge_notes(repo, REF, commit, identity)
    assert read_notes(repo, REF) == {}


@pytest.mark.parametrize("what", ["HEAD^{tree}", "HEAD:train.py", "1" * 40, "no such thing"])
def test_what_is_no_commit_is_refused(repo, identity, git, repository, what):
    with pytest.raises(RepositoryError, match=r"holds no annotations: it is no commit, or not in the repository$"):
        merge_notes(repo, REF, what, identity)
    assert git("for-each-ref", REF, cwd=repository) == ""


@pytest.mark.parametrize("is_ours", [True, False])
def test_a_note_whose_content_is_gone_is_named_and_nothing_is_lost(
    repo, identity, head, repository, git, tip, make_tree, is_ours
):
    git("update-ref", REF, make_tree({head: "ours\n"}), cwd=repository)
    before, other = tip(), make_tree({head: "theirs\n"})
    blob = git("rev-parse", f"{before if is_ours else other}:{head}", cwd=repository)
    (repository / ".git" / "objects" / blob[:2] / blob[2:]).unlink()
    with pytest.raises(RepositoryError, match=rf"^the note {blob} is not in the repository: run `git fsck`$"):
        merge_notes(repo, REF, other, identity)
    assert tip() == before


def test_who_adds_meanwhile_loses_nothing(repo, head, at_once, tip, identity):
    add_to_notes(repo, OTHER, {head: "theirs\n"}, identity)
    other = tip(OTHER)
    code = (
        "from exptrack.backends.git.notesmerge import merge_notes\n"
        f"for i in range(6):\n"
        f"    notes.add_to_notes(repo, {REF!r}, {{{head!r}: f'{{number}}-{{i}}\\n'}}, ada)\n"
        f"    merge_notes(repo, {REF!r}, {other!r}, ada)\n"
    )
    at_once(code)
    lines = read_notes(repo, REF)[head].splitlines()
    assert sorted(lines) == sorted([*(f"{number}-{i}" for number in range(8) for i in range(6)), "theirs"])


def test_where_ten_of_ten_thousand_differ_ten_are_written(repo, identity, git, repository, tip):
    oids = [f"{number:08x}" + "7" * 32 for number in range(10_000)]

    def commit(ref: str, text: str, noted: list[str], *after: str) -> bytes:
        lines = [f"commit {ref}\ncommitter a <b> 1 +0000\ndata 0\n", *(f"from {one}\n" for one in after)]
        lines += (f"M 100644 inline {oid[:2]}/{oid[2:]}\ndata {len(text)}\n{text}\n" for oid in noted)
        return "".join(lines).encode()

    def write(stream: bytes) -> None:
        subprocess.run(["git", "fast-import", "--quiet"], cwd=repository, input=stream, check=True)

    write(commit(REF, "first\n", oids))
    ours, theirs = (("first\nours\n", oids[:10]), ("first\ntheirs\n", oids[5:15]))
    write(commit(REF, *ours, tip()) + commit(OTHER, *theirs, tip()))
    new = merge_notes(repo, REF, tip(OTHER), identity)
    assert len(git("diff-tree", "-r", "--name-only", f"{new}^", new, cwd=repository).split()) == 10
    notes = read_notes(repo, REF)
    assert len(notes) == 10_000
    assert [notes[oids[place]] for place in (0, 7, 12, 20)] == [
        "first\nours\n",
        "first\nours\ntheirs\n",
        "first\ntheirs\n",
        "first\n",
    ]
