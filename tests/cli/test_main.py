"""The command line as a whole."""

from __future__ import annotations

import os
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import pytest
from screen import on_screen

from exptrack.cli import COMMANDS

SCRIPTS = Path(sys.executable).parent


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_a_help_page(exptrack, command):
    done = exptrack(command, "--help")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith(f"usage: exptrack {command}")
    assert exptrack("help", command).stdout == done.stdout


def test_the_overview_names_every_command(exptrack):
    done = exptrack("--help")
    assert done.returncode == 0
    for command, what in COMMANDS.items():
        assert f"  {command}" in done.stdout
        assert what in done.stdout
    assert exptrack().returncode == 2


def test_the_version_is_that_of_the_package(exptrack):
    assert exptrack("--version").stdout == f"exptrack {version('exptrack')}\n"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["shwo"], "exptrack: 'shwo' is no command, did you mean 'show'?\n"),
        (["ls", "--nope"], "exptrack: unrecognized arguments: --nope; see `exptrack ls --help`\n"),
        (["tag", "one"], "exptrack: the following arguments are required: REV; see `exptrack tag --help`\n"),
        (["ls", "-n", "x"], "exptrack: argument -n/--number: 'x' is no whole number; see `exptrack ls --help`\n"),
        (["-C"], "exptrack: argument -C: expected one argument; see `exptrack --help`\n"),
    ],
)
def test_wrong_usage_is_one_line(exptrack, words, said):
    done = exptrack(*words)
    assert (done.returncode, done.stdout, done.stderr) == (2, "", said)


@pytest.mark.skipif(
    not (SCRIPTS / "git-exptrack").exists(), reason="the scripts are not installed beside this interpreter"
)
def test_it_is_a_command_of_git(repository):
    environ = {**os.environ, "PATH": f"{SCRIPTS}{os.pathsep}{os.environ['PATH']}"}
    done = subprocess.run(
        ["git", "exptrack", "run", "--name", "one", "--", "true"], cwd=repository, env=environ, check=False
    )
    assert done.returncode == 0
    done = subprocess.run(
        ["git", "exptrack", "ls"], cwd=repository, env=environ, capture_output=True, text=True, check=True
    )
    assert "one" in done.stdout


def test_the_reader_of_a_list_may_go_away(exptrack, repository):
    exptrack("run", "--name", "one", "--", "true")
    done = subprocess.run(
        [sys.executable, "-c", "import subprocess, sys; subprocess.run([sys.executable, '-m', 'exptrack', 'show', 'one'], stdout=open('/dev/full', 'w'))"],
        cwd=repository, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert "Traceback" not in done.stderr


def test_closed_standard_streams_do_no_harm(repository):
    done = subprocess.run(
        f"{sys.executable} -m exptrack run --name one -- true <&- >&- 2>&-", cwd=repository, shell=True, check=False
    )
    assert done.returncode == 0
    assert subprocess.run(["git", "fsck", "--strict"], cwd=repository, capture_output=True, check=False).returncode == 0


def test_a_bug_is_one_line_and_a_traceback_only_on_request(repository):
    code = "import exptrack.cli.ls as ls, sys\nls.run = lambda a: 1 / 0\nfrom exptrack.cli import main\nsys.exit(main(['ls']))"
    done = subprocess.run([sys.executable, "-c", code], cwd=repository, capture_output=True, text=True, check=False)
    assert done.returncode == 3
    assert done.stderr == (
        "exptrack: bug: ZeroDivisionError: division by zero; EXPTRACK_DEBUG=1 shows where; please report it\n"
    )
    environ = {**os.environ, "EXPTRACK_DEBUG": "1"}
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=repository, env=environ, capture_output=True, text=True, check=False
    )
    assert "Traceback" in done.stderr


def test_a_word_after_two_hyphens_is_no_option(exptrack):
    exptrack("run", "--name", "one", "--", "true")
    done = exptrack("show", "--", "-x")
    assert (done.returncode, done.stderr.partition(";")[0]) == (2, "exptrack: no run is named '-x'")
    assert exptrack("show", "--", "one").returncode == 0
    assert exptrack("diff", "--", "--help").returncode == 2


def test_an_answer_that_cannot_be_written_is_no_bug(repository, exptrack):
    exptrack("run", "--name", "one", "--", "true")
    for words in (["ls"], ["show", "one"], ["diff", "one"], ["log", "--json"]):
        with open("/dev/full", "w") as full:  # noqa: PTH123
            done = exptrack(*words, capture_output=False, stdout=full, stderr=subprocess.PIPE)
        assert (done.returncode, done.stderr) == (
            2,
            "exptrack: cannot write: No space left on device; make room and try again\n",
        )


def test_a_pager_that_is_not_there_loses_no_answer(repository, exptrack):
    for number in range(8):
        exptrack("run", "--name", f"run-{number}", "--", "true")
    status, shown = on_screen(repository, "log", "--oneline", lines=5, GIT_PAGER="no-such-pager")
    assert status == 0
    assert "run-0" in shown


def test_a_pager_has_ctrl_c_for_itself(repository, exptrack):
    for number in range(4):
        exptrack("run", "--name", f"run-{number}", "--", "true")
    pager = 'IFS= read -r line; kill -INT $PPID; echo "paged:$line"; sed s/^/paged:/'
    for words in (("log", "--oneline"), ("ls",)):
        status, shown = on_screen(repository, *words, lines=3, GIT_PAGER=pager)
        assert status == 0, shown
        assert all(line.startswith("paged:") for line in shown.splitlines() if "run-" in line)
        assert "run-0" in shown
        assert "interrupted" not in shown
        status, shown = on_screen(repository, *words, lines=3, GIT_PAGER="read -r line; kill -INT $$")
        assert status == 130, shown
