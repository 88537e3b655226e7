"""The messages that mention a run are found in any history, whatever is in their commits."""

from __future__ import annotations

import subprocess

import pytest

from exptrack.backends.git.messages import Message, find_comment_signs, read_messages
from exptrack.backends.git.repository import find_repository

CLAIM = "Exptrack-Run: one " + "a" * 40


@pytest.fixture
def commit(repository, git):
    """Make a commit on HEAD out of bytes, with other headers than git would write."""

    def make(text: bytes, headers: bytes = b"", author: bytes = b"Ada <ada@example.com>", time: int = 0) -> str:
        lines = [
            b"tree " + git("rev-parse", "HEAD^{tree}", cwd=repository).encode(),
            b"parent " + git("rev-parse", "HEAD", cwd=repository).encode(),
            b"author " + author + b" 1700000000 +0000",
            b"committer Ada <ada@example.com> %d +0000" % (time or 1_800_000_000),
        ]
        content = b"\n".join(lines) + b"\n" + headers + b"\n" + text
        words = ["git", "hash-object", "-t", "commit", "-w", "--stdin", "--literally"]
        done = subprocess.run(words, cwd=repository, input=content, capture_output=True, check=True)
        oid = done.stdout.decode().strip()
        git("update-ref", "HEAD", oid, cwd=repository)
        return oid

    return make


def texts(folder, *words: str, **options) -> list[str]:
    return [one.text for one in read_messages(find_repository(folder), *(words or ("HEAD",)), **options)]


def test_the_messages_come_newest_first_with_their_authors(repository, commit):
    first = commit(f"one\n\n{CLAIM}\n".encode())
    commit(b"no claim\n")
    second = commit(f"two\n* {CLAIM.upper()}\n".encode(), author="Grüß <g@example.com>".encode())
    assert list(read_messages(find_repository(repository), "HEAD")) == [
        Message(second, "Grüß <g@example.com>", f"two\n* {CLAIM.upper()}\n"),
        Message(first, "Ada <ada@example.com>", f"one\n\n{CLAIM}\n"),
    ]
    assert texts(repository, number=1) == [f"two\n* {CLAIM.upper()}\n"]
    assert texts(repository, without=first) == [f"two\n* {CLAIM.upper()}\n"]
    assert texts(repository, first, without="HEAD") == []


def test_in_a_range_a_commit_comes_before_what_it_stands_on_whatever_the_clocks_said(repository, commit, git):
    base = git("rev-parse", "HEAD", cwd=repository)
    commit(f"old\n\n{CLAIM}\n".encode(), time=1_900_000_000)
    commit(f"middle\n\n{CLAIM}\n".encode(), time=1_600_000_000)
    tip = commit(f"new\n\n{CLAIM}\n".encode(), time=1_700_000_000)
    git("reset", "--quiet", "--hard", base, cwd=repository)
    commit(f"side\n\n{CLAIM}\n".encode(), time=1_650_000_000)
    git("merge", "--quiet", "--no-ff", "-m", f"merge\n\n{CLAIM}", tip, cwd=repository)
    found = [text.split("\n")[0] for text in texts(repository, without=base)]
    assert sorted(found) == ["merge", "middle", "new", "old", "side"]
    assert found[0] == "merge"
    assert found.index("new") < found.index("middle") < found.index("old")


@pytest.mark.parametrize(
    ("text", "headers", "expected"),
    [
        ("Grüße\n".encode("latin-1"), b"encoding ISO-8859-1\n", "Grüße\n"),
        ("Grüße\n".encode("latin-1"), b"", "Gr\ufffd\ufffde\n"),
        (b"\xff\xfe\n", b"encoding no-such-code\n", "\ufffd\ufffd\n"),
        (b"x\n", b"encoding zip\n", "x\n"),
        (b"x\n", b"encoding \xff\n", "x\n"),
        (b"x\n", b"encoding idna\n", "x\n"),
        (b"x\n", b"encoding UTF-8\nencoding UTF-16\n", "x\n"),
        (b"x\n", b"gpgsig -----BEGIN PGP SIGNATURE-----\n \n author x\n -----END PGP SIGNATURE-----\n", "x\n"),
        (b"author Eve <eve@example.com> 1 +0000\nencoding zip\n", b"", "author Eve <eve@example.com> 1 +0000\nencoding zip\n"),
    ],
)  # fmt: skip
def test_any_bytes_and_headers_are_read(repository, commit, text, headers, expected):
    claim = f"\n{CLAIM}\n"
    commit(text + claim.encode(), headers)
    [found] = read_messages(find_repository(repository), "HEAD")
    assert (found.text, found.author) == (expected + claim, "Ada <ada@example.com>")


def test_an_author_without_a_mail_and_an_empty_message_are_no_trouble(repository, commit):
    commit(b"")
    commit(CLAIM.encode(), author=b"nobody")
    [found] = read_messages(find_repository(repository), "HEAD")
    assert (found.text, found.author) == (CLAIM, "nobody 1700000000 +0000")


def test_settings_of_the_user_change_nothing(repository, commit, git):
    for key, value in (("grep.patternType", "perl"), ("i18n.logOutputEncoding", "UTF-16"), ("log.date", "iso")):
        git("config", key, value, cwd=repository)
    commit(CLAIM.encode())
    assert texts(repository) == [CLAIM]


@pytest.mark.parametrize(
    ("setting", "signs"),
    [
        ("", ("#",)), ("core.commentChar=;", (";",)), ("core.commentChar=auto", tuple("#;@!$%^&|:")), ("core.commentString=//", ("//",)),
        ("core.commentString=", ("#",)),
    ],
)  # fmt: skip
def test_the_signs_of_comments_are_those_of_git(repository, git, setting, signs):
    if setting:
        git("config", *setting.split("="), cwd=repository)
    assert find_comment_signs(find_repository(repository)) == signs
