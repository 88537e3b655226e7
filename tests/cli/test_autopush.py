"""`exptrack.autoPush`: each run is pushed in the background."""

from __future__ import annotations

import os

import pytest
from sharing import make_team, md5
from witness import until


@pytest.fixture
def team(tmp_path, repository):
    remote, ada, bob = make_team(tmp_path, repository)
    ada.git("config", "exptrack.autoPush", "origin")
    return remote, ada, bob


def log(person) -> list[list[str]]:
    path = person.folder / ".git/exptrack/push.log"
    return [line.split("\t") for line in path.read_text().splitlines()] if path.exists() else []


def is_idle(person) -> bool:
    queue = person.folder / ".git/exptrack/unpushed"
    return not any(queue.iterdir())


def test_each_run_is_pushed_with_its_data(team):
    remote, ada, _ = team
    before = ada.state()
    ada.run("one", out="hello")
    until(lambda: is_idle(ada))
    ada.run("two")
    until(lambda: is_idle(ada) and remote.names() == {"one", "two"})
    assert remote.holds(md5("hello"))
    assert remote.lacking() == []
    until(lambda: log(ada)[-1][1:] == ["pushed", "origin", "two"])
    assert ada.state() == before
    assert "background" not in ada("status").stderr


def test_only_runs_after_the_setting_are_pushed_by_it(team):
    remote, ada, _ = team
    ada.git("config", "--unset", "exptrack.autoPush")
    ada.run("before")
    ada.git("config", "exptrack.autopush", "origin")
    ada.run("after")
    until(lambda: remote.names() == {"after"})


def test_many_runs_at_once_are_all_pushed(team):
    remote, ada, _ = team
    children = [ada.start("run", "-q", "--name", f"run-{number}", "--", "true") for number in range(6)]
    assert [child.wait(120) for child in children] == [0] * 6
    until(lambda: len(remote.names()) == 6)


def test_a_failure_is_no_failure_of_the_run_and_status_tells_it_until_a_push_succeeds(team):
    remote, ada, _ = team
    away = remote.bare.with_name("away")
    remote.bare.rename(away)
    done = ada("run", "--name", "one", "--", "sh", "-c", "echo out; exit 3", code=3)
    assert (done.stdout, done.stderr) == ("out\n", "exptrack: recorded one (failed)\n")
    until(lambda: bool(log(ada)))
    assert log(ada)[-1][1] == "failed"
    said = ada("status").stderr
    assert said.startswith("exptrack: the push to origin in the background failed ")
    assert said.count("\n") == 1
    away.rename(remote.bare)
    ada("push")
    assert remote.names() == {"one"}
    assert ada("status").stderr == ""
    ada.run("two")
    until(lambda: remote.names() == {"one", "two"} and is_idle(ada))


def test_what_could_not_be_pushed_goes_along_with_the_next_run(team):
    remote, ada, _ = team
    away = remote.bare.with_name("away")
    remote.bare.rename(away)
    ada.run("one")
    until(lambda: bool(log(ada)))
    away.rename(remote.bare)
    ada.run("two")
    until(lambda: remote.names() == {"one", "two"})


def test_the_run_does_not_wait_for_the_push(team, tmp_path):
    remote, ada, _ = team
    hook = remote.bare / "hooks/pre-receive"
    hook.write_text(
        f"#!/bin/sh\ntouch {tmp_path}/pushing\nn=0\nwhile [ ! -e {tmp_path}/go ] && [ $n -lt 2400 ]; do sleep 0.1; n=$((n+1)); done\n"
    )
    hook.chmod(0o755)
    ada.run("one")
    until((tmp_path / "pushing").exists)
    ada.run("two")  # ends while the push of the first one hangs
    assert ada.names() == {"one", "two"}
    assert remote.names() == set()
    (tmp_path / "go").touch()
    until(lambda: remote.names() == {"one", "two"})


def test_a_push_in_the_background_asks_nobody(team, tmp_path):
    _, ada, _ = team
    asked = tmp_path / "asked"
    script = tmp_path / "ssh"
    script.write_text(
        f'#!/bin/sh\necho "$GIT_TERMINAL_PROMPT $SSH_ASKPASS_REQUIRE [$GIT_ASKPASS]" > {asked}\nexit 255\n'
    )
    script.chmod(0o755)
    ada.git("remote", "set-url", "origin", "ssh://nobody@localhost/none.git")
    ada("run", "-q", "--", "true", env={**os.environ, "GIT_SSH_COMMAND": str(script), "GIT_ASKPASS": "/bin/echo"})
    until(lambda: bool(log(ada)))
    assert asked.read_text() == "0 never []\n"
    assert log(ada)[-1][1] == "failed"


@pytest.mark.parametrize("is_set", [False, True])
def test_a_host_that_does_not_answer_is_given_up_unless_the_user_says_how_ssh_is_called(team, tmp_path, is_set):
    _, ada, _ = team
    script = tmp_path / "bin/ssh"
    script.parent.mkdir()
    script.write_text(f'#!/bin/sh\necho "$GIT_HTTP_LOW_SPEED_TIME $*" > {tmp_path}/words\nexit 255\n')
    script.chmod(0o755)
    if is_set:
        ada.git("config", "core.sshCommand", f"{script} -v")
    ada.git("remote", "set-url", "origin", "ssh://nobody@localhost/none.git")
    ada("run", "-q", "--", "true", env={**os.environ, "PATH": f"{script.parent}:{os.environ['PATH']}"})
    until(lambda: bool(log(ada)))
    words = (tmp_path / "words").read_text()
    assert words.startswith("60 ")
    assert ("ConnectTimeout" in words, " -v " in words) == (not is_set, is_set)


def test_an_isolated_run_is_pushed_from_the_work_tree_of_the_user(team):
    remote, ada, _ = team
    ada("run", "-q", "--isolated", "--name", "one", "--", "true")
    until(lambda: remote.names() == {"one"})
