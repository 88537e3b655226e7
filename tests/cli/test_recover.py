"""`exptrack status` and `exptrack recover`."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

PYTHON = sys.executable
LINES = "import time\nfor i in range(3): print(f'loss={i}', flush=True)\nopen('ready', 'w')\ntime.sleep(600)"


@pytest.fixture
def dead(repository: Path) -> Callable[..., None]:
    """Start a run of LINES and kill it and its command with SIGKILL once it has printed."""

    def make(name: str, *options: str) -> None:
        (repository / "exptrack.yaml").write_text("capture:\n  patterns: ['loss=(?P<loss>.+)']\n")
        child = subprocess.Popen(
            [PYTHON, "-m", "exptrack", "run", "--name", name, *options, "--", PYTHON, "-c", LINES],
            cwd=repository, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True,
        )  # fmt: skip
        active = repository / ".git" / "exptrack" / "active" / name
        while not (repository / "ready").exists() or (active / "stream").read_text().count("values") < 3:
            assert child.poll() is None
            time.sleep(0.01)
        pid = next(json.loads(line)["pid"] for line in (active / "stream").read_text().splitlines() if '"pid"' in line)
        child.kill()
        os.killpg(pid, signal.SIGKILL)
        child.wait()
        (repository / "ready").unlink()

    return make


@pytest.fixture
def live(repository: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A run named `one` of LINES that is under way, ended with the test."""
    child = subprocess.Popen(
        [PYTHON, "-m", "exptrack", "run", "--name", "one", "--", PYTHON, "-c", LINES],
        cwd=repository, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True,
    )  # fmt: skip
    while not (repository / "ready").exists():
        assert child.poll() is None
        time.sleep(0.01)
    yield child
    child.terminate()
    child.wait()


def test_a_killed_run_becomes_a_crashed_one_with_all_it_had_logged(dead, exptrack, look, repository):
    (repository / "local.py").write_text("x = 1")
    dead("one", "-t", "night", "-m", "a note")
    (repository / "local.py").write_text("x = 2")
    status = exptrack("status").stdout
    assert "one  died" in status
    assert "loss=2" in status
    assert (
        exptrack("ls").stderr
        == "exptrack: 1 run died: `exptrack recover` records it\nexptrack: no run yet: make one with `exptrack run -- COMMAND`\n"
    )
    done = exptrack("recover")
    assert (done.returncode, done.stdout) == (0, "recovered one (crashed)\n")
    record = look.record("one")
    assert (record["status"], record["metrics"], record["tags"]) == ("crashed", {"loss": 2}, ["night"])
    assert "exit_code" not in record
    assert look.file("one", "local.py") == "x = 1"
    assert look.file("one", ".exptrack/history/loss.tsv").count("\n") == 4
    assert look.file("one", ".exptrack/output.log") == "loss=0\nloss=1\nloss=2\n"
    assert look.refs("refs/exptrack/active") == []
    assert exptrack("status").stdout == "nothing runs, and nothing waits for recovery\n"
    assert exptrack("recover").stdout == "nothing to recover\n"


def test_metrics_that_lay_there_before_are_not_those_of_a_dead_run(dead, exptrack, look, repository):
    (repository / "metrics.json").write_text('{"accuracy": 1}')
    dead("one")
    exptrack("recover")
    assert look.record("one")["metrics"] == {"loss": 2}


def test_head_index_and_files_are_untouched_by_a_kill_and_by_recovery(dead, exptrack, repository, git):
    index = (repository / ".git" / "index").read_bytes()
    head = git("symbolic-ref", "HEAD", cwd=repository), git("rev-parse", "HEAD", cwd=repository)
    dead("one")
    (repository / "exptrack.yaml").unlink()
    assert git("--no-optional-locks", "status", "--porcelain", cwd=repository) == ""
    exptrack("recover")
    assert (repository / ".git" / "index").read_bytes() == index
    assert (git("symbolic-ref", "HEAD", cwd=repository), git("rev-parse", "HEAD", cwd=repository)) == head


def test_only_those_named_are_recovered(dead, exptrack, look):
    dead("one")
    dead("two")
    assert exptrack("recover", "two").stdout == "recovered two (crashed)\n"
    assert [ref.rpartition("/")[2] for ref in look.refs()] == ["two"]
    done = exptrack("recover", "three")
    assert done.returncode == 2
    assert "'three' does not wait for recovery" in done.stderr


def test_the_name_of_a_dead_run_stays_taken(dead, exptrack):
    dead("one")
    done = exptrack("run", "--name", "one", "--", "true")
    assert done.returncode == 125
    assert "exptrack: 1 run died" in done.stderr
    assert "a run named 'one'" in done.stderr


