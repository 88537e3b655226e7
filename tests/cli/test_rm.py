"""`exptrack rm`."""

from __future__ import annotations

import os
import pty
import re
import subprocess
import sys
from datetime import UTC, datetime, timedelta

import pytest

BACK = "exptrack: `exptrack rm --restore {}` brings {} back for 30 days; where {} pushed, `exptrack push` takes {} off the remote\n"


@pytest.fixture
def runs(exptrack):
    for name in ("one", "two"):
        assert exptrack("run", "--name", name, "--", "true").returncode == 0


@pytest.fixture
def answer(repository):
    """`exptrack rm` on a terminal where somebody types an answer; what is typed is echoed."""

    def call(typed: bytes, *words: str) -> tuple[int, str]:
        ours, theirs = pty.openpty()
        child = subprocess.Popen(
            [sys.executable, "-m", "exptrack", "rm", *words],
            cwd=repository,
            stdin=theirs,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        os.close(theirs)
        os.write(ours, typed)
        out, _ = child.communicate(timeout=120)
        os.close(ours)
        return child.returncode, out

    return call


def names(exptrack) -> list[str]:
    return exptrack("ls", "--columns", "name").stdout.split()[1:]


def test_runs_are_removed_and_how_to_get_them_back_is_said(runs, exptrack, repository):
    done = exptrack("rm", "one")
    assert (done.returncode, done.stdout) == (0, "removed one\n")
    assert done.stderr == BACK.format("one", "it", "it was", "it")
    assert names(exptrack) == ["two"]
    done = exptrack("rm", "--restore", "one")
    assert (done.returncode, done.stdout, done.stderr) == (0, "restored one\n", "")
    assert names(exptrack) == ["two", "one"]
    (repository / "exptrack.yaml").write_text("keep: {trash: 1}\n")
    done = exptrack("rm", "one", "@~1")
    assert (done.returncode, done.stdout) == (0, "removed one\n"), "a run that is meant twice"
    done = exptrack("rm", "two")
    assert (done.returncode, names(exptrack)) == (0, [])


def test_a_query_needs_a_yes_where_nobody_can_be_asked(runs, exptrack):
    done = exptrack("rm", "status = completed")
    said = "exptrack: this would remove 2 runs, and there is no terminal to ask on: confirm it with `-y`\n"
    assert (done.returncode, done.stdout, done.stderr) == (2, "", said)
    assert names(exptrack) == ["two", "one"]
    done = exptrack("rm", "-y", "status = completed")
    assert (done.returncode, done.stdout) == (0, "removed two\nremoved one\n")
    assert done.stderr == BACK.format("NAME", "one", "they were", "them")
    done = exptrack("rm", "-y", "status = completed")
    assert (done.returncode, done.stdout, done.stderr) == (0, "no run for which that holds\n", "")


@pytest.mark.parametrize("typed", [b"n\n", b"\n", b"\x04", b"yess\n"])
def test_no_answer_is_a_no(runs, exptrack, answer, typed):
    status, out = answer(typed, "one", "two")
    assert status == 0
    assert out.endswith("exptrack: nothing was removed\n")
    assert names(exptrack) == ["two", "one"]


def test_on_a_terminal_it_shows_what_would_go_and_asks(runs, exptrack, answer):
    status, out = answer(b"y\n", "one", "status = completed")
    assert status == 0
    first, second, question, *_ = out.splitlines()
    assert re.fullmatch(r"  one  \d{4}-\d\d-\d\d \d\d:\d\d  completed  Ada Lovelace", first)
    assert second.startswith("  two  ")
    assert question.startswith("remove 2 runs? [y/N] ")
    assert names(exptrack) == []


def test_yes_asks_nothing(runs, exptrack, answer):
    status, out = answer(b"", "-y", "one")
    said = {BACK.format("one", "it", "it was", "it"), "removed one\n"}
    assert (status, set(out.splitlines(keepends=True))) == (0, said)


def test_what_is_in_the_trash_is_listed(runs, exptrack):
    done = exptrack("rm", "--list")
    assert (done.returncode, done.stdout) == (0, "no run was removed\n")
    assert exptrack("rm", "one", "-m", "the data was \x1b[31mwrong").returncode == 0
    assert exptrack("rm", "two").returncode == 0
    done = exptrack("rm", "--list")
    assert done.returncode == 0
    lines = [re.split(r"  +", line) for line in done.stdout.splitlines()]
    last = f"{datetime.now(UTC) + timedelta(30):%Y-%m-%d}"
    assert lines[0] == ["name", "removed", "by", "stays until", "reason"]
    two, one = lines[1:]
    assert (two[0], *two[2:]) == ("two", "Ada Lovelace", last)
    assert (one[0], *one[2:4]) == ("one", "Ada Lovelace", last)
    assert one[4].startswith("the data was ")
    assert "\x1b" not in done.stdout


def test_a_name_in_the_trash_is_taken(runs, exptrack):
    exptrack("rm", "one")
    done = exptrack("run", "--name", "one", "--", "true")
    assert done.returncode == 125
    assert "one" in done.stderr
    assert "trash" in done.stderr or "taken" in done.stderr or "removed" in done.stderr


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ([], "name the runs to remove, or give `--restore` or `--list`"),
        (["one", "--list"], "one thing at a time: runs to remove, `--restore` or `--list`"),
        (["--restore", "one", "--list"], "one thing at a time: runs to remove, `--restore` or `--list`"),
        (["one", "oen"], "no run is named 'oen', did you mean 'one'?"),
        (["--restore", "one"], "'one' is not removed"),
        (["status", "=", "failed"], "a query is one word, so quote it: exptrack rm 'status = failed'"),
    ],
)
def test_bad_input_removes_nothing(runs, exptrack, words, said):
    done = exptrack("rm", *words)
    assert (done.returncode, done.stdout, done.stderr) == (2, "", f"exptrack: {said}\n")
    assert names(exptrack) == ["two", "one"]


def test_show_says_that_somebody_removed_a_run(runs, exptrack, look):
    oid, ref = look.git("rev-parse", look.ref("one")).strip(), look.ref("one")
    exptrack("rm", "one", "-m", "wrong data")
    look.git("update-ref", ref, oid)
    shown = exptrack("show", "one").stdout
    said = r"^removed   by Ada Lovelace <ada@example.com> on \d{4}-\d\d-\d\d \d\d:\d\d UTC: wrong data$"
    assert re.search(said, shown, re.MULTILINE)
    listed = [re.split(r"  +", line) for line in exptrack("ls").stdout.splitlines()]
    assert [line[3:] for line in listed] == [["removed"], [], ["Ada Lovelace"]]
    assert exptrack("rm", "-y", "removed ~ *").stdout == "removed one\n"
    assert "removed" not in exptrack("ls").stdout
