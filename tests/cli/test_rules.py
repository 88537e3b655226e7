"""Rules of `exptrack.yaml` in real runs: they stop them, run commands, and are seen beside a job in CI."""

from __future__ import annotations

import json
import sys

import pytest

PRINTING = """\
import sys, time
for step in range(5):
    print(f"step {step} loss {'nan' if step == 3 else 1.0}", flush=True)
print("progress 10%", end="", file=sys.stderr, flush=True)
time.sleep(60)
"""
LOGGING = """\
import json, os, sys, time
def log(**values):
    with open(os.environ["EXPTRACK_JOURNAL"] + "/stream", "a") as stream:
        stream.write(json.dumps({"kind": "metrics", "time": time.time(), "step": 10, "values": values}) + "\\n")
try:
    log(**{key: float(value) for key, _, value in (word.partition("=") for word in sys.argv[2:])})
    time.sleep(float(sys.argv[1]))
except KeyboardInterrupt:
    print("saved")
"""


@pytest.fixture
def declare(repository):
    """Write `exptrack.yaml`."""

    def write(text):
        (repository / "exptrack.yaml").write_text(text)

    (repository / "printing.py").write_text(PRINTING)
    (repository / "log.py").write_text(LOGGING)
    return write


def shown(exptrack, name="@"):
    return json.loads(exptrack("show", name, "--json").stdout)


def test_a_rule_stops_the_command_and_all_that_it_started(exptrack, declare, monkeypatch):
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    declare(
        "capture: {patterns: ['step (?P<step>\\d+) loss (?P<loss>\\S+)']}\nrules: [{when: loss is nan, then: stop}]"
    )
    done = exptrack("run", "--name", "one", "--", "sh", "-c", f"{sys.executable} printing.py; echo not reached")
    assert done.returncode == 130
    assert "not reached" not in done.stdout
    assert "exptrack: one: rule 1: loss is nan at step 3; the run is stopped\n" in done.stderr
    assert "\n::warning title=exptrack%3A one::rule 1: loss is nan at step 3; the run is stopped\n" in done.stderr
    record = shown(exptrack)
    assert (record["status"], record["problems"]) == ("interrupted", ["stopped by rule 1: loss is nan at step 3"])
    assert record["duration"] < 40


def test_what_is_logged_counts_and_a_command_that_takes_the_hint_has_completed(exptrack, declare):
    declare("metrics: {val/loss: minimize}\nrules: [{when: val/loss is not finite, then: stop}]")
    done = exptrack("run", "--", sys.executable, "log.py", "60", "val/loss=inf")
    assert (done.returncode, done.stdout) == (0, "saved\n")
    record = shown(exptrack)
    assert record["status"] == "completed"
    assert record["problems"] == ["stopped by rule 1: val/loss is inf at step 10"]


def test_a_new_best_runs_a_command_beside_the_run(exptrack, declare, repository, monkeypatch):
    report = repository.parent / "annotations.json"
    monkeypatch.setenv("GITLAB_CI", "true")
    monkeypatch.setenv("CI_JOB_URL", "https://gitlab.example/jobs/1")
    monkeypatch.setenv("EXPTRACK_GITLAB_ANNOTATIONS", str(report))
    declare(
        "metrics: {accuracy: maximize}\n"
        "rules: [{when: accuracy is a new best, then: run, command: 'env > ../told; echo not mine; echo oh no >&2; exit 3'}]"
    )
    told = repository.parent / "told"
    for name, value in (("first", 0.5), ("second", 0.4)):
        assert exptrack("run", "--name", name, "--", sys.executable, "log.py", "0", f"accuracy={value}").returncode == 0
        assert not told.exists()
    done = exptrack("run", "--name", "third", "--", sys.executable, "log.py", "0", "accuracy=0.7")
    assert (done.returncode, done.stdout) == (0, "")
    told = dict(line.split("=", 1) for line in told.read_text().splitlines() if line.startswith("EXPTRACK_"))
    assert told.items() >= {
        "EXPTRACK_RUN": "third", "EXPTRACK_RULE": "1", "EXPTRACK_METRIC": "accuracy", "EXPTRACK_VALUE": "0.7", "EXPTRACK_STEP": "10",
    }.items()  # fmt: skip
    assert "EXPTRACK_JOURNAL" not in told
    record = shown(exptrack)
    assert (record["status"], record["problems"]) == (
        "completed",
        ["the command of rule 1 failed (exit status 3): oh no"],
    )
    [link] = json.loads(report.read_text())["exptrack"]
    said = "rule 1: accuracy is a new best: 0.7 at step 10, first had 0.5"
    assert link == {"external_link": {"label": said, "url": "https://gitlab.example/jobs/1"}}


def test_in_an_experiment_the_baseline_is_what_has_to_be_beaten(exptrack, declare):
    declare(
        "metrics: {accuracy: maximize}\n"
        "experiments: {wider: {metric: accuracy, variables: {lr: [1, 2]}, baseline: {lr: 1}}}\n"
        "rules: [{when: accuracy is a new best, then: run, command: [touch, ../fired]}]"
    )

    def run(name, lr, accuracy):
        words = [sys.executable, "log.py", "0", f"accuracy={accuracy}", f"lr={lr}"]
        done = exptrack("run", "-e", "wider", "--anyway", "--name", name, "--", *words)
        assert done.returncode == 0
        return "new best" in done.stderr and done.stderr.split("new best: ")[1].splitlines()[0]

    assert not run("better", 2, 0.9)
    assert not run("base", 1, 0.5)
    assert run("next", 2, 0.7) == "0.7 at step 10, the baseline, base had 0.5"


def test_what_is_executed_again_follows_no_rules(exptrack, declare, repository, git):
    declare(
        "capture: {patterns: ['loss (?P<loss>\\S+)']}\n"
        "rules: [{when: loss is nan, then: run, command: 'echo fired >> ../fired'}, {when: loss is nan, then: stop}]"
    )
    git("add", ".", cwd=repository)
    git("commit", "--quiet", "-m", "rules", cwd=repository)
    assert exptrack("run", "--name", "one", "--", "echo", "loss", "nan").returncode == 0
    fired = repository.parent / "fired"
    assert fired.read_text() == "fired\n"
    assert exptrack("reproduce", "one").returncode == 0
    assert fired.read_text() == "fired\n"


def test_a_command_that_is_not_there_is_a_problem_and_no_more(exptrack, declare):
    declare(
        "capture: {patterns: ['loss (?P<loss>\\S+)']}\nrules: [{when: loss is nan, then: run, command: [./no-such-tool]}]"
    )
    assert exptrack("run", "--", "echo", "loss", "nan").returncode == 0
    [problem] = shown(exptrack)["problems"]
    assert problem.startswith("the command of rule 1 could not be started: No such file or directory")


def test_what_the_machine_does_is_a_history_and_no_metric(exptrack, declare):
    declare("capture: {system: 0.3}")
    busy = "import time\nend = time.time() + 1.5\nwhile time.time() < end: pass"
    done = exptrack("run", "--name", "one", "--", "sh", "-c", f"{sys.executable} -c '{busy}'; true")
    assert (done.returncode, done.stderr) == (0, "exptrack: recorded one (completed)\n")
    record = shown(exptrack, "one")
    assert (record["metrics"], record.get("problems", [])) == ({}, [])
    cpu = [point["value"] for point in json.loads(exptrack("show", "one", "--history", "system/cpu", "--json").stdout)]
    assert cpu
    assert 1 < max(cpu) < 150  # the machine may be busy
    assert exptrack("show", "one", "--history", "system/memory").returncode == 0
    assert exptrack("reproduce", "one").returncode == 0
