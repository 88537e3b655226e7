"""kill -9 at any moment of a run: it is finished, or recovered with all it had logged, or it never was; and who lives is left alone."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from itertools import count
from pathlib import Path

import pytest
from scene import Scene
from witness import PATIENCE, SCRIPTS, Witness, argv, put_git_in_front, until

MOMENTS = 7  # for each of three targets
CHUNKS = 4  # of the tests that kill at every step, so that they share the work

# As scripts/counting.py, for where its start-up time would only cost.
COUNT = """
echo $$ > "$0/pid"
for number in 0 1 2; do echo number=$number; echo $number >> "$0/printed"; done
: > "$0/ended"
"""

# A git that kills its parent before or after it did its work, if it is the one whose turn it is. While it works, `busy` holds a file.
KILLING_GIT = """
: > "$folder/busy/$$"
set -o noclobber
turn=1
until true > "$folder/turns/$turn"; do turn=$((turn + 1)); done 2> /dev/null
if [ "$turn-$when" = "$last-before" ]; then
  kill -9 $PPID
else
  "$git" "$@"
fi
status=$?
if [ "$turn-$when" = "$last-after" ]; then kill -9 $PPID; fi
rm "$folder/busy/$$"
exit $status
"""

# A git that kills its parent once the ref of a finished run is there.
FINAL_GIT = """
"$git" "$@"
status=$?
case "$*" in *update-ref*--stdin*) kill -9 $PPID;; esac
exit $status
"""

# A git that kills its parent when it is to make a ref, and makes it only later.
LATE_GIT = """
case "$*" in
*update-ref*refs/exptrack/$kind/*)
  kill -9 $PPID
  await "$folder/go"
  "$git" "$@"
  : > "$folder/done";;
*update-ref*--stdin*)
  said=$(cat)
  kill -9 $PPID
  await "$folder/go"
  echo "$said" | "$git" "$@"
  : > "$folder/done";;
*) exec "$git" "$@";;
esac
"""

# A git that leaves what one leaves that is killed, together with its parent, while it makes the ref of a finished run.
TORN_GIT = """
case "$*" in
*update-ref*--stdin*)
  for word in $(cat); do case $word in refs/exptrack/runs/*) mkdir -p ".git/${word%/*}"; : > ".git/$word.lock";; esac; done
  kill -9 $PPID;;
*) exec "$git" "$@";;
esac
"""


@pytest.fixture
def scene(repository: Path, git: Callable[..., str], tmp_path: Path) -> Iterator[Scene]:
    (repository / "exptrack.yaml").write_text("capture:\n  patterns: ['number=(?P<number>\\d+)']\n")
    git("add", ".", cwd=repository)
    git("commit", "--quiet", "-m", "second", cwd=repository)
    (repository / "train.py").write_text("# edited\n")
    (repository / "staged.py").write_text("# staged\n")
    git("add", "staged.py", cwd=repository)
    (repository / "untracked.py").write_text("# untracked\n")
    outside = tmp_path / "outside"
    outside.mkdir()
    scene = Scene(Witness(repository), outside)
    yield scene
    scene.clear()


@pytest.mark.timeout(1800)
@pytest.mark.parametrize("target", ["exptrack", "command", "both"])
def test_a_run_killed_at_any_moment_keeps_all_it_logged(scene, target):
    witness, rng = scene.witness, random.Random(target)
    start = time.monotonic()
    assert scene.launch(scene.count("whole", 10, 0.03)).wait(PATIENCE) == 0, scene.told
    life = time.monotonic() - start
    assert witness.numbers("whole") == list(range(10))
    things = witness.users_things()
    for number in range(MOMENTS):
        name = f"run-{number}"
        start = time.monotonic()
        # On a terminal both are one group, as Ctrl-C would find them.
        recorder = (scene.show if target == "both" else scene.launch)(scene.count(name, 10, 0.03))
        time.sleep(max(0, start + life * (number + rng.random()) / MOMENTS - time.monotonic()))
        _strike(scene, recorder, name, target)
        status = recorder.wait(PATIENCE)
        assert status in {0, -signal.SIGKILL, 128 + signal.SIGKILL}, scene.told
        logged, is_begun = scene.look(name)
        scene.recover(name)
        scene.judge(name, logged, is_begun=is_begun)
        if target == "command":
            record, has_ended = witness.record(name), (scene.folder(name) / "ended").exists()
            assert (record["status"], status) in {
                ("failed", 128 + signal.SIGKILL),
                *([("completed", 0)] if has_ended else []),
            }
            assert record.get("signal") == ("SIGKILL" if status else None)
            assert witness.numbers(name)[: len(scene.printed(name))] == scene.printed(name)
        assert witness.users_things() == things
        scene.check_all_is_well()


def _strike(scene: Scene, recorder: subprocess.Popen[bytes], name: str, target: str) -> None:
    with suppress(ProcessLookupError, PermissionError):  # the latter, on macOS, for a group that has ended
        match target:
            case "exptrack":
                recorder.kill()
            case "command":
                os.kill(scene.pid(name), signal.SIGKILL)
            case "both":
                os.killpg(recorder.pid, signal.SIGKILL)


@pytest.mark.timeout(1800)
@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("chunk", range(1, CHUNKS + 1))
def test_a_kill_at_any_call_of_git_leaves_a_run_or_nothing(scene, tmp_path, when, chunk):
    witness, things = scene.witness, scene.witness.users_things()
    for last in count(chunk, CHUNKS):
        name, bench = f"run-{last}", tmp_path / f"bench-{last}"
        for folder in (bench, bench / "busy", bench / "turns"):
            folder.mkdir()
        environ = put_git_in_front(bench / "bin", f"folder={bench}\nlast={last}\nwhen={when}\n{KILLING_GIT}")
        words = argv("run", "--name", name, "--", "sh", "-c", COUNT, scene.folder(name))
        if not scene.die(words, env=environ):
            break
        until(lambda: not list((bench / "busy").iterdir()))  # noqa: B023 - called at once
        logged, is_begun = scene.look(name)
        scene.recover(name)
        scene.judge(name, logged, is_begun=is_begun)
        if (scene.folder(name) / "ended").exists():
            assert witness.record(name)["status"] == "completed"
            assert witness.numbers(name) == [0, 1, 2]
        assert witness.users_things() == things
        scene.check_all_is_well()
    assert last >= 12, "git was not called from where it was thought to be"


@pytest.mark.timeout(1800)
@pytest.mark.parametrize("chunk", range(1, CHUNKS + 1))
def test_a_kill_between_any_two_effects_leaves_a_run_or_nothing(scene, chunk):
    witness, things = scene.witness, scene.witness.users_things()
    for last in count(chunk, CHUNKS):
        name = f"run-{last}"
        words = argv("run", "--name", name, "--", "sh", "-c", COUNT, scene.folder(name))
        words = [sys.executable, str(SCRIPTS / "dying.py"), str(last), *words[3:]]
        if not scene.die(words):
            break
        logged, is_begun = scene.look(name)
        scene.recover(name)
        scene.judge(name, logged, is_begun=is_begun)
        assert witness.users_things() == things
    assert last >= 30, "the effects were not where they were thought to be"
    scene.check_all_is_well()
    names = [name for name in witness.refs() if name.startswith("run-")]
    assert "completed" in {witness.record(name)["status"] for name in names}


def test_a_run_that_a_lock_of_a_dead_git_keeps_from_its_ref_is_kept_until_that_is_gone(scene, tmp_path):
    environ = put_git_in_front(tmp_path / "bin", TORN_GIT)
    words = argv("run", "--name", "one", "--", "sh", "-c", COUNT, scene.folder("one"))
    assert scene.die(words, env=environ)
    [lock] = (scene.witness.folder / ".git" / "refs" / "exptrack" / "runs").glob("*/one.lock")
    status, out, err = scene.call("recover")
    assert (status, out, err.count("\n")) == (0, "", 1)
    assert err.startswith("exptrack: one cannot be recovered now: ")
    assert str(lock) in err
    assert err.endswith("; its journal is kept\n")
    assert scene.states() == {"one": "died"}
    lock.unlink()
    scene.recover("one")
    scene.judge("one", [0, 1, 2], is_begun=True)
    assert scene.witness.record("one")["status"] == "completed"


