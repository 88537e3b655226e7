"""`exptrack run` without a command: the DVC pipeline, stage by stage, in place and in a work tree of its own."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import pytest
from witness import argv, until

# Every kind of stage and result; what they make depends on their inputs alone.
ROOT = """\
vars: [names.yaml]
stages:
  prepare:
    cmd: mkdir -p clean && tr a-z A-Z < raw.txt > clean/upper.txt
    deps: [raw.txt]
    outs: [clean]
  each:
    foreach: ${names}
    do:
      cmd: echo '{"${item}":' $(wc -l < clean/upper.txt) '}' > each-${item}.json
      deps: [clean/upper.txt]
      metrics: ["each-${item}.json"]
  grid:
    matrix: {size: [small, large], rate: ["${rate}"]}
    cmd: mkdir -p grid && echo ${item.size} ${item.rate} > grid/${item.size}.txt
    params: [lr, other.toml: [model.depth]]
    outs:
      - grid/${item.size}.txt: {cache: false}
  draw:
    cmd: mkdir -p plots/sub && (echo x,y; echo 1,2) | tee plots/sub/a.csv > curve.csv && cp curve.csv kept.csv && cp curve.csv free.csv && python -c 1
    deps: [clean]
    plots: [plots: {cache: false}, kept.csv, curve.csv: {cache: false, x: x, y: y}]
plots: [free.csv]
metrics: [below/score.json]
"""
BELOW = """\
stages:
  score:
    wdir: work
    cmd: echo '{"score":' $(wc -c < ../../raw.txt) '}' > ../score.json && chmod +x ../score.json
    deps: [../../raw.txt]
    params: [../../params.yaml: [model]]
    outs: [../score.json: {cache: false}]
"""
STAGES = ["prepare", "each@a", "each@b", "grid@small-3", "grid@large-3", "draw", "below/dvc.yaml:score"]
PLAIN = ["below/score.json", "curve.csv", "grid/large.txt", "grid/small.txt", "plots/sub/a.csv"]

# One stage after the other, each of which appends to `done` when it has ended, outside of all that DVC knows.
CHAIN = """\
stages:
  one: {cmd: "echo 1 > one.txt && echo '{\\"a\\": 1}' > a.json", deps: [raw.txt], outs: [one.txt], metrics: [a.json: {cache: false}]}
  two: {cmd: "sh two.sh", deps: [one.txt, two.sh], outs: [two.txt]}
  three: {cmd: "echo '{\\"b\\": 1}' > b.json", deps: [two.txt], metrics: [b.json: {cache: false}]}
