"""Git is run apart from the terminal, the same way everywhere, and says in one line what went wrong."""

from __future__ import annotations

import os
import sys

import pytest

from exptrack.backends.git import command
from exptrack.errors import RepositoryError


def test_a_failure_names_the_command_and_gits_reason_in_one_line(repository):
    with pytest.raises(RepositoryError) as caught:
        command.run(repository, "-c", "a.b=c", "--literal-pathspecs", "cat-file", "commit", "HEAD:train.py")
    said = str(caught.value)
    assert said.startswith("git cat-file failed: ")
    assert "\n" not in said
    assert "fatal" not in said


def test_a_reason_has_no_full_stop_and_comes_from_the_fatal_line():
    assert command.reason("hint: x\nfatal: a NUL byte in commit log message not allowed.\n") == (
        "a NUL byte in commit log message not allowed"
    )
    assert command.reason("error: first\nfatal: second\nhint: third") == "second"
    assert command.reason("warning: first\nerror: second\n\n") == "second"
    assert command.reason("") == ""


def test_a_failure_without_a_word_says_the_exit_status(repository):
    with pytest.raises(RepositoryError, match=r"^git rev-parse failed: exit status 1$"):
        command.run(repository, "rev-parse", "--verify", "--quiet", "nothing")


def test_a_folder_that_is_none_is_named(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(RepositoryError, match=rf"^not a folder: {tmp_path}/file$"):
        command.run(tmp_path / "file", "version")
    with pytest.raises(RepositoryError, match=rf"^no such folder: {tmp_path}/nowhere$"):
        command.run(tmp_path / "nowhere", "version")


def test_a_missing_git_is_named(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(RepositoryError, match=r"^git is not on PATH: install Git"):
        command.run(tmp_path, "version")


def test_git_runs_in_a_session_of_its_own(repository):
    out = command.run(repository, "-c", f"alias.sid=!{sys.executable} -c 'import os; print(os.getsid(0))'", "sid")
    assert int(out) != os.getsid(0)


def test_no_hook_of_the_user_runs(repository):
    hook = repository / ".git" / "hooks" / "reference-transaction"
    hook.write_text("#!/bin/sh\nexit 1\n")
    hook.chmod(0o755)
    command.run(repository, "update-ref", "refs/exptrack/x", "HEAD")
    assert command.call(repository, "rev-parse", "--verify", "refs/exptrack/x").code == 0


def test_a_variable_that_is_none_is_unset(repository, monkeypatch):
    monkeypatch.setenv("GIT_DIR", "/nowhere")
    assert command.call(repository, "rev-parse", "HEAD").code != 0
    assert command.call(repository, "rev-parse", "HEAD", environ={"GIT_DIR": None}).code == 0


def test_input_that_git_does_not_read_does_no_harm(repository):
    assert command.call(repository, "rev-parse", "HEAD", stdin=b"x" * 10_000_000).code == 0


def test_words_with_any_bytes_survive():
    words = ["a b", "new\nline", 'quo"te', "ünï", os.fsdecode(b"latin-\xe9"), "-x"]
    assert command.split(command.join(words)) == words
    assert command.split(b"") == []
