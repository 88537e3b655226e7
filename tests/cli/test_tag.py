"""`exptrack tag` and `exptrack note`."""

from __future__ import annotations

import json

import pytest


@pytest.fixture
def runs(exptrack):
    for name in ("one", "two"):
        assert exptrack("run", "--name", name, "-t", "given", "--", "true").returncode == 0


def tags(exptrack, rev: str) -> str | None:
    lines = [line for line in exptrack("show", rev).stdout.splitlines() if line.startswith("tags")]
    return lines[0].removeprefix("tags").strip() if lines else None


def test_tags_are_put_on_and_taken_off(runs, exptrack):
    assert exptrack("tag", "best", "one", "two").returncode == 0
    assert (tags(exptrack, "one"), tags(exptrack, "two")) == ("given, best", "given, best")
    assert exptrack("tag", "-d", "best", "one").returncode == 0
    assert (tags(exptrack, "one"), tags(exptrack, "two")) == ("given", "given, best")
    assert exptrack("tag", "best", "one").returncode == 0
    assert tags(exptrack, "one") == "given, best"


def test_a_tag_that_was_given_at_the_start_can_be_taken_off(runs, exptrack):
    assert exptrack("tag", "-d", "given", "one").returncode == 0
    assert tags(exptrack, "one") is None


def test_the_run_itself_is_never_moved(runs, exptrack, look):
    before = look.git("rev-parse", look.ref("one"))
    exptrack("tag", "best", "one")
    exptrack("note", "one", "-m", "text")
    assert look.git("rev-parse", look.ref("one")) == before
    lines = look.git("notes", "--ref=exptrack", "show", before.strip()).splitlines()
    assert [json.loads(line)["kind"] for line in lines] == ["tag", "note"]


def test_a_tag_is_put_on_once(runs, exptrack, look):
    exptrack("tag", "best", "one")
    exptrack("tag", "best", "one")
    assert len(look.git("notes", "--ref=exptrack", "show", look.ref("one")).splitlines()) == 1


def test_taking_off_a_tag_that_is_not_there_names_those_that_are(runs, exptrack):
    done = exptrack("tag", "-d", "other", "one")
    assert (done.returncode, done.stderr) == (2, "exptrack: 'one' has no tag 'other'; it has: given\n")


@pytest.mark.parametrize("tag", ["", "two words", "@", "a\nb", "x" * 101])
def test_a_tag_is_one_word(runs, exptrack, tag):
    done = exptrack("tag", tag, "one")
    assert done.returncode == 2
    assert "cannot be a tag" in done.stderr
    done = exptrack("run", "--tag", tag, "--", "true")
    assert done.returncode == 125
    assert "cannot be a tag" in done.stderr


def test_notes_add_up(runs, exptrack):
    exptrack("note", "one", "-m", "first")
    exptrack("note", "one", "-m", "second")
    shown = exptrack("show", "one").stdout
    assert "note      first\nnote      second\n" in shown


@pytest.mark.parametrize("text", ["Exptrack-Run: x 1234", "fine\n exptrack-status: completed"])
def test_a_note_cannot_forge_a_trailer(runs, exptrack, text):
    done = exptrack("note", "one", "-m", text)
    assert done.returncode == 2
    assert "would forge a trailer" in done.stderr


def test_an_empty_note_is_refused(runs, exptrack):
    assert exptrack("note", "one", "-m", " ").stderr == "exptrack: the note is empty: give its text with `-m`\n"


def test_a_secret_in_a_note_is_masked(runs, exptrack, look):
    token = "ghp_" + "a1B2" * 9
    exptrack("note", "one", "-m", f"used {token}")
    assert token not in look.git("notes", "--ref=exptrack", "show", look.ref("one"))
