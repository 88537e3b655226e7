"""A script that starts its own run: whatever ends it, the run is recorded as it was."""

from __future__ import annotations

import os
import signal

import pytest
from witness import until

from exptrack.backends.process import exits
from exptrack.model.tree import nest
from exptrack.tracking.keeping import Asked

# As under `exptrack run`, where the system tells how a process ended.
KILLED = "failed" if exits.can_tell() else "crashed"

TWO_LINES = "import exptrack; exptrack.start_run()\nexptrack.log_metrics({'loss': 0.5, 'accuracy': 0.75}, step=3)\n"


def test_two_lines_make_a_run(stage, only, git):
    (stage.folder / "params.yaml").write_text("lr: 0.5\n")
    stage.write(TWO_LINES)
    before = git("status", "--porcelain", cwd=stage.folder), git("rev-parse", "HEAD", cwd=stage.folder)
    done = stage.play(TWO_LINES, "--epochs", "2")
    record = only()
    assert (done.returncode, done.stdout) == (0, "")
    assert done.stderr == f"exptrack: recorded {record['name']} (completed)\n"
    assert record["status"] == "completed"
    assert record["exit_code"] == 0
    assert record["metrics"] == {"loss": 0.5, "accuracy": 0.75}
    assert record["params"] == {"params.yaml": {"lr": 0.5}, "args": {"epochs": 2}}
    assert record["command"][1:] == ["train.py", "--epochs", "2"]
    assert stage.history(record["name"], "loss") == [("3", "0.5")]
    ref = stage.witness.refs()[record["name"]]
    assert git("show", f"{ref}^:train.py", cwd=stage.folder) == TWO_LINES.strip()
    assert git("show", f"{ref}:.exptrack/environment.json", cwd=stage.folder).startswith("{")
    after = git("status", "--porcelain", cwd=stage.folder), git("rev-parse", "HEAD", cwd=stage.folder)
    assert after == before


def test_the_code_is_captured_at_the_start(stage, only, git):
    stage.play(
        """
        import exptrack, pathlib
        run = exptrack.start_run()
        pathlib.Path("train.py").write_text("edited")
        """
    )
    record = only()
    assert "import exptrack" in git("show", f"{stage.witness.refs()[record['name']]}:train.py", cwd=stage.folder)
    assert record["changed"] == ["train.py"]


@pytest.mark.parametrize(
    ("ending", "code", "status", "recorded"),
    [
        ("pass", 0, "completed", 0),
        ("sys.exit(3)", 3, "failed", 3),
        ("sys.exit('no data')", 1, "failed", 1),
        ("sys.exit()", 0, "completed", 0),
        ("raise ValueError('diverged')", 1, "failed", 1),
        ("os._exit(4)", 4, KILLED, 4 if exits.can_tell() else None),
        ("os.kill(os.getpid(), signal.SIGKILL)", -9, KILLED, None),
        ("signal.raise_signal(signal.SIGTERM)", -15, KILLED, None),
        ("signal.raise_signal(signal.SIGINT)", -2, "interrupted", None),
        ("try:\n    sys.exit(5)\nexcept SystemExit:\n    pass", 0, "completed", 0),
        ("with contextlib.suppress(SystemExit):\n    sys.exit(6)\nsys.exit(7)", 7, "failed", 7),
        ("try:\n    raise KeyboardInterrupt\nexcept KeyboardInterrupt:\n    sys.exit(1)", 1, "interrupted", None),
    ],
)
@pytest.mark.parametrize("form", ["call", "with"])
def test_whatever_ends_the_script_the_run_is_recorded(stage, only, ending, code, status, recorded, form):
    body = f"exptrack.log_metric('loss', 0.5)\n{ending}"
    start = "run = exptrack.start_run()\n" if form == "call" else "with exptrack.start_run():\n"
    lines = body if form == "call" else "\n".join(f"    {line}" for line in body.splitlines())
    done = stage.play(f"import contextlib, os, signal, sys\nimport exptrack\n{start}{lines}\n")
    assert done.returncode == code, done.stderr
    record = only()
    assert (record["status"], record.get("exit_code")) == (status, recorded)
    assert record["metrics"]["loss"] == 0.5
    if status == "interrupted":
        assert record["signal"] == "SIGINT"


