"""`exptrack plot`: curves of recorded runs and of those under way, in the terminal and as files."""

from __future__ import annotations

import json
import math
import subprocess
import sys
import time
from pathlib import Path

import pytest

from exptrack.analysis.history import format_history, path_of
from exptrack.analysis.points import Point


@pytest.fixture
def record(repository):
    """Record runs without running anything: `record(name, {metric: values}, lr=…, seed=…)`; the n-th value is that of step n."""

    def call(name, histories, *, steps=None, sealed=(), experiment=None, epoch=None, **params):
        fields = {
            "schema": 1, "name": name, "status": "completed", "started": f"2026-01-05T08:00:{len(made):02d}Z",
            "params": {"params.yaml": params}, "metrics": {}, "sealed": list(sealed), "command": ["./train"],
        }  # fmt: skip
        fields |= {"experiment": experiment} if experiment else {}
        files = {".exptrack/run.json": json.dumps(fields).encode()}
        for metric, values in histories.items():
            points = [
                Point(1767600000 + 2 * place, (steps or range(999))[place], value, epoch and epoch * place)
                for place, value in enumerate(values)
            ]
            files[f".exptrack/history/{path_of(metric)}"] = format_history(metric, points)
        made.append(name)
        stream = f"commit refs/exptrack/runs/2026-01/{name}\ncommitter A <a@b> 1767600000 +0000\ndata 1\nx\nfrom refs/heads/main^0\n".encode()
        for path, data in files.items():
            stream += f"M 100644 inline {path}\ndata {len(data)}\n".encode() + data + b"\n"
        subprocess.run(["git", "fast-import", "--quiet"], cwd=repository, input=stream, check=True)

    made: list[str] = []
    return call


@pytest.fixture
def plot(exptrack):
    """The curves as JSON, by metric and label."""

    def call(*words):
        done = exptrack("plot", *words, "--json")
        assert (done.returncode, done.stderr) == (0, "")
        found = json.loads(done.stdout)
        call.notes = found["notes"]
        return {one["name"]: {curve["label"]: curve for curve in one["curves"]} for one in found["metrics"]}

    return call


FALLING = [1.0, 0.5, 0.25, 0.125]


def without_plotext(repository):
    """An environment in which plotext and matplotlib cannot be imported."""
    folder = repository.parent / "without"
    folder.mkdir()
    for name in ("plotext", "matplotlib"):
        (folder / f"{name}.py").write_text("raise ImportError('not here')")
    return {"PYTHONPATH": str(folder)}


def test_the_latest_run_is_drawn_by_its_only_metric(exptrack, record):
    record("one", {"loss": FALLING})
    done = exptrack("plot", "one")
    assert (done.returncode, done.stderr) == (0, "")
    lines = done.stdout.splitlines()
    assert lines[0] == "loss"
    assert lines[-1] == "  ━ one  last 0.125, 0.125 to 1"
    assert "\x1b" not in done.stdout
    assert max(map(len, lines)) <= 80


def test_without_plotext_a_curve_is_a_line_of_text(exptrack, record, repository, monkeypatch):
    record("one", {"loss": FALLING}, lr=1)
    record("two", {"loss": [1, math.nan, 3]}, lr=2)
    for variable, value in without_plotext(repository).items():
        monkeypatch.setenv(variable, value)
    done = exptrack("plot", "one", "two")
    assert done.returncode == 0
    assert done.stdout == (
        "loss\none (lr=1)  █▄▂▁  last 0.125, 0.125 to 1\ntwo (lr=2)  ▁×█   last 3, 1 to 3\n"  # noqa: RUF001
    )
    assert done.stderr == "exptrack: 1 value of loss cannot be drawn: not finite, or beyond 1e60\n"
    for kind in ("svg", "png", "html"):
        done = exptrack("plot", "one", "-o", f"x.{kind}")
        assert done.returncode == 2
        assert done.stderr.endswith("needs matplotlib: install it with `pip install 'exptrack[plot]'`\n")
        assert not (repository / f"x.{kind}").exists()


