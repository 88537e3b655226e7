"""What several commands share."""

from __future__ import annotations

import argparse

import pytest

from exptrack.cli.common import join_number, nothing_holds, open_project, say
from exptrack.model.progress import Silence
from exptrack.operations.context import silence


@pytest.mark.parametrize(
    ("words", "joined"),
    [
        (["-3"], ["-n3"]),
        (["--oneline", "-12", "main.."], ["--oneline", "-n12", "main.."]),
        (["-n", "-3"], ["-n", "-3"]),
        (["--since", "-3", "-4"], ["--since", "-3", "-n4"]),
        (["-3x", "-", "3", "--3"], ["-3x", "-", "3", "--3"]),
        (["-1", "--", "-2"], ["-n1", "--", "-2"]),
        ([], []),
    ],
)
def test_a_hyphen_and_a_number_are_a_number_of_runs(words, joined):
    assert join_number(words) == joined


def test_log_takes_a_number_as_git_does(exptrack):
    for name in ("one", "two", "three"):
        exptrack("run", "--name", name, "--", "true")
    done = exptrack("log", "--oneline", "-2", "name ~ t*")
    assert (done.returncode, done.stderr) == (0, "")
    assert [line.split()[1] for line in done.stdout.splitlines()] == ["three", "two"]


def test_a_pattern_that_is_shown_is_inert():
    said = nothing_holds(["tag = x", "name ~ '\x1b2J'"])
    assert said == r"no run for which that holds: '~' matches the whole text, so write '*\x1b2J*' for a part of it"
    assert nothing_holds([]) == "no run for which that holds"


@pytest.mark.parametrize(("is_verbose", "verbose"), [(True, say), (False, silence)])
def test_what_is_done_beyond_the_answer_is_said_only_if_asked_for(repository, is_verbose, verbose):
    context = open_project(argparse.Namespace(directory=repository, verbose=is_verbose)).context
    assert (context.notice, context.verbose) == (say, verbose)
    assert isinstance(context.progress, Silence)


def test_verbose_changes_no_answer(exptrack):
    exptrack("run", "--name", "one", "--", "true")
    quiet, told = exptrack("ls", "--csv"), exptrack("--verbose", "ls", "--csv")
    assert (told.returncode, told.stdout) == (0, quiet.stdout)
    assert all(line.startswith("exptrack: ") for line in told.stderr.splitlines())
