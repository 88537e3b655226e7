"""docs/json.md names the keys that `--json` gives."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import time
from pathlib import Path

import pytest
from pages import table
from studies import Study

from exptrack.analysis.codec import encode_environment
from exptrack.analysis.experiments.declaration import KEYS
from exptrack.model.change import Change, Kind
from exptrack.model.collection import Collected, Garbage
from exptrack.model.comparison import Word
from exptrack.model.data import Pointer
from exptrack.model.difference import Area, DataFile, Difference, FileChange, Side, SideKind
from exptrack.model.environment import Environment, Hardware, Platform
from exptrack.model.verification import Check, Severity
from exptrack.render.collection import format_json as format_collected_json
from exptrack.render.differencejson import format_json

PAGE = Path(__file__).parent.parent / "docs" / "json.md"
PYTHON = sys.executable


def keys(mark):
    """All keys of a table, and those that are never missing."""
    rows = [(re.findall(r"`([^`]+)`", row[0]), row[3].strip("| ")) for row in table(PAGE, f"keys: {mark}")]
    return {key for some, _ in rows for key in some}, {
        key for some, missing in rows if missing == "never" for key in some
    }


def check(mark, *mappings):
    """Together the mappings have all keys of the table and no other, and each those that are never missing."""
    every, always = keys(mark)
    assert set().union(*mappings) == every
    for one in mappings:
        assert always <= set(one)


@pytest.fixture
def ask(exptrack, repository, git):
    """Run exptrack in a repository with two runs, and give its JSON."""
    (repository / "exptrack.yaml").write_text("capture:\n  patterns: ['step (?P<step>\\d+) loss (?P<loss>\\S+)']\n")
    script = "for i in range(3): print('step', i, 'loss', 'nan' if i else 0.5)"
    assert exptrack("run", "--name", "one", "-t", "first", "--", PYTHON, "train.py", "--depth", "3").returncode == 0
    (repository / "train.py").write_text(script)
    (repository / "params.yaml").write_text("lr: 0.5\n")
    (repository / "new.py").touch()
    assert exptrack("run", "--name", "two", "-m", "a note", "--", PYTHON, "train.py").returncode == 0
    exptrack("tag", "best", "one")

    def call(*words):
        done = exptrack(*words, "--json")
        assert (done.returncode, done.stderr) == (0, "")
        return json.loads(done.stdout)

    return call


@pytest.mark.parametrize("words", [["ls"], ["log"], ["show", "two"], ["show", "one"]])
def test_runs_are_their_record_and_what_lies_beside_it(ask, exptrack, words):
    given = ask(*words)
    for run in given if isinstance(given, list) else [given]:
        record = json.loads(exptrack("show", run["name"], "--file", ".exptrack/run.json").stdout)
        check("listed", {key: value for key, value in run.items() if key not in record or key == "tags"})
        assert {key: run[key] for key in record if key != "tags"} == {
            key: value for key, value in record.items() if key != "tags"
        }


def test_a_history_is_a_list_of_values(ask, exptrack):
    points = ask("show", "two", "--history", "loss")
    entry = {"kind": "metrics", "time": 1.5, "values": {"loss": 0.25}, "step": 0.5, "epoch": 1}
    script = f"import os; open(os.environ['EXPTRACK_JOURNAL'] + '/stream', 'a').write({json.dumps(entry)!r} + chr(10))"
    assert exptrack("run", "--name", "three", "--", PYTHON, "-c", script).returncode == 0
    with_epoch = ask("show", "three", "--history", "loss")
    assert with_epoch == [{"step": 0.5, "timestamp": 1500, "value": 0.25, "epoch": 1}]
    check("history", *points, *with_epoch)
    assert [(point["step"], point["value"]) for point in points] == [(0, 0.5), (1, "NaN"), (2, "NaN")]


@pytest.mark.parametrize("words", [["show", "two", "--environment"], ["environment", "two"]])
def test_the_environment_is_that_of_the_commit(ask, exptrack, words):
    assert ask(*words) == json.loads(exptrack("show", "two", "--file", ".exptrack/environment.json").stdout)
    assert set(json.loads(encode_environment(Environment(Platform("a", "b", "c"), Hardware())))) <= set(ask(*words))


def test_a_diff_has_these_keys(ask):
    given = ask("diff", "one", "two")
    check("difference", given)
    check("difference", given, ask("diff", "one", "one"))
    assert "patch" not in ask("diff", "one", "two", "--stat")
    check("side", given["old"], given["new"], *(ask("diff", "HEAD", ".")[side] for side in ("old", "new")))
    check("file", *given["files"])
    of_data = {"old_size", "new_size", "old_files", "new_files"}
    assert {key for change in given["changes"] for key in change} == keys("change")[0] - of_data
    assert {change["area"] for change in given["changes"]} == {"params", "metrics"}


def test_a_diff_of_data_has_these_keys():
    pointer = Pointer("data", "ab12.dir", size=1, files=2)
    old, new = (Side(name, SideKind.RUN, "ab", "ab", {}, pointers={"data": pointer}) for name in ("one", "two"))
    files = tuple(DataFile(kind, kind, 1, 2) for kind in Kind)
    given = json.loads(
        format_json(
            Difference(
                old,
                new,
                (
                    Change(Area.DATA, ("data",), Kind.CHANGED, "md5:ab", "md5:cd"),
                    Change(Area.METRICS, ("a",), Kind.ADDED),
                ),
                (FileChange("a", Kind.ADDED),),
                {"data": files},
                skipped={Area.DATA: "why"},
            )
        )
    )
    check("change", *given["changes"])
    check("folder", given["folders"]["data"])
    _, always = keys("folder")
    for kind in always - {"files"}:
        assert set(given["folders"]["data"][kind]) <= {"files", "old_size", "new_size"}
    assert [set(file) for file in given["folders"]["data"]["files"]] == [{"path", "kind", "old_size", "new_size"}] * 3


def test_a_diff_of_three_has_these_keys(ask):
    given = ask("diff", "one", "two", "HEAD")
    check("overview", given)
    check("side", *given["sides"])
    check("row", *given["rows"])
    assert {row["area"] for row in given["rows"]} == {"params", "code"}
    assert set(given["skipped"]) <= set(Area)


def test_a_comparison_has_these_keys(exptrack, repository, git):
    study = Study(repository, git)
    study.declare(
        "metrics:\n  accuracy: maximize\nexperiments:\n  rate:\n    metric: accuracy\n    secondary: [loss]\n"
        "    variables: {lr: [1, 2]}\n    baseline: {lr: 1}\n"
    )
    for seed, value in enumerate((0.5, 0.6, 0.4)):
        for lr in (1, 2):
            study.add({"lr": lr, "seed": seed}, {"accuracy": lr + value, "loss": value * lr}, experiment="rate")
    done = exptrack("compare", "-e", "rate", "--json")
    assert (done.returncode, done.stderr) == (0, "")
    given = json.loads(done.stdout)
    assert set(given) == keys("comparison")[1]  # what lies beside is there if it is asked for
    check("rules", given["rules"])
    check("configuration", *given["configurations"])
    check("verdict", *given["verdicts"], *given["secondary"]["loss"])
    assert {word.value for word in Word} == set(re.findall(r"`([^`]+)`", dict(rows_of("verdict"))["`word`"]))


def test_what_is_looked_at_beside_a_comparison_has_these_keys(exptrack, repository, git, dvc):
    dvc("init", "--quiet")
    (repository / "exptrack.yaml").write_text(
        "seed: seed\nmetrics: {accuracy: maximize}\nexperiments:\n  rate: {metric: accuracy, variables: {lr: [1, 2]}, predictions: p.csv}\n"
    )
    (repository / "train.py").write_text(
        "import json, pathlib\n"
        "pathlib.Path('p.csv').write_text('id,label,prediction\\n1,a,a\\n2,a,b\\n')\n"
        "pathlib.Path('metrics.json').write_text(json.dumps({'accuracy': 0.5}))\n"
    )
    for seed in (1, 2, 3):
        (repository / "params.yaml").write_text(f"lr: 1\nseed: {seed}\n")
        done = exptrack("run", "-e", "rate", "--name", f"s{seed}", "-o", "p.csv", "--", PYTHON, "train.py")
        assert done.returncode == 0, done.stderr
    done = exptrack("compare", "s1", "s2", "--by-parameter", "--predictions", "--json")
    assert (done.returncode, done.stderr) == (0, "")
    given = json.loads(done.stdout)
    assert set(given) == keys("comparison")[0]
    check("association", *given["parameters"])
    check("models", *given["predictions"]["models"])
    assert set(given["predictions"]["models"][0]["gaps"][0]) == {"metric", "first", "second", "difference", "interval"}
    check("split", *given["predictions"]["splits"])
    assert set(given["predictions"]) == {"models", "splits", "notes"}


def rows_of(mark):
    return [(row[0], row[2]) for row in table(PAGE, f"keys: {mark}")]


def test_status_has_these_keys(exptrack):
    done = exptrack("run", "--", PYTHON, "-m", "exptrack", "status", "--json")
    assert done.returncode == 0
    check("status", *json.loads(done.stdout))


def test_plot_has_these_keys(ask):
    given = ask("plot", "two", "-m", "loss")
    check("plot", given)
    check("curve", *given["metrics"][0]["curves"])


def test_a_run_under_way_has_these_keys(exptrack):
    done = exptrack("run", "--name", "one", "--", PYTHON, "-m", "exptrack", "show", "one", "--json")
    given = json.loads(done.stdout)
    check("underway", given)
    assert set(given["progress"]) == {"step", "epoch", "share", "left", "parameter"}


def test_events_have_these_keys(exptrack, repository):
    (repository / "exptrack.yaml").write_text("capture: {system: 0.1, patterns: ['loss (?P<loss>.*)']}\n")
    script = "import os, time\nprint('loss 1', flush=True)\nwhile not os.path.exists('metrics.json'): time.sleep(0.01)"
    command = [PYTHON, "-m", "exptrack", "run", "--name", "one", "--", PYTHON, "-c", script]
    with subprocess.Popen(command, cwd=repository, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as run:
        while not (repository / ".git/exptrack/active/one/start.json").exists():
            assert run.poll() is None
            time.sleep(0.01)
        follow = [PYTHON, "-m", "exptrack", "show", "one", "-f", "--json", "-n", "0.1"]
        with subprocess.Popen(follow, cwd=repository, stdout=subprocess.PIPE, text=True) as reader:
            events, needed = [], {"state", "metrics", "system", "output"}
            for line in reader.stdout:
                events.append(json.loads(line))
                if needed <= {event["event"] for event in events}:
                    (repository / "metrics.json").touch()
    check("event", *events)
    assert {event["event"] for event in events} == {*needed, "recorded"}


def test_experiments_have_these_keys(ask, exptrack, repository):
    (repository / "exptrack.yaml").write_text(
        "experiments: {rate: {metric: loss, variables: {lr: [0.5, 1]}, pair_by: {fold: fold, test_share: 0.25}}}\n"
    )
    exptrack("run", "-e", "rate", "--anyway", "-S", "lr=2", "--", PYTHON, "train.py")
    exptrack("run", "-e", "other", "--", PYTHON, "train.py")
    rate, other = ask("experiments")
    check("experiment", rate, other)
    check("experiment-configuration", *rate["configurations"])
    assert set(rate["outside"][0]) == {"run", "reason"}
    assert set(rate["declared"]) == set(KEYS)
    assert other["declared"] is None
    assert ask("experiments", "rate") == [rate]


def test_fsck_has_these_keys(ask, exptrack, repository, git):
    given = ask("fsck")
    check("verification", given)
    check("verification data", given["data"])
    assert (given["well"], given["runs"], given["findings"]) == (True, 2, [])
    git("update-ref", "refs/exptrack/active/gone", "HEAD", cwd=repository)
    done = exptrack("fsck", "--json")
    assert done.returncode == 1
    check("finding", *json.loads(done.stdout)["findings"])
    for key, words in (("severity", Severity), ("check", Check)):
        [cell] = [row[2] for row in table(PAGE, "keys: finding") if row[0].strip() == f"`{key}`"]
        assert re.findall(r"`([^`]+)`", cell) == list(words)


def test_gc_has_these_keys():
    garbage = Garbage("ab" * 16, 5)
    given = json.loads(format_collected_json(Collected("cache", done=False, largest=(garbage,))))
    check("collected", given)
    check("garbage", *given["largest"])


@pytest.mark.parametrize("command", ["ls", "log", "status"])
def test_nothing_to_list_is_an_empty_list(exptrack, command):
    done = exptrack(command, "--json")
    assert (done.returncode, json.loads(done.stdout)) == (0, [])


@pytest.mark.parametrize("mark", ["side", "change", "file", "row"])
def test_what_is_one_of_some_words_is_named(mark):
    cells = {key: row[2] for row in table(PAGE, f"keys: {mark}") for key in re.findall(r"`([^`]+)`", row[0])}
    for key, words in (("kind", SideKind if mark == "side" else Kind), ("area", Area)):
        if key in cells:
            said = set(re.findall(r"`([^`]+)`", cells[key]))
            assert said == set(words) - ({"code"} if mark == "change" else set())