def test_files_are_the_same_each_time(exptrack, record, repository, monkeypatch):
    from exptrack.cli import main

    monkeypatch.chdir(repository)
    record("one", {"loss": FALLING, "val/$acc$": [0, math.inf, 1]}, lr=1)
    record("two", {"loss": [-1.0], "val/$acc$": [0, 1, 1]}, lr=2)
    words = ["plot", "one", "two", "-m", "*", "--smooth", "0.6", "-o"]
    for name in ("1.svg", "2.svg", "1.png", "2.png", "1.html"):
        assert main([*words, name]) == 0
    assert exptrack(*words, "2.html").returncode == 0  # also of another process
    for kind in ("svg", "png", "html"):
        first = (repository / f"1.{kind}").read_bytes()
        assert first == (repository / f"2.{kind}").read_bytes()
        if kind != "png":
            assert b"one (lr=1)" in first
            assert b"val/$acc$" in first
    assert b"<script src" not in first
    assert b"<link" not in first


def test_a_page_cannot_be_left_by_a_name(record, repository, monkeypatch):
    from exptrack.cli import main

    monkeypatch.chdir(repository)
    record("one", {"</script><b>": FALLING})
    assert main(["plot", "one", "-o", "x.html"]) == 0
    page = (repository / "x.html").read_text()
    assert "<b>" not in page


@pytest.mark.parametrize("axis", ["step", "epoch", "time", "relative"])
@pytest.mark.parametrize("words", [["--band"], ["--log-y"], ["--smooth", "0.9", "--band", "sd", "--log-y"]])
def test_every_axis_is_drawn_everywhere(record, repository, axis, words, capsys, monkeypatch):
    from exptrack.cli import main

    monkeypatch.chdir(repository)
    record("one", {"loss": FALLING}, epoch=0.5, lr=1, seed=1)
    record("two", {"loss": [1, 0, 2, 3, 4]}, epoch=0.5, lr=1, seed=2)
    for output in ([], ["-o", "x.svg"], ["-o", "x.html"]):
        assert main(["plot", "one", "two", "--x", axis, *words, *output]) == 0
    assert "bug" not in capsys.readouterr().err


def test_metrics_are_chosen_by_name_pattern_or_declaration(exptrack, record, plot, repository):
    record("one", {"loss": [1.0], "val/loss": [2.0], "val/acc": [3.0], "system/cpu": [4.0]})
    assert list(plot("one", "-m", "val/*", "-m", "loss")) == ["val/acc", "val/loss", "loss"]
    done = exptrack("plot", "one")
    assert done.returncode == 2
    assert done.stderr == "exptrack: which metric? Name one with --metric: there is 'loss', 'val/acc', 'val/loss'\n"
    (repository / "exptrack.yaml").write_text("metrics:\n  val/acc: {goal: maximize, unit: '%'}\n")
    assert list(plot("one")) == ["val/acc"]
    assert exptrack("plot", "one").stdout.startswith("val/acc (%)\n")


def test_smoothing_is_that_of_tensorboard_and_the_values_stay(record, plot):
    record("one", {"loss": [1, 2, 3]})
    curve = plot("one", "--smooth", "0.6")["loss"]["one"]
    assert curve["y"] == [1, 2, 3]
    assert curve["smoothed"] == pytest.approx([1, 1.625, 1.824 / 0.784])


def test_replicates_are_those_of_compare(record, plot):
    record("one", {"loss": [1, 2]}, lr=1, seed=1)
    record("again", {"loss": [3, 2]}, lr=1, seed=1)
    record("two", {"loss": [4, 5, 6]}, lr=1, seed=2)
    record("three", {"loss": [6, 6, 7]}, lr=1, seed=3)
    record("other", {"loss": [9, 9, 9]}, lr=2, seed=1)
    curves = plot("params.seed > 0", "--band", "range")["loss"]
    assert list(curves) == ["lr=1", "lr=2"]
    assert curves["lr=1"]["runs"] == ["again", "one", "three", "two"]
    assert curves["lr=1"]["y"] == pytest.approx([4, 13 / 3, 6.5])
    assert curves["lr=1"]["replicates"] == [2, 3]
    assert (curves["lr=1"]["low"], curves["lr=1"]["high"]) == ([2, 2, 6], [6, 6, 7])
    assert curves["lr=2"]["low"] == []