def test_what_the_run_was_told_is_recorded(stage, only):
    done = stage.play(
        """
        import argparse, dataclasses, exptrack, pathlib

        @dataclasses.dataclass
        class Model:
            depth: int = 3
            widths: tuple = (8, 16)

        with exptrack.start_run("told", note="first", tags=["a"], params={"optimizer.lr": 0.1}) as run:
            run.log_params(Model())
            run.log_params(argparse.Namespace(data=pathlib.Path("x/y"), momentum=float("nan")))
            run.log_param("optimizer.name", "sgd")
            run.set_tags("b", "a")
            run.set_tag("stage", "trial")
            run.set_note("second")
            assert exptrack.active_run() is run
        assert exptrack.active_run() is None
        """
    )
    record = only()
    assert done.stderr == "exptrack: recorded told (completed)\n"
    assert record["params"]["logged"] == {
        "optimizer": {"lr": 0.1, "name": "sgd"}, "depth": 3, "widths": [8, 16], "data": "x/y", "momentum": "nan",
    }  # fmt: skip
    assert (record["tags"], record["note"]) == (["a", "b", "stage=trial"], "second")


def test_tags_that_are_a_mapping_keep_their_values():
    assert Asked.make("one", None, {"kind": "wide"}, None, None).tags == ("kind=wide",)


def test_a_parameter_that_a_file_has_is_not_recorded_twice(stage, only):
    stage.play("import exptrack\nexptrack.start_run(params={'lr': 0.25, 'depth': 2})\n")
    assert only()["params"] == {"params.yaml": {"lr": 0.25}, "logged": {"depth": 2}}


def test_a_parameter_that_is_logged_twice_keeps_its_first_value(stage, only):
    done = stage.play(
        """
        import exptrack
        run = exptrack.start_run()
        for lr in (0.5, 0.5, 1e-05):
            run.log_params({"lr": lr})
        run.log_metric("loss", 1)
        """
    )
    told = "parameter 'lr' was 0.5 and then 1e-05: the first one stays"
    assert f"train.py:5: ExptrackWarning: {told}\n" in done.stderr
    record = only()
    assert record["params"]["logged"] == {"lr": 0.5}
    assert record["problems"] == [told]


def test_what_is_no_number_is_left_out_and_named(stage, only):
    done = stage.play(
        """
        import exptrack, numpy as np, torch
        from decimal import Decimal
        run = exptrack.start_run()
        good = {"int": 1, "bool": True, "np": np.float32(0.5), "array": np.array([2.0]), "tensor": torch.tensor(3.0, requires_grad=True),
                "nan": float("nan"), "inf": np.inf, "minus": -float("inf"), "decimal": Decimal("1.5"), "int64": np.int64(7)}
        bad = {"text": "0.5", "none": None, "long": np.zeros(3), "many": torch.zeros(2, 2), "list": [1], "": 1, "complex": 1j}
        for _ in range(2):
            run.log_metrics({**good, **bad}, step=1)
        run.log_metrics({3: 1.0})
        run.log_metric("loss", 1.0, step="three")
        run.log_metric("loss", 2.0, step=float("nan"))
        """
    )
    record = only()
    assert record["metrics"] == {
        "int": 1, "bool": 1, "np": 0.5, "array": 2, "tensor": 3, "nan": "NaN", "inf": "Infinity", "minus": "-Infinity", "decimal": 1.5, "int64": 7, "loss": 2,
    }  # fmt: skip
    assert done.returncode == 0
    for name, said in {
        "text": "the text '0.5'", "none": "None", "long": "a ndarray of shape (3,)", "many": "a Tensor of shape (2, 2)", "list": "a list",
        "complex": "a complex",
    }.items():  # fmt: skip
        line = f"metric '{name}' is {said}: give one number; it is left out"
        assert line in record["problems"]
        assert done.stderr.count(line) == 1
    assert "a metric cannot be named '': give a text of 1 to 250 characters" in record["problems"]
    assert "a metric cannot be named 3: give a text of 1 to 250 characters" in record["problems"]
    assert "a step is the text 'three': give a finite number; the values are kept without it" in record["problems"]