"""


@pytest.fixture(autouse=True)
def same_python(monkeypatch):
    monkeypatch.setenv("PATH", f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("SHELL", "/bin/sh")


@pytest.fixture
def project(repository, git):
    """A DVC project whose `dvc.yaml` a test writes."""
    (repository / ".dvc").mkdir()
    (repository / ".dvc" / "config").touch()
    (repository / ".dvc" / ".gitignore").write_text("/config.local\n/tmp\n/cache\n")
    (repository / "raw.txt").write_text("one\ntwo\n")
    (repository / "params.yaml").write_text("lr: 0.25\nmodel: {depth: 3}\n")
    git("add", ".", cwd=repository)
    git("commit", "--quiet", "-m", "second", cwd=repository)
    return repository


@pytest.fixture
def kinds(project):
    (project / "below" / "work").mkdir(parents=True)
    (project / "below" / "work" / ".keep").touch()
    (project / "names.yaml").write_text("names: [a, b]\nrate: 3\n")
    (project / "other.toml").write_text("[model]\ndepth = 3\n")
    (project / "dvc.yaml").write_text(ROOT)
    (project / "below" / "dvc.yaml").write_text(BELOW)
    return project


@pytest.fixture
def chain(project):
    (project / "dvc.yaml").write_text(CHAIN)
    (project / "two.sh").write_text("echo 2 > two.txt\n")
    return project


def states(record):
    return {stage["name"]: stage["state"] for stage in record["stages"]}


def alike(folder, git):
    """What an isolated run must leave as it was."""
    files = {
        str(path): (path.lstat().st_mtime_ns, path.lstat().st_size)
        for path in folder.rglob("*")
        if ".git" not in path.relative_to(folder).parts and ".dvc" not in path.relative_to(folder).parts
    }
    return files, (folder / ".git" / "index").read_bytes(), git("branch", "-av", cwd=folder)


def test_all_stages_are_recorded_with_all_they_made(exptrack, kinds, look, git):
    index = (kinds / ".git" / "index").read_bytes()
    done = exptrack("run", "--name", "one", "-m", "the first")
    assert (done.returncode, done.stderr.splitlines()[-1]) == (0, "exptrack: recorded one (completed)"), done.stderr
    record = look.record("one")
    assert (kinds / ".git" / "index").read_bytes() == index
    assert "command" not in record
    assert states(record) == dict.fromkeys(STAGES, "ran")
    assert record["metrics"] == {"a": 2, "b": 2, "score": 8}
    assert record["params"] == {
        "params.yaml": {"lr": 0.25, "model": {"depth": 3}},
        "other.toml": {"model": {"depth": 3}},
        "names.yaml": {"names": ["a", "b"], "rate": 3},
    }
    assert {pointer["path"] for pointer in record["data"]} == {"clean", "each-a.json", "each-b.json", "kept.csv"}
    written = {".gitignore", "below/dvc.lock", "dvc.lock", "free.csv", "metrics.json", *PLAIN}
    assert set(look.changes("one")) == written
    assert look.git("ls-tree", look.ref("one"), "below/score.json").startswith("100755")
    for path in written - {"metrics.json"}:
        assert look.file("one", path) == (kinds / path).read_text()
    by_name = {stage["name"]: stage for stage in record["stages"]}
    assert by_name["grid@small-3"]["deps"] == {"params.yaml:lr": "0.25", "other.toml:model.depth": "3"}
    assert by_name["below/dvc.yaml:score"]["outs"].keys() == {"below/score.json"}
    assert by_name["draw"]["deps"]["clean"].endswith(".dir")
    assert all(stage["duration"] > 0 for stage in record["stages"])
    environment = json.loads(look.file("one", ".exptrack/environment.json"))
    assert Path(environment["interpreter"]["path"]).samefile(sys.executable)
    assert "problems" not in record
    assert look.git("log", "-1", "--format=%s", look.ref("one")) == "one: the DVC pipeline → score=8, a=2, b=2\n"


def test_a_stage_that_has_not_changed_is_skipped_and_its_results_are_the_runs(exptrack, kinds, look, git):
    for name in ("one", "two"):
        done = exptrack("run", "--name", name)
        assert done.returncode == 0, done.stderr
    record = look.record("one")
    second = look.record("two")
    assert states(second) == dict.fromkeys(STAGES, "skipped")
    assert second["metrics"] == record["metrics"]
    assert [look.file("two", path) for path in PLAIN] == [look.file("one", path) for path in PLAIN]

    # With another parameter, in a work tree of its own, what does not depend on it is skipped, too.
    before = alike(kinds, git)
    done = exptrack("run", "--name", "three", "-S", "lr=0.5")
    assert done.returncode == 0, done.stderr
    assert alike(kinds, git) == before
    third = look.record("three")
    grid = {"grid@small-3", "grid@large-3"}
    assert {name for name in grid if states(third)[name] == "ran"} == grid
    assert {states(third)[name] for name in ("prepare", "each@a", "each@b")} == {"skipped"}
    assert third["metrics"] == record["metrics"]
    assert third["params"]["params.yaml"]["lr"] == 0.5
    assert [look.file("three", path) for path in PLAIN] == [look.file("one", path) for path in PLAIN]
    interpreters = [
        json.loads(look.file(name, ".exptrack/environment.json"))["interpreter"] for name in ("one", "three")
    ]
    assert interpreters[0] == interpreters[1]

    assert exptrack("run", "--name", "four", "-f").returncode == 0
    assert states(look.record("four")) == dict.fromkeys(STAGES, "ran")

    done = exptrack("run", "--name", "five", cwd=kinds / "below")
    assert (done.returncode, states(look.record("five"))) == (0, {"below/dvc.yaml:score": "skipped"})
    assert look.record("five")["metrics"] == {"score": 8}


def test_a_pipeline_is_shown_as_one(exptrack, chain):
    assert exptrack("run", "--name", "one").returncode == 0
    shown = exptrack("show", "one").stdout
    assert "command   the DVC pipeline\n" in shown
    lines = shown.split("\nstages:\n")[1].splitlines()[:3]
    assert [line.split()[:2] for line in lines] == [["ran", "one"], ["ran", "two"], ["ran", "three"]]
    assert "the DVC pipeline" in exptrack("ls", "--columns", "command").stdout
    fields = json.loads(exptrack("show", "one", "--json").stdout)
    assert [stage["state"] for stage in fields["stages"]] == ["ran", "ran", "ran"]


@pytest.mark.parametrize("options", [(), ("--isolated",)])
def test_a_failed_stage_is_named_and_what_was_made_before_is_kept(exptrack, chain, look, options):
    assert exptrack("run", "--name", "good").returncode == 0
    (chain / "raw.txt").write_text("changed\n")
    (chain / "dvc.yaml").write_text(CHAIN.replace("echo 1 >", "cat raw.txt >").replace('\\"a\\": 1', '\\"a\\": 7'))
    (chain / "two.sh").write_text("echo half > two.txt; exit 3\n")
    done = exptrack("run", "--name", "bad", *options)
    assert done.returncode == 3
    [line] = [line for line in done.stderr.splitlines() if "failed:" in line]
    assert line == "exptrack: stage 'two' failed: its command ended with status 3"
    record = look.record("bad")
    assert (record["status"], record["exit_code"]) == ("failed", 3)
    assert states(record) == {"one": "ran", "two": "failed"}
    assert record["metrics"] == {"a": 7}  # and nothing of a stage that it did not come to
    assert json.loads(look.file("bad", "a.json")) == {"a": 7}
    assert "cat raw.txt" in look.file("bad", "dvc.lock")
    assert "failed in stage 'two' (exit status 3)" in look.git("log", "-1", "--format=%s", look.ref("bad"))
    assert "dvc commit" not in done.stderr
    (chain / "two.sh").write_text("echo 2 > two.txt\n")
    assert exptrack("run", "--name", "next", *options).returncode == 0
    assert states(look.record("next"))["three"] in {"ran", "skipped", "restored"}
    assert look.record("next")["metrics"] == {"a": 7, "b": 1}


def nothing_is_left(exptrack, look):
    return (
        look.refs("refs/exptrack") == []
        and exptrack("status").stdout == "nothing runs, and nothing waits for recovery\n"
        and not list((look.folder / ".git" / "exptrack").glob("active/*"))
    )


@pytest.mark.parametrize("options", [(), ("--isolated",)])
@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("stages: [", "dvc.yaml: "),
        ("stages: {a: {cmd: 'true', surprise: 1}}", "dvc.yaml: "),
        ("stages: {a: {cmd: 'true', outs: a, deps: 7}}", "dvc.yaml: "),
        (
            "stages: {a: {cmd: 'true', deps: [b], outs: [c]}, d: {cmd: 'true', deps: [c], outs: [b]}}",
            "both a dependency and an output",
        ),
        ("stages: {a: {cmd: 'touch began', deps: [gone], outs: [c]}}", "stage 'a' needs gone, which is not there"),
        ("stages: {a: {cmd: 'touch began', params: [gone], outs: [c]}}", "gone"),
        ("stages: {a: {cmd: 'touch began ${gone}', outs: [c]}}", "gone"),
        ("stages: {}", "no DVC pipeline here"),
    ],
)
def test_a_pipeline_that_cannot_run_is_refused_in_one_line(exptrack, project, look, text, said, options):
    if "stages: {}" in text:
        text = "metrics: [metrics.json]\n"
    (project / "dvc.yaml").write_text(text)
    done = exptrack("run", *options)
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (125, "", 1), done.stderr
    assert done.stderr.startswith("exptrack: ")
    assert said in done.stderr
    assert not (project / "began").exists()
    assert nothing_is_left(exptrack, look)


def test_all_stages_are_forced_only_where_there_are_stages(exptrack, chain):
    done = exptrack("run", "-f", "--", "true")
    assert (done.returncode, done.stderr.count("\n")) == (125, 1)
    assert "-f" in done.stderr


def test_the_lock_of_another_dvc_is_waited_for_and_then_named(exptrack, chain, look):
    assert exptrack("run", "--name", "one").returncode == 0
    code = "import sys, dvc.repo; r = dvc.repo.Repo('.'); r.lock.lock(); print('held', flush=True); sys.stdin.read()"
    with subprocess.Popen(
        [sys.executable, "-c", code], cwd=chain, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as holder:
        assert holder.stdout.readline() == "held\n"
        done = exptrack("run", "--name", "two")
        assert (done.returncode, done.stderr.count("\n")) == (125, 1), done.stderr
        assert done.stderr.startswith(f"exptrack: process {holder.pid} ")
        assert " holds the DVC lock" in done.stderr
        assert sys.platform != "linux" or f"({sys.executable} -c import sys, dvc" in done.stderr
        assert [ref.rpartition("/")[2] for ref in look.refs("refs/exptrack")] == ["one"]
        # A work tree of its own has a lock of its own.
        assert exptrack("run", "--name", "three", "--isolated").returncode == 0
        holder.stdin.close()
    assert exptrack("run", "--name", "two").returncode == 0


def test_a_dependency_that_nobody_keeps_is_named(exptrack, project, look, tmp_path):
    (tmp_path / "outside.txt").write_text("outside\n")
    (project / "secret-data").mkdir()
    (project / "secret-data" / "x").write_text("x\n")
    (project / "tracked").mkdir()
    (project / "tracked" / "y").write_text("y\n")
    (project / ".gitignore").write_text("metrics.json\nsecret-data\n")
    (project / "dvc.yaml").write_text(
        "stages:\n"
        "  a: {cmd: cat secret-data/x > a.txt, deps: [secret-data/x, tracked, raw.txt], outs: [a.txt]}\n"
        "  b: {cmd: cat a.txt > b.txt, deps: [a.txt, ../outside.txt], outs: [b.txt]}\n"
    )
    done = exptrack("run", "--name", "one")
    assert done.returncode == 0, done.stderr
    problems = look.record("one")["problems"]
    assert [line.split(",")[0] for line in problems] == ["secret-data/x", f"{tmp_path}/outside.txt"]
    assert "which stage 'a' needs, is neither in Git nor in DVC" in problems[0]
    assert all(f"exptrack: one: {line}" in done.stderr.splitlines() for line in problems)

    text = (project / "dvc.yaml").read_text().replace("../outside.txt", f"{tmp_path}/outside.txt")
    (project / "dvc.yaml").write_text(text)
    refused = exptrack("run", "--name", "two", "--isolated")
    assert (refused.returncode, refused.stderr.count("\n")) == (125, 1), refused.stderr
    assert "stage 'a' needs secret-data/x" in refused.stderr
    assert "capture.links" in refused.stderr
    assert exptrack("status").stdout.startswith("nothing runs")

    (project / "exptrack.yaml").write_text("capture: {links: [secret-data]}\n")
    assert exptrack("run", "--name", "two", "--isolated").returncode == 0
    assert look.record("two")["problems"] == problems


def test_limits_of_the_project_hold_for_what_is_made(exptrack, project, look):
    (project / "exptrack.yaml").write_text("capture: {limits: {file_size: 2KiB}}\n")
    (project / "dvc.yaml").write_text(
        "stages:\n  a:\n    cmd: head -c 3000 /dev/zero > big.bin && echo small > small.txt && echo new > new.sh && chmod +x new.sh\n"
        "    outs: [big.bin: {cache: false}, small.txt: {cache: false}]\n"
    )
    for name, options in (("one", ()), ("two", ("--isolated",))):
        assert exptrack("run", "--name", name, *options).returncode == 0
        assert look.record(name)["problems"] == ["big.bin is not kept (too large): let DVC cache it in dvc.yaml"]
        assert look.file(name, "small.txt") == "small\n"
    # The command's own files are kept where the next run would empty the place.
    assert look.git("ls-tree", look.ref("two"), "new.sh").startswith("100755")


def test_an_output_besides_the_pipeline_is_kept(exptrack, chain, look):
    (chain / "two.sh").write_text("echo 2 > two.txt; echo log > log.txt\n")
    done = exptrack("run", "--name", "one", "-o", "log.txt", "-o", "two.txt")
    assert done.returncode == 0, done.stderr
    assert [pointer["path"] for pointer in look.record("one")["outputs"]] == ["log.txt", "two.txt"]
    assert "log.txt.dvc" in look.changes("one")
    assert "two.txt.dvc" not in look.changes("one")


def test_a_seed_reaches_every_stage(exptrack, project, look):
    (project / "exptrack.yaml").write_text("seed: seed\n")
    (project / "params.yaml").write_text("seed: 1\n")
    (project / "dvc.yaml").write_text(
        "stages: {a: {cmd: echo $EXPTRACK_SEED > a.txt, params: [seed], outs: [a.txt]}}\n"
    )
    assert exptrack("run", "--name", "one", "--seed", "9").returncode == 0
    assert look.record("one")["seed"] == 9
    assert look.record("one")["stages"][0]["deps"] == {"params.yaml:seed": "9"}
    assert not (project / "a.txt").exists()


def on_terminal(*words):
    """The words that start a command whose controlling terminal is its stdin."""
    code = "import fcntl, os, sys, termios; fcntl.ioctl(0, termios.TIOCSCTTY, 0); os.execvp(sys.argv[1], sys.argv[1:])"
    return sys.executable, "-c", code, *words


SLOW = """\
stages:
  one: {cmd: "echo 1 > one.txt", deps: [raw.txt], outs: [one.txt]}
  two: {cmd: "echo $$ > $PIDS/two && sleep 0.3 && cat one.txt > two.txt", deps: [one.txt], outs: [two.txt]}
  three: {cmd: "echo $$ > $PIDS/three && sleep 0.3 && echo '{\\"b\\": 1}' > b.json", deps: [two.txt], metrics: [b.json: {cache: false}]}