def test_runs_without_common_steps_are_averaged_in_parts_and_that_is_said(record, plot):
    record("one", {"loss": [1, 2, 3, 4]}, steps=[0, 10, 20, 30], lr=1, seed=1)
    record("two", {"loss": [3, 4, 5, 6]}, steps=[1, 11, 21, 31], lr=1, seed=2)
    [curve] = plot("params.seed > 0", "--band")["loss"].values()
    assert (curve["buckets"], curve["y"]) == (4, [2, 3, 4, 5])
    assert any("averaged in 4 equal parts of the step" in note for note in plot.notes)


def test_an_experiment_alone_means_its_runs(record, plot, exptrack):
    record("one", {"loss": FALLING}, experiment="wider")
    record("two", {"loss": FALLING}, experiment="other")
    assert list(plot("-e", "wider")["loss"]) == ["one"]
    assert list(plot("one", "two", "-e", "wider")["loss"]) == ["one"]
    done = exptrack("plot", "-e", "widr")
    assert (done.returncode, done.stderr) == (2, "exptrack: none of these runs is of the experiment 'widr'\n")


def test_a_sealed_metric_stays_sealed(exptrack, record, repository):
    record("one", {"loss": FALLING}, sealed=["test"])
    done = exptrack("plot", "one", "-m", "test")
    assert done.stderr == "exptrack: metric 'test' is sealed: `exptrack unseal` shows it once the choice is made\n"
    (repository / "exptrack.yaml").write_text("metrics:\n  loss: {holdout: true}\n")
    for words in (["-m", "loss"], ["-m", "l*"], []):
        done = exptrack("plot", "one", *words)
        assert (done.returncode, done.stdout) == (2, "")