def test_names_of_metrics_and_steps_may_be_anything(stage, only):
    names = ["train/loss", "a b", "größe", "../../up", "x.y", "tab\there", "/", ".git/config", "ünï/..", "line\nbreak"]
    stage.play(
        f"""
        import exptrack
        run = exptrack.start_run()
        for step in (5, 3, 3, -1, 2.5):
            run.log_metrics(dict.fromkeys({names!r}, step), step=step, epoch=step // 2)
        run.log_metric("plain", 1)
        run.log_metric("plain", 2)
        """
    )
    record = only()
    assert record["metrics"] == nest({**dict.fromkeys(names, 2.5), "plain": 2})
    assert stage.history(record["name"], "train/loss") == [(f"{s}", f"{s}") for s in (5, 3, 3, -1, 2.5)]
    assert stage.history(record["name"], "plain") == [("0", "1"), ("1", "2")]
    paths = stage.witness.git("ls-tree", "-r", "-z", "--name-only", stage.witness.refs()[record["name"]]).split("\0")
    histories = [path for path in paths if path.startswith(".exptrack/history/")]
    assert len(histories) == len(names) + 1
    assert not any(".." in path.split("/") for path in paths)


def test_runs_one_after_the_other_and_one_inside_the_other(stage):
    stage.play(
        """
        import exptrack
        for number in range(2):
            with exptrack.start_run(f"run-{number}"):
                exptrack.log_metric("number", number)
        with exptrack.start_run("outer") as outer:
            with exptrack.start_run("inner", nested=True) as inner:
                exptrack.log_metric("place", 1)
                assert exptrack.active_run() is inner
            exptrack.log_metric("place", 2)
            open("metrics.json", "w").write('{"late": 3}')
        """
    )
    records = stage.await_runs(4)
    assert {name: record["metrics"] for name, record in records.items()} == {
        "run-0": {"number": 0}, "run-1": {"number": 1}, "inner": {"place": 1}, "outer": {"place": 2, "late": 3},
    }  # fmt: skip
    assert {name: record.get("links", {}).get("parent") for name, record in records.items()} == {
        "run-0": None, "run-1": None, "inner": "outer", "outer": None,
    }  # fmt: skip
    assert not any({"concurrent", "ambiguous"} & record.keys() for record in records.values())


def test_a_metric_file_that_a_run_inside_of_another_wrote_may_be_the_other_s_as_well(stage):
    stage.play(
        """
        import exptrack
        with exptrack.start_run("outer"):
            with exptrack.start_run("inner", nested=True):
                open("metrics.json", "w").write('{"a": 1}')
        """
    )
    records = stage.await_runs(2)
    assert not {"concurrent", "ambiguous"} & records["inner"].keys()
    assert (records["outer"]["concurrent"], records["outer"]["ambiguous"]) == (["inner"], ["metrics.json"])


def test_a_second_run_beside_one_that_is_under_way_is_refused(stage, only):
    done = stage.play("import exptrack\nexptrack.start_run('one')\nexptrack.start_run('two')\n")
    assert done.returncode == 1
    assert "run 'one' is under way: end it first, or start one inside of it with nested=True" in done.stderr
    assert only()["name"] == "one"


def test_a_name_is_taken_once(stage, only):
    stage.play("import exptrack\nexptrack.start_run('one')\n")
    done = stage.play("import exptrack\nexptrack.start_run('one')\n")
    assert done.returncode == 1
    assert "exptrack.errors.NameTakenError: a run named 'one' exists already" in done.stderr
    assert only()["name"] == "one"