"""
STAGES_OF_SLOW = ("one", "two", "three")


@pytest.mark.timeout(900)
@pytest.mark.parametrize("options", [(), ("--isolated",)])
@pytest.mark.parametrize("target", ["exptrack", "driver"])
def test_a_pipeline_killed_at_any_moment_is_recorded_as_far_as_it_came(
    exptrack, project, look, tmp_path, monkeypatch, options, target
):
    (project / "dvc.yaml").write_text(SLOW)
    (tmp_path / "pids").mkdir()
    monkeypatch.setenv("PIDS", str(tmp_path / "pids"))
    rng = random.Random(f"{target}{options}")
    begun = time.monotonic()
    assert exptrack("run", "--name", "whole", *options).returncode == 0
    life = time.monotonic() - begun
    for number in range(3):
        name = f"run-{number}"
        (project / "raw.txt").write_text(f"{number}\n")
        _kill_one(project, name, options, target, life * 0.8 * (number + rng.random()) / 3, tmp_path)
        recovered = exptrack("recover")
        assert recovered.returncode == 0, recovered.stderr
        _judge(look.record(name), target)
        assert exptrack("status").stdout.startswith("nothing runs")
    done = exptrack("run", "--name", "last", *options)
    assert done.returncode == 0, done.stderr
    assert look.record("last")["metrics"] == {"b": 1}
    assert tuple(states(look.record("last"))) == STAGES_OF_SLOW


def _kill_one(project, name, options, target, after, folder):
    """Start a run, kill it when it has had its driver for `after` seconds, and wait for all that is left of it."""
    recorder = subprocess.Popen(argv("run", "--name", name, "-f", *options), cwd=project, stderr=subprocess.PIPE)
    until(lambda: driver_of(project, name) is not None or recorder.poll() is not None)
    driver = driver_of(project, name)
    time.sleep(after)
    with suppress(ProcessLookupError, TypeError):
        os.kill(driver if target == "driver" else recorder.pid, signal.SIGKILL)
    recorder.communicate(timeout=60)
    until(lambda: not any(map(is_alive, [driver, *pids(folder)])))


def _judge(record, target):
    listed = states(record)
    ended = [stage for stage, state in listed.items() if state == "ran"]
    assert tuple(ended) == STAGES_OF_SLOW[: len(ended)]
    assert list(listed.values()) in (["ran"] * len(ended), [*["ran"] * len(ended), "failed"])
    if target == "exptrack" and record["status"] != "completed":
        assert record["status"] == "crashed"
    if target == "driver" and len(ended) < len(STAGES_OF_SLOW):
        assert (record["status"], record["signal"]) == ("failed", "SIGKILL")
    if record["stages"] and "duration" not in record["stages"][-1]:
        assert f"the pipeline was ended in stage '{STAGES_OF_SLOW[len(ended)]}'" in record["problems"]


def driver_of(project, name):
    """The process that runs the pipeline, once it has begun to."""
    with suppress(OSError):
        for line in (project / ".git" / "exptrack" / "active" / name / "stream").read_text().splitlines():
            with suppress(ValueError):
                entry = json.loads(line)
                if entry["kind"] == "command":
                    return entry["pid"]
    return None


def pids(folder):
    """Of the stages that have begun."""
    return [int(text) for file in (folder / "pids").iterdir() if (text := file.read_text().strip())]


def is_alive(pid):
    try:
        os.kill(pid, 0)
    except (ProcessLookupError, TypeError):
        return False
    return True


def test_four_at_once_are_four_correct_runs(exptrack, chain, look, git):
    (chain / "dvc.yaml").write_text(
        CHAIN.replace("deps: [raw.txt]", "deps: [raw.txt], params: [lr]").replace("echo 1 >", "cat params.yaml >")
    )
    before = alike(chain, git)
    started = [
        subprocess.Popen(
            argv("run", "--name", f"run-{lr}", "-S", f"lr={lr}"),
            cwd=chain,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
        )
        for lr in range(4)
    ]
    for lr, process in enumerate(started):
        _, said = process.communicate(timeout=300)
        assert process.returncode == 0, said
        record = look.record(f"run-{lr}")
        assert record["metrics"] == {"a": 1, "b": 1}
        assert record["stages"][0]["deps"]["params.yaml:lr"] == str(lr)
    assert len({look.record(f"run-{lr}")["stages"][0]["outs"]["one.txt"] for lr in range(4)}) == 4
    assert alike(chain, git) == before


def test_a_pipeline_beside_another_is_refused_and_the_other_named(exptrack, project, look, tmp_path, monkeypatch):
    (project / "dvc.yaml").write_text(SLOW.replace("sleep 0.3", "sleep 600", 1))
    (tmp_path / "pids").mkdir()
    monkeypatch.setenv("PIDS", str(tmp_path / "pids"))
    process = subprocess.Popen(
        argv("run", "--name", "one"), cwd=project, stderr=subprocess.PIPE, start_new_session=True
    )
    until(lambda: bool(pids(tmp_path)))
    done = exptrack("run", "--name", "two")
    said = "exptrack: run 'one' is at work on files of stage 'one'; wait until it has ended, or run beside it with `--isolated`\n"
    assert (done.returncode, done.stderr) == (125, said)
    assert [ref.rpartition("/")[2] for ref in look.refs("refs/exptrack")] == ["one"]
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=60)
    assert look.refs("refs/exptrack") == [look.ref("one")]


@pytest.mark.parametrize("how", ["terminal", "run", "stage"])
def test_an_interrupted_pipeline_keeps_what_it_had_made(project, look, tmp_path, monkeypatch, how):
    # As with a command: whoever interrupts the stage alone interrupts the run, too.
    (project / "dvc.yaml").write_text(SLOW.replace("sleep 0.3", "exec sleep 600", 1))
    (tmp_path / "pids").mkdir()
    monkeypatch.setenv("PIDS", str(tmp_path / "pids"))
    keyboard, line = os.openpty()
    process = subprocess.Popen(
        on_terminal(*argv("run", "--name", "one")) if how == "terminal" else argv("run", "--name", "one"),
        cwd=project,
        stdin=line,
        stderr=subprocess.PIPE,
        start_new_session=True,
    )
    until(lambda: bool(pids(tmp_path)))
    if how == "terminal":
        os.write(keyboard, b"\x03")
    else:
        os.kill(process.pid if how == "run" else pids(tmp_path)[0], signal.SIGINT)
    _, said = process.communicate(timeout=60)
    os.close(keyboard)
    os.close(line)
    assert process.returncode == 130
    assert b"exptrack: stage 'two' was interrupted\n" in said
    assert b"failed" not in said
    record = look.record("one")
    assert (record["signal"], "exit_code" in record) == ("SIGINT", False)
    assert record["status"] == "interrupted"
    assert states(record) == {"one": "ran", "two": "failed"}
    assert "one.txt" in look.file("one", "dvc.lock")


def test_a_diff_looks_for_the_python_of_the_stages(exptrack, project):
    (project / "dvc.yaml").write_text(
        f"stages: {{a: {{cmd: {sys.executable} -c 1 && echo a > a.txt, outs: [a.txt]}}}}\n"
    )
    assert exptrack("run", "--name", "one").returncode == 0
    elsewhere = {**os.environ, "PATH": "/usr/bin:/bin"}
    compared = json.loads(exptrack("diff", "one", ".", "--only", "environment", "--json", env=elsewhere).stdout)
    assert (compared["changes"], compared["skipped"]) == ([], {})