def test_a_run_killed_just_after_its_ref_was_made_is_the_latest_one(scene, tmp_path):
    assert scene.call("run", "--name", "before", "--", "true")[0] == 0
    environ = put_git_in_front(tmp_path / "bin", FINAL_GIT)
    words = argv("run", "--name", "one", "--", "sh", "-c", COUNT, scene.folder("one"))
    assert scene.die(words, env=environ)
    assert "one" in scene.witness.refs()
    scene.recover("one")
    scene.judge("one", [0, 1, 2], is_begun=True)
    status, out, _ = scene.call("show", "@")
    assert (status, out.split()[:2]) == (0, ["run", "one"])


@pytest.mark.parametrize("kind", ["active", "runs"])
def test_a_git_that_outlives_its_recorder_changes_nothing_in_the_end(scene, tmp_path, kind):
    environ = put_git_in_front(tmp_path / "bin", f"folder={tmp_path}\nkind={kind}\n{LATE_GIT}")
    words = argv("run", "--name", "one", "--", "sh", "-c", COUNT, scene.folder("one"))
    assert scene.die(words, env=environ)
    scene.recover("one")
    before = scene.witness.git("for-each-ref", "refs/exptrack/runs")
    (tmp_path / "go").touch()
    until((tmp_path / "done").exists)
    scene.recover("one")
    scene.judge("one", [0, 1, 2] if kind == "runs" else [], is_begun=kind == "runs")
    assert scene.witness.git("for-each-ref", "refs/exptrack/runs") == before
    assert list(scene.witness.refs()) == (["one"] if kind == "runs" else [])
    assert scene.call("run", "--name", "two", "--", "true")[0] == 0


