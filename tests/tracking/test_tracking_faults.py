"""kill -9 at any instant, a full disk, a repository that cannot be written to: nothing that was logged is lost, and training goes on."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time

import pytest

INSTANTS = 10

LOGGING = """
import exptrack, os, time
told = os.open(os.environ["TOLD"], os.O_WRONLY | os.O_APPEND)
run = exptrack.start_run(os.environ["NAME"])
print("under way", flush=True)
step, end = 0, time.monotonic() + 60
while time.monotonic() < end:  # nobody else ends it where a test has failed
    run.log_metrics({"loss": step / 3, "step": step, "other": -step}, step=step)
    os.write(told, b"%d\\n" % step)  # the call has returned
    step += 1
"""


def _log_until_killed(stage, name: str, seconds: float, before: tuple[str, ...], victims: str) -> int:
    """Kill a script that logs, or its recorder, or both, after a while; gives how many calls of it had returned."""
    told = stage.folder.parent / "told"
    told.write_bytes(b"")
    process = stage.start(LOGGING, before=before, env={**os.environ, "TOLD": str(told), "NAME": name})
    assert process.stdout.readline() == "under way\n"
    pids = _find_pids(stage.folder / ".git" / "exptrack" / "active" / name)
    time.sleep(seconds)
    for victim in victims.split():
        os.kill(pids[victim], signal.SIGKILL)
    process.communicate()
    return told.read_bytes().count(b"\n")


def _find_pids(journal) -> dict[str, int]:
    recorder = json.loads((journal / "lock").read_bytes())["pid"]
    entries = [json.loads(line) for line in (journal / "stream").read_bytes().splitlines() if b'"command"' in line]
    return {"recorder": recorder, "script": next(entry["pid"] for entry in entries if entry["kind"] == "command")}


@pytest.mark.parametrize("victims", ["script", "recorder script", "script recorder"])
@pytest.mark.parametrize("form", ["alone", "under run"])
def test_every_point_is_there_in_order_once(stage, exptrack, victims, form):
    chance = random.Random(f"{victims} {form}")
    instants = [chance.uniform(0, 0.4) for _ in range(INSTANTS if victims == "recorder script" else 2)]
    for number, seconds in enumerate(instants):
        name = f"run-{number}"
        before = stage.under_run("--name", name) if form == "under run" else ()
        count = _log_until_killed(stage, name, seconds, before, victims)
        if "recorder" in victims:
            recovered = exptrack("recover", "--force")
            assert recovered.returncode == 0, recovered.stderr
        assert stage.await_runs(number + 1)[name]["status"] in {"crashed", "failed"}
        shown = exptrack("show", name, "--history", "step").stdout
        steps = [int(line.rsplit("\t", 1)[1]) for line in shown.splitlines()[1:]]
        assert steps == list(range(len(steps)))
        assert len(steps) in {count, count + 1}, "the last call may have written, and not yet told"


def test_on_a_full_disk_training_goes_on_and_the_record_says_so(stage, only):
    """No file may grow: as a full disk, or a quota; the script's own limit, so that its recorder has room."""
    done = stage.play(
        """
        import exptrack, resource, signal
        run = exptrack.start_run()
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        run.log_metric("before", 1)
        limit = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, ((run.folder / "stream").stat().st_size + 30, limit[1]))
        for step in range(100):
            run.log_metrics({"during": step})
        resource.setrlimit(resource.RLIMIT_FSIZE, limit)
        run.log_metric("after", 1)
        print("went on")
        """
    )
    assert (done.returncode, done.stdout) == (0, "went on\n"), done.stderr
    record = only()
    assert record["status"] == "completed"
    assert (record["metrics"]["before"], record["metrics"]["after"]) == (1, 1)
    assert done.stderr.count("what is logged cannot be written down: File too large; the script goes on") == 1
    assert "100 entries could not be written down: File too large" in record["problems"]


FILLING = """
import exptrack, contextlib, os
run = exptrack.start_run("one")
run.log_metric("before", 1)
with contextlib.suppress(OSError), open("filler", "wb", buffering=0) as file:
    while True: file.write(bytes(512))
for step in range(2000):
    run.log_metrics({"during": step, "padding": 1.0}, step=step)
print("went on")
os.remove("filler")
run.log_metric("after", 1)
"""


def test_on_a_disk_that_is_full_the_last_entries_find_room(small_disk, git):
    folder = small_disk(6)
    git("init", "--quiet", folder)
    (folder / "train.py").write_text(FILLING)
    done = subprocess.run([sys.executable, "train.py"], cwd=folder, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "went on\n"), done.stderr
    ref = git("for-each-ref", "--format=%(refname)", "refs/exptrack/runs", cwd=folder)
    metrics = git("show", f"{ref}:metrics.json", cwd=folder)
    assert '"before": 1' in metrics
    assert '"after": 1' in metrics
    assert "could not be written down: No space left on device" in git("show", f"{ref}:.exptrack/run.json", cwd=folder)


def test_a_repository_that_cannot_be_written_to_refuses_at_the_start(stage):
    active = stage.folder / ".git" / "exptrack"
    active.write_text("in the way\n")  # as a folder without permission, which root would not notice
    done = stage.play("import exptrack\nexptrack.start_run()\nprint('started')\n")
    assert (done.returncode, done.stdout) == (1, "")
    last = done.stderr.splitlines()[-1]
    assert last.startswith("exptrack.errors.")
    assert "nothing was started" in last


def test_outside_of_a_script_that_lives_nothing_stays(stage, only):
    """The recorder ends with its run, and leaves no journal, process or ref of a run under way."""
    done = stage.play(
        "import exptrack, json\nrun = exptrack.start_run()\nprint(json.loads((run.folder / 'lock').read_bytes())['pid'])\n"
    )
    only()
    with pytest.raises(ProcessLookupError):
        os.kill(int(done.stdout), 0)
    assert stage.witness.refs("refs/exptrack/active") == {}