def test_a_run_under_way_is_drawn(exptrack, record, plot, repository):
    record("old", {"loss": FALLING})
    (repository / "exptrack.yaml").write_text("capture:\n  patterns: ['step=(?P<step>.*) loss=(?P<loss>.*)']\n")
    code = "import sys\nfor step in range(3): print(f'step={step} loss={3 - step}', flush=True)\nsys.stdin.read()"
    command = [sys.executable, "-m", "exptrack", "run", "--name", "now", "--", sys.executable, "-c", code]
    with subprocess.Popen(command, cwd=repository, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        lines = [process.stdout.readline() for _ in range(3)]
        assert lines[-1].startswith(b"step=2")
        deadline = time.monotonic() + 60
        while not (found := _try(exptrack)) or len(found) < 3:
            assert time.monotonic() < deadline
            time.sleep(0.05)
        assert found == [3, 2, 1]
        assert list(plot("no", "old")["loss"]) == ["old", "now (lr=0.25), under way"]
        assert plot("now", "old", "--band")["loss"]
        process.stdin.close()
        process.wait(60)
    assert list(plot("now")["loss"]) == ["now"]


def test_the_parameters_that_a_run_under_way_has_told_are_in_its_label(record, plot, repository):
    record("old", {"loss": FALLING}, depth=4)
    code = (
        "import sys, exptrack\n"
        "with exptrack.start_run(name='now', params={'depth': 3}) as run:\n"
        "    run.log_metric('loss', 0.5, step=1)\n"
        "    print('there', flush=True)\n"
        "    sys.stdin.read()\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code], cwd=repository, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        assert process.stdout.readline() == b"there\n"
        assert list(plot("now", "old", "-m", "loss")["loss"]) == ["old (depth=4)", "now (depth=3, lr=0.25), under way"]
        process.stdin.close()
        process.wait(60)


def test_what_is_smoothed_or_averaged_is_so_over_the_whole(exptrack, plot, repository):
    (repository / "exptrack.yaml").write_text("capture:\n  patterns: ['step=(?P<step>.*) loss=(?P<loss>.*)']\n")
    code = "for step in range(5000): print(f'step={step} loss={step % 7}')"
    assert exptrack("run", "--name", "long", "--", sys.executable, "-c", code).returncode == 0
    [curve] = plot("long", "-m", "loss")["loss"].values()
    assert len(curve["x"]) < 5000
    for words in (["--smooth", "0.9"], ["--band"]):
        [curve] = plot("long", "-m", "loss", *words)["loss"].values()
        assert curve["y"] == [step % 7 for step in range(5000)]


def _try(exptrack):
    done = exptrack("plot", "--json", "-m", "loss")
    if done.returncode:
        return None
    [curve] = json.loads(done.stdout)["metrics"][0]["curves"]
    return curve["y"] if curve["runs"] == ["now"] else None


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["one", "-m", "los"], "no run that is plotted has a history of 'los': did you mean 'loss'?"),
        (["one", "-m", "x/*"], "no run that is plotted has a history that matches 'x/*': there is 'loss', 'nan'"),
        (["none"], "run 'none' has no histories to plot: no metric was logged meanwhile"),
        (["one", "-m", "nan"], "there is nothing to plot of nan: one, where nan is never a finite number"),
        (
            ["one", "-m", "loss", "--x", "epoch"],
            "there is nothing to plot of loss: one, where no value of loss has a number as its epoch: take --x step or --x time",
        ),
        (
            ["low", "--log-y"],
            "there is nothing to plot of loss: low, where loss is never a number above 0, as --log-y wants it",
        ),
        (["one", "-m", "loss", "-o", "x.pdf"], "'x.pdf' is no picture: give a file that ends with .svg, .png or .html"),
        (["one", "-m", "loss", "-o", "no/x.svg"], "the folder of 'no/x.svg' is not there: make it first"),
        (["one", "-m", "loss", "-o", "taken.svg"], "'taken.svg' cannot be written: Is a directory"),
        (
            ["one", "--smooth", "1"],
            "argument --smooth: '1' is no weight: give a number from 0 to below 1, such as 0.6; see `exptrack plot --help`",
        ),
        (["nobody"], "no run is named 'nobody'; `exptrack ls` lists them"),
        (["seed", "=", "1"], "a query is one word, so quote it: exptrack plot 'seed = 1'"),
    ],
)
def test_bad_input_is_one_line(exptrack, record, repository, words, said):
    record("one", {"loss": FALLING, "nan": [math.nan, math.inf]})
    record("none", {})
    record("low", {"loss": [0.0, -1.0]})
    (repository / "taken.svg").mkdir()
    done = exptrack("plot", *words)
    assert (done.returncode, done.stdout, done.stderr) == (2, "", f"exptrack: {said}\n")


def test_what_some_runs_lack_is_said_and_the_others_are_drawn(exptrack, record):
    record("one", {"loss": [1.0]})
    record("two", {"acc": [1.0]})
    done = exptrack("plot", "one", "two", "-m", "loss")
    assert done.returncode == 0
    assert done.stderr == "exptrack: left out: two, without a history of loss\n"
    assert done.stdout.endswith("━ one  last 1, 1 to 1\n")


def test_nothing_is_written_but_the_file(exptrack, record, repository, git):
    record("one", {"loss": FALLING})
    before = (git("for-each-ref", cwd=repository), (Path(repository) / ".git" / "index").read_bytes())
    assert exptrack("plot", "one", "-o", "x.svg").returncode == 0
    assert (git("for-each-ref", cwd=repository), (Path(repository) / ".git" / "index").read_bytes()) == before
    assert git("status", "--short", cwd=repository) == "?? x.svg"