@pytest.fixture(params=["beside it", "in another PID namespace", "in a linked worktree"])
def elsewhere(request, scene, tmp_path) -> dict[str, object]:
    """Where else exptrack is called: options for `Scene.call`."""
    if request.param == "in a linked worktree":
        scene.witness.git("worktree", "add", "--quiet", str(tmp_path / "linked"))
        return {"cwd": tmp_path / "linked"}
    if request.param == "beside it":
        return {}
    reasons = []
    for user in ((), ("--user", "--map-root-user")):
        prefix = ("unshare", *user, "--pid", "--fork", "--mount-proc")
        try:
            done = subprocess.run([*prefix, "true"], capture_output=True, text=True, check=False)
        except FileNotFoundError:
            pytest.skip("there is no unshare here")
        if done.returncode == 0:
            return {"prefix": prefix}
        reasons.append(done.stderr.strip())
    pytest.skip(f"the kernel gives no PID namespace: {'; '.join(reasons)}")


def test_a_live_run_is_never_taken_for_dead(scene, elsewhere):
    recorder = scene.live("one")
    assert scene.states(**elsewhere) == {"one": "running"}
    for words in (["recover"], ["recover", "--force"], ["recover", "one"], ["recover", "--force", "one"]):
        said = "exptrack: one is still running\n" if "one" in words else ""
        assert scene.call(*words, **elsewhere) == (0, "" if said else "nothing to recover\n", said)
    status, _, err = scene.call("run", "--name", "two", "--", "true", **elsewhere)
    assert (status, "died" in err) == (0, False)
    assert scene.states(**elsewhere) == {"one": "running"}
    (scene.folder("one") / "go").touch()
    assert recorder.wait(PATIENCE) == 0
    assert scene.witness.record("one")["status"] == "completed"
    assert scene.witness.numbers("one") == [0, 1, 2]
    assert scene.witness.left_over() == []


def test_a_command_that_outlived_its_recorder_is_left_alone_unless_forced(scene, elsewhere):
    recorder = scene.live("one")
    recorder.kill()
    recorder.wait()
    assert scene.states(**elsewhere) == {"one": "recorder died, command runs"}
    status, out, err = scene.call("recover", **elsewhere)
    assert (status, out) == (0, "")
    assert f"its command still runs (process {scene.pid('one')})" in err
    assert scene.witness.refs() == {}
    assert scene.call("recover", "--force", **elsewhere)[:2] == (0, "recovered one (crashed)\n")
    assert scene.witness.numbers("one") == [0, 1, 2]
    assert scene.witness.left_over() == []
    os.kill(scene.pid("one"), 0)  # it still runs
    (scene.folder("one") / "go").touch()
    until((scene.folder("one") / "ended").exists)
    assert scene.witness.record("one")["status"] == "crashed"


def test_two_recoveries_at_once_record_each_dead_run_once(scene):
    names = [f"run-{number}" for number in range(6)]
    recorders = {name: scene.live(name) for name in names}
    for name, recorder in recorders.items():
        recorder.kill()
        os.kill(scene.pid(name), signal.SIGKILL)
        recorder.wait()
    until(lambda: set(scene.states().values()) == {"died"})
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    children = [scene.launch(argv("recover"), **pipes) for _ in range(2)]
    ends = [(*child.communicate(timeout=PATIENCE), child.returncode) for child in children]
    assert [status for *_, status in ends] == [0, 0]
    said = [line for _, err, _ in ends for line in err.decode().splitlines()]
    # One that was killed at once may have come to less than the others.
    assert all(line.endswith(": the environment was not captured: the run ended too early for that") for line in said)
    told = [line for out, _, _ in ends for line in out.decode().splitlines() if line != "nothing to recover"]
    assert sorted(told) == [f"recovered {name} (crashed)" for name in names]
    assert sorted(scene.witness.refs()) == names
    assert all(scene.witness.numbers(name) == [0, 1, 2] for name in names)
    assert scene.witness.left_over() == []
    scene.check_all_is_well()