def test_what_runs_is_listed_and_left_alone(live, exptrack):
    [shown] = json.loads(exptrack("status", "--json").stdout)
    assert (shown["name"], shown["state"]) == ("one", "running")
    assert isinstance(shown["pid"], int)
    assert exptrack("recover").stdout == "nothing to recover\n"
    assert exptrack("ls").stderr == "exptrack: no run yet: make one with `exptrack run -- COMMAND`\n"
    assert "is not recorded yet" in exptrack("apply", "one").stderr
    live.terminate()
    live.wait()
    assert exptrack("status").stdout == "nothing runs, and nothing waits for recovery\n"


def test_a_run_that_died_before_its_command_leaves_nothing(repository, exptrack, look):
    folder = repository / ".git" / "exptrack" / "active" / "one"
    folder.mkdir(parents=True)
    (folder / "lock").write_text(json.dumps({"host": os.uname().nodename, "pid": 1}))
    assert "one  died" in exptrack("status").stdout
    done = exptrack("recover")
    assert "one died before its command started: nothing to record" in done.stderr
    assert done.returncode == 0
    assert not folder.exists()
    assert look.refs("refs/exptrack") == []


def test_a_run_of_another_host_is_recovered_only_by_force(dead, exptrack, repository, look):
    dead("one")
    lock = repository / ".git" / "exptrack" / "active" / "one" / "lock"
    lock.write_text(json.dumps({"host": "elsewhere", "pid": 1}))
    assert "one  running" in exptrack("status").stdout
    os.utime(lock, (time.time() - 700, time.time() - 700))
    assert "one  died" in exptrack("status").stdout
    done = exptrack("recover")
    assert "one ran on another host" in done.stderr
    assert look.refs() == []
    assert exptrack("recover", "--force").stdout == "recovered one (crashed)\n"


def test_a_finished_run_that_was_not_tidied_up_is_tidied(dead, exptrack, repository, look, git):
    dead("one")
    active = repository / ".git" / "exptrack" / "active" / "one"
    saved = {path.name: path.read_bytes() for path in active.iterdir()}
    snapshot = look.git("rev-parse", "refs/exptrack/active/one").strip()
    exptrack("recover")
    oid = look.git("rev-parse", look.ref("one"))
    active.mkdir()
    for name, content in saved.items():
        (active / name).write_bytes(content)
    git("update-ref", "refs/exptrack/active/one", snapshot, cwd=repository)
    assert exptrack("recover").returncode == 0
    assert look.refs("refs/exptrack/active") == []
    assert not active.exists()
    assert look.git("rev-parse", look.ref("one")) == oid


def test_what_others_wrote_after_a_run_had_died_is_not_taken_for_its_own(dead, exptrack, look, repository):
    dead("one")
    lock = repository / ".git" / "exptrack" / "active" / "one" / "lock"
    stream = lock.with_name("stream")
    an_hour_ago = time.time() - 3600
    os.utime(lock, (an_hour_ago, an_hour_ago))
    stream.write_text(re.sub(r'"time":[0-9.]+', f'"time":{an_hour_ago - 5}', stream.read_text()))
    start = lock.with_name("start.json")
    start.write_text(start.read_text().replace('"started": "20', '"started": "19'))
    exptrack("run", "--name", "two", "--", PYTHON, "-c", "open('metrics.json', 'w').write('{\"accuracy\": 1}')")
    (repository / "train.py").write_text("print('edited since')\n")
    done = exptrack("recover")
    assert "one: metrics.json was written after the run had ended, so it is not taken for this run's" in done.stderr
    record = look.record("one")
    assert record["metrics"] == {"loss": 2}
    assert "changed" not in record


def test_a_silent_run_lasted_until_its_last_heartbeat(dead, exptrack, look, repository):
    dead("one")
    lock = repository / ".git" / "exptrack" / "active" / "one" / "lock"
    later = time.time() + 100
    os.utime(lock, (later, later))
    exptrack("recover")
    assert look.record("one")["duration"] > 99


def test_naming_a_live_run_says_that_it_lives(live, exptrack):
    done = exptrack("recover", "one")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "exptrack: one is still running\n")


def test_where_a_reason_is_told_it_is_not_contradicted(live, exptrack, repository):
    stream = (repository / ".git" / "exptrack" / "active" / "one" / "stream").read_text().splitlines()
    pid = next(json.loads(line)["pid"] for line in stream if '"pid"' in line)
    live.kill()
    live.wait()
    done = exptrack("recover")
    os.killpg(pid, signal.SIGKILL)
    assert (done.returncode, done.stdout) == (0, "")
    assert f"one has lost its recorder, but its command still runs (process {pid})" in done.stderr


def test_a_start_of_a_later_version_is_kept(dead, exptrack, repository, look):
    dead("one")
    start = repository / ".git" / "exptrack" / "active" / "one" / "start.json"
    start.write_text(start.read_text().replace('"schema": 1', '"schema": 99'))
    done = exptrack("recover")
    assert "one cannot be recovered now: " in done.stderr
    assert "its journal is kept" in done.stderr
    assert start.exists()
    assert look.refs() == []
