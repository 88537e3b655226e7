"""A run that continues another one, and what a script may read of its own run."""

from __future__ import annotations

import os
import signal

from witness import until

from exptrack import ActiveRun

FIRST = """
import exptrack, os, signal, sys
run = exptrack.start_run("first", params={"lr": 0.1}, tags=["long"])
for step in range(100):
    run.log_metrics({"loss": 100 - step, "val/score": float("nan") if step == 3 else step / 7}, step=step, epoch=step // 10)
if "kill" in sys.argv:
    os.kill(os.getpid(), signal.SIGKILL)
"""
SECOND = """
import exptrack
with exptrack.start_run("second", resume="first") as run:
    assert run.first_step == 100, run.first_step
    for step in range(run.first_step, 120):
        run.log_metric("loss", 100 - step, step=step, epoch=step // 10)
    frame = run.history("loss")
assert list(frame["value"]) == [100 - step for step in range(120)]
assert run.history("loss").equals(frame) or len(run.history("loss")) == 120
"""


def _check(stage, record):
    assert record["links"] == {"resumes": "first"}
    assert record["metrics"]["loss"] == -19
    loss = stage.history("second", "loss")
    assert [step for step, _ in loss] == [str(step) for step in range(120)]
    assert [value for _, value in loss] == [str(100 - step) for step in range(120)]
    score = stage.history("second", "val/score")
    assert len(score) == 100
    assert score[3] == ("3", "nan")
    first = stage.witness.git("show", f"{stage.witness.refs()['first']}:.exptrack/history/val/score.tsv")
    assert stage.witness.git("show", f"{stage.witness.refs()['second']}:.exptrack/history/val/score.tsv") == first


def test_a_run_that_ended_is_resumed_with_its_history(stage):
    stage.play(FIRST)
    done = stage.play(SECOND)
    assert done.returncode == 0, done.stderr
    _check(stage, stage.await_runs(2)["second"])


def test_a_run_that_was_killed_is_recorded_and_resumed(stage):
    stage.play(FIRST, "kill")
    stage.await_runs(1)
    assert stage.play(SECOND).returncode == 0
    records = stage.await_runs(2)
    assert records["first"]["status"] in {"crashed", "failed"}
    _check(stage, records["second"])


def test_a_dead_run_is_recovered_and_resumed(stage):
    killed = FIRST.replace("run =", "import json\nrun =").replace(
        "    os.kill(os",
        '    os.kill(json.loads((run.folder / "lock").read_bytes())["pid"], signal.SIGKILL)\n    os.kill(os',
    )
    stage.play(killed, "kill")
    assert stage.witness.refs() == {}
    done = stage.play(SECOND)
    assert done.returncode == 0, done.stderr
    _check(stage, stage.await_runs(2)["second"])


def test_what_cannot_be_resumed_is_told(stage):
    done = stage.play("import exptrack\nexptrack.start_run(resume='nobody')\n")
    assert done.returncode == 1
    assert (
        "exptrack.errors.RevError: no run is named 'nobody'" in done.stderr or "nobody" in done.stderr.splitlines()[-1]
    )
    live = stage.start("import exptrack\nexptrack.start_run('live')\nprint(flush=True)\ninput()\n", stdin=-1)
    live.stdout.readline()
    done = stage.play("import exptrack\nexptrack.start_run(resume='live')\n")
    assert "run 'live' is still under way: end it before another one resumes it" in done.stderr
    live.send_signal(signal.SIGKILL)
    live.communicate()
    assert set(stage.await_runs(1)) == {"live"}


def test_the_history_of_a_run_under_way(stage):
    done = stage.play(
        """
        import exptrack, math
        run = exptrack.start_run()
        for step in range(5):
            run.log_metrics({"loss": math.inf if step == 1 else step}, step=step * 10)
        frame = run.history("loss")
        assert list(frame.columns) == ["time", "step", "value"], frame
        assert list(frame["step"]) == [0, 10, 20, 30, 40]
        assert frame["value"][1] == math.inf and str(frame["time"].dtype).startswith("datetime64")
        try:
            run.history("los")
        except exptrack.ExptrackError as error:
            print(error)
        """
    )
    assert done.returncode == 0, done.stderr
    assert "has no history of 'los': there is loss" in done.stdout


def test_the_stream_is_on_the_disk_each_second(stage):
    """By the system calls of the recorder, where they can be seen."""
    process = stage.start(
        "import exptrack\nrun = exptrack.start_run('one')\nprint(flush=True)\nfor step in iter(input, 'end'):\n    run.log_metric('a', 1)\n    print(flush=True)\n",
        stdin=-1,
    )
    process.stdout.readline()
    lock = stage.folder / ".git" / "exptrack" / "active" / "one" / "lock"
    before = lock.stat().st_mtime_ns
    until(lambda: lock.stat().st_mtime_ns != before)  # the heartbeat of the thread that does it
    assert os.kill(process.pid, 0) is None
    process.communicate("end\n")
    assert stage.await_runs(1)["one"]["status"] == "completed"


def test_where_nothing_is_recorded_a_history_is_empty():
    assert ActiveRun(None, None).history("loss").empty