def test_without_a_repository_it_says_what_to_do(stage, tmp_path):
    folder = tmp_path / "elsewhere"
    folder.mkdir()
    text = "import exptrack\nexptrack.start_run()\nexptrack.log_metric('loss', 1)\n"
    (folder / "train.py").write_text(text)
    done = stage.play(text, cwd=folder)
    assert done.returncode == 1
    assert "exptrack.errors.RepositoryError: " in done.stderr
    assert "git init" in done.stderr.splitlines()[-1]
    assert "EXPTRACK_DISABLED=1" in done.stderr.splitlines()[-1]
    done = stage.play(text, cwd=folder, env={**os.environ, "EXPTRACK_DISABLED": "1"})
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_disabled_every_call_does_nothing(stage):
    done = stage.play(
        """
        import exptrack, inspect
        with exptrack.start_run("one", params={"a": 1}) as run:
            run.log_metric("loss", "no number")
            run.log_text("text", "name.txt")
            run.log_artifact("no such file")
            exptrack.log_params(3)
            exptrack.set_tags("a", "not one word")
            with exptrack.start_run(nested=True):
                exptrack.set_note("note")
        exptrack.end_run()
        """,
        env={**os.environ, "EXPTRACK_DISABLED": "1"},
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert stage.witness.refs() == {}
    assert not (stage.folder / ".git" / "exptrack").exists()


def test_the_recorder_outlives_ctrl_c_and_a_closed_terminal(stage, only):
    process = stage.start(
        """
        import exptrack, time
        exptrack.start_run()
        exptrack.log_metric("loss", 1)
        print("under way", flush=True)
        time.sleep(600)
        """,
        start_new_session=True,
    )
    assert process.stdout.readline() == "under way\n"
    os.killpg(process.pid, signal.SIGHUP)
    process.communicate()
    assert only()["status"] == KILLED


def test_a_recorder_that_was_killed_loses_nothing(stage, only):
    done = stage.play(
        """
        import exptrack, json, os, pathlib, signal, sys
        run = exptrack.start_run()
        run.log_metric("loss", 1)
        os.kill(json.loads((run.folder / "lock").read_bytes())["pid"], signal.SIGKILL)
        run.log_metric("loss", 2)
        sys.exit(3)
        """
    )
    record = only()
    assert done.returncode == 3
    assert f"recorded {record['name']}, whose recorder had been killed" in done.stderr
    assert (record["status"], record["exit_code"], record["metrics"]) == ("failed", 3, {"loss": 2})


def test_with_both_killed_recover_finds_every_point(stage, only, exptrack):
    done = stage.play(
        """
        import exptrack, json, os, signal
        run = exptrack.start_run()
        for number in range(50):
            run.log_metric("loss", number)
        os.kill(json.loads((run.folder / "lock").read_bytes())["pid"], signal.SIGKILL)
        os.kill(os.getpid(), signal.SIGKILL)
        """
    )
    assert done.returncode == -9
    assert "died" in exptrack("status").stdout
    assert exptrack("recover").returncode == 0
    assert stage.history(only()["name"], "loss") == [(str(number), str(number)) for number in range(50)]


def test_while_the_script_lives_recover_leaves_it_alone(stage, exptrack):
    process = stage.start(
        """
        import exptrack, json, os, signal, sys
        run = exptrack.start_run("one")
        if "kill" in sys.argv:
            os.kill(json.loads((run.folder / "lock").read_bytes())["pid"], signal.SIGKILL)
        print("under way", flush=True)
        sys.stdin.readline()
        """,
        "kill",
        stdin=-1,
    )
    assert process.stdout.readline() == "under way\n"
    until(lambda: "recorder died, command runs" in exptrack("status").stdout)
    assert "has lost its recorder, but its command still runs" in exptrack("recover").stderr
    process.communicate("\n")
    assert stage.await_runs(1)["one"]["status"] == "completed"


def test_stdout_of_the_script_is_its_own(stage, only):
    done = stage.play(
        "import exptrack\nexptrack.start_run()\nprint('hello')\n", env={**os.environ, "EXPTRACK_QUIET": "1"}
    )
    assert (done.stdout, done.stderr) == ("hello\n", "")
    assert only()["status"] == "completed"


def test_a_module_is_recorded_by_the_words_that_started_it(stage, only):
    (stage.folder / "package").mkdir()
    (stage.folder / "package" / "__main__.py").write_text("import exptrack\nexptrack.start_run()\n")
    stage.play("import subprocess, sys\nsubprocess.run([sys.executable, '-m', 'package', 'lr=0.5'], check=True)\n")
    record = only()
    assert record["command"][1:] == ["-m", "package", "lr=0.5"]
    assert record["params"] == {"params.yaml": {"lr": 0.5}}


def test_a_script_that_goes_elsewhere_is_recorded_where_it_was_started(stage, only, tmp_path):
    (stage.folder / "sub").mkdir()
    (tmp_path / "elsewhere").mkdir()
    stage.write(
        f"""
        import exptrack, os
        os.chdir({str(tmp_path / "elsewhere")!r})
        assert exptrack.params() == {{"lr": 0.25}}
        run = exptrack.start_run()
        run.log_metric("loss", 1)
        run.end()
        assert len(run.history("loss")) == 1
        """,
        "sub/go.py",
    )
    done = stage.play(
        "import subprocess, sys\nsubprocess.run([sys.executable, 'go.py'], cwd='sub', check=True)\n",
    )
    assert done.returncode == 0, done.stderr
    record = only()
    assert (record["directory"], record["command"][1:]) == ("sub", ["go.py"])
