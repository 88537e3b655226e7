"""Push and fetch are killed at any instant: no remote ever shows a run without its data, and once more makes all whole."""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import time
from contextlib import contextmanager
from pathlib import Path

import pytest
from sharing import make_team, md5

KILLS = 20
RUNS = 4
# Root may write everywhere, unless it gives that up.
UNPRIVILEGED = ("setpriv", "--bounding-set=-all", "--inh-caps=-all") if os.geteuid() == 0 else ()


@pytest.fixture
def team(tmp_path, repository):
    remote, ada, bob = make_team(tmp_path, repository)
    for number in range(RUNS):
        ada.run(f"run-{number}", out=f"text-{number}")
    ada("tag", "best", "run-1")
    return remote, ada, bob


def kill_within(person, seconds: float, *words: str) -> bool:
    """Start a command, and kill it with all that it started; whether it had ended before."""
    child = person.start(*words)
    time.sleep(seconds)
    has_ended = child.poll() is not None
    if not has_ended:
        os.killpg(child.pid, signal.SIGKILL)
    child.wait()
    return has_ended


def seconds_of(person, *words: str) -> float:
    begun = time.monotonic()
    person(*words)
    return time.monotonic() - begun


def empty(remote) -> None:
    """The remotes as they were before any push."""
    lines = "".join(f"delete {ref}\n" for ref in [*remote.refs("refs/exptrack"), *remote.refs("refs/notes")])
    remote.git("update-ref", "--stdin", stdin=lines)
    shutil.rmtree(remote.store, ignore_errors=True)


def test_a_push_that_is_killed_leaves_no_run_without_its_data_and_completes_later(team):
    remote, ada, _ = team
    whole = {f"run-{number}" for number in range(RUNS)}
    longest = seconds_of(ada, "push")
    dice = random.Random(5)
    for _ in range(KILLS):
        empty(remote)
        kill_within(ada, dice.uniform(0.05, longest), "push")
        # The kill reaches the git that receives, too, as it would not on a server; nobody but git's owner may break its locks.
        remote.unlock()
        assert remote.lacking() == []
        ada("push")
        assert remote.names() == whole
        assert remote.lacking() == []
        assert [line["value"] for line in remote.annotations(ada.oid("run-1"))] == ["best"]
        # A killed upload leaves its temporary file beside the objects for a day, in case it is of somebody who lives.
        assert not [path for path in (remote.store / "files/md5").rglob("*") if path.is_file() and len(path.name) != 30]
    ada.git("fsck", "--connectivity-only")
    remote.git("fsck", "--connectivity-only")


def test_a_pull_that_is_killed_leaves_runs_that_are_whole_and_completes_later(team):
    _, ada, bob = team
    ada("push")
    fresh = shutil.copytree(bob.folder, bob.folder.with_name("fresh"), symlinks=True)
    longest = seconds_of(bob, "pull")
    before = bob.state()
    dice = random.Random(6)
    for _ in range(KILLS):
        shutil.rmtree(bob.folder)
        shutil.copytree(fresh, bob.folder, symlinks=True)
        kill_within(bob, dice.uniform(0.05, longest), "pull")
        bob.git("fsck", "--connectivity-only")
        assert len(json.loads(bob("ls", "--json").stdout)) == len(bob.names())
        bob("pull")
        assert bob.names() == ada.names()
        assert all(bob.cached(md5(f"text-{number}")).read_text() == f"text-{number}" for number in range(RUNS))
        assert "best" in bob("show", "run-1").stdout
        assert bob.state() == before
        assert {path.name for path in (bob.folder / ".git").rglob("*.lock")} <= {"runs.lock"}  # of the index


def install(remote, hook: str, text: str) -> Path:
    path = remote.bare / "hooks" / hook
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)
    return path


@contextmanager
def git_hides(remote):
    remote.git("config", "receive.hideRefs", "refs/exptrack")
    yield
    remote.git("config", "--unset", "receive.hideRefs")


@contextmanager
def git_is_full(remote):
    hook = install(remote, "pre-receive", "echo 'fatal: write error: No space left on device' >&2; exit 1")
    yield
    hook.unlink()


@contextmanager
def git_is_gone(remote):
    away = remote.bare.rename(remote.bare.with_name("away"))
    yield
    away.rename(remote.bare)


@contextmanager
def data_is_gone(remote):
    config = remote.bare.parent / "project/.dvc/config"
    text = config.read_text()
    config.write_text(text.replace(str(remote.store), "/no/such/folder"))
    yield
    config.write_text(text)


@contextmanager
def data_is_in_the_way(remote):
    remote.store.write_text("a file")
    yield
    remote.store.unlink()


@contextmanager
def data_is_read_only(remote):
    """As somebody sees it who is no root."""
    remote.store.mkdir()
    remote.store.chmod(0o555)
    yield
    remote.store.chmod(0o755)


FAULTS = {
    data_is_gone: "there is no /no/such/folder",
    data_is_in_the_way: "cannot be written: Not a directory",
    data_is_read_only: "cannot be written: Permission denied",
    git_hides: "it takes branches and tags only: share runs by another Git remote",
    git_is_full: "make room there, then try again",
    git_is_gone: "does not appear to be a git repository",
}


def test_a_remote_that_takes_nothing_costs_one_line_and_no_run_is_there_before_its_data(team):
    remote, ada, _ = team
    here = ada.state(), ada.git("for-each-ref")
    for fault, said in FAULTS.items():
        prefix = UNPRIVILEGED if fault is data_is_read_only else ()
        if prefix and shutil.which(prefix[0]) is None:
            continue
        with fault(remote):
            done = ada("push", code=2, prefix=prefix)
        assert done.stdout == "", fault
        assert done.stderr.startswith("exptrack: "), fault
        assert said in done.stderr
        assert done.stderr.count("\n") == 1, done.stderr
        assert remote.refs("refs/exptrack") == {}
    assert (ada.state(), ada.git("for-each-ref")) == here
    ada("push")
    assert remote.names() == ada.names()
    assert remote.lacking() == []
