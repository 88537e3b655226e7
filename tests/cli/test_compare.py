"""`exptrack compare`."""

from __future__ import annotations

import csv
import io
import json
import re
import subprocess
import sys

import pytest
from studies import Study

from exptrack.cli.compare import judge
from exptrack.model.comparison import Word
from exptrack.model.run import Status

PYTHON = sys.executable
LOW, HIGH = [0.80, 0.81, 0.79, 0.805], [0.90, 0.91, 0.89, 0.905]


@pytest.fixture
def study(repository, git):
    made = Study(repository, git)
    made.declare("metrics:\n  accuracy: {goal: maximize, min_effect: 0.02}\n")
    return made


def test_each_configuration_has_a_line_and_its_verdict_a_sentence(study, exptrack):
    study.fill({"lr": 0.1, "depth": 3}, LOW)
    study.fill({"lr": 0.2, "depth": 3}, HIGH)
    study.add({"lr": 0.2, "depth": 3, "seed": 9}, {}, status=Status.FAILED)
    done = exptrack("compare", "-m", "accuracy", "-b", "lr=0.1")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == (
        "accuracy (maximize, smallest effect that matters 0.02): 2 configurations, 9 runs, baseline lr=0.1\n"
        "\n"
        "all have depth=3\n"
        "\n"
        "configuration                 n    mean      SD     min  median     max  0.7877             0.9148\n"
        "lr=0.2             4 (1 failed)  0.9012  0.0085  0.8900  0.9025  0.9100    │                ├──●─┤  withheld\n"
        "lr=0.1 (baseline)             4  0.8013  0.0085  0.7900  0.8025  0.8100  ├─●──┤\n"
        "\n"
        "lr=0.2\n"
        "  withheld: more failures (1 of 5 against 0 of 4); accuracy +0.100 [+0.085, +0.115]; 4 vs 4 seeds, Welch p<0.0001\n"
        "    failed: 1 of 5 against 0 of 4 (Fisher p=1)\n"
        "    lr=0.1: no failure in 4 runs, so its rate of failures is below 53% (95% limit)\n"
        "    runs failed: what is said holds for those that completed\n"
        "\n"
        "- configurations tried: 2; the best of 2 configurations looks 0.0024 better by noise alone\n"
    )


def test_runs_of_a_script_are_compared_as_they_were_recorded(exptrack, repository):
    (repository / "exptrack.yaml").write_text("metrics: {accuracy: maximize}\n")
    (repository / "train.py").write_text(
        "import json, random, sys\n"
        "given = dict(word.split('=') for word in sys.argv[1:])\n"
        "random.seed(int(given['seed']))\n"
        "value = {'wide': 0.9, 'narrow': 0.7}[given['model']] + random.gauss(0, 0.01)\n"
        "json.dump({'accuracy': value}, open('metrics.json', 'w'))\n"
    )
    for model in ("wide", "narrow"):
        for seed in range(3):
            assert exptrack("run", "--", PYTHON, "train.py", f"model={model}", f"seed={seed}").returncode == 0
    done = exptrack("compare", "--baseline", "model=narrow", "--exit-code")
    assert (done.returncode, done.stderr) == (0, "")
    assert "better: accuracy +0.200 [95% CI " in done.stdout
    assert exptrack("compare", "--baseline", "model=wide", "--exit-code").returncode == 1
    assert exptrack("compare", "--exit-code").returncode == 4


@pytest.mark.parametrize(
    ("words", "status"),
    [
        ([], 4),
        ([Word.BETTER, Word.EQUIVALENT], 0),
        ([Word.BETTER, Word.WORSE], 1),
        *(([Word.BETTER, word], 4) for word in Word if word not in {Word.BETTER, Word.EQUIVALENT, Word.WORSE}),
    ],
)
def test_the_exit_status_of_verdicts(words, status):
    assert judge(words) == status


def test_json_lists_the_runs_that_a_verdict_used(study, exptrack):
    study.fill({"lr": 0.1}, LOW)
    study.fill({"lr": 0.2}, HIGH)
    done = exptrack("compare", "-m", "accuracy", "-b", "lr=0.1", "--json")
    given = json.loads(done.stdout)
    assert [one["runs"] for one in given["configurations"]] == [
        [f"run-00{number}" for number in range(start, start + 4)] for start in (5, 1)
    ]
    assert given["verdicts"][0]["word"] == "better"


def test_csv_has_a_line_for_each_configuration_in_full_precision(study, exptrack):
    study.fill({"lr": 0.1, "tag": "=1+1"}, LOW)
    study.fill({"lr": 0.2, "tag": "b"}, HIGH)
    done = exptrack("compare", "-m", "accuracy", "-b", "lr=0.1", "--csv")
    rows = list(csv.DictReader(io.StringIO(done.stdout)))
    assert [(row["word"], row["n"], row["baseline"], row["params.tag"]) for row in rows] == [
        ("better", "4", "false", "b"),
        ("", "4", "true", "'=1+1"),
    ]
    assert float(rows[0]["mean"]) == pytest.approx(0.90125, abs=1e-15)


def test_markdown_shows_names_from_outside_as_code(study, exptrack):
    study.fill({"model": "<b>|@ada"}, LOW)
    study.fill({"model": "plain"}, HIGH)
    done = exptrack("compare", "-m", "accuracy", "-b", "model=plain", "--markdown")
    assert done.returncode == 0
    assert r"| `model=<b>\|@ada` | 4 |" in done.stdout
    assert "| `model=plain` (baseline) | 4 |" in done.stdout
    assert "- `model=<b>|@ada`: **worse** `accuracy -0.100 [95% CI -0.115, -0.085], 4 vs 4 seeds" in done.stdout


def test_control_characters_are_shown_and_not_obeyed(study, exptrack):
    study.fill({"model": "\x1b[2Jred"}, LOW)
    study.fill({"model": "plain"}, HIGH)
    for form in ((), ("--markdown",), ("--csv",), ("--json",)):
        assert "\x1b" not in exptrack("compare", "-m", "accuracy", "-b", "model=plain", *form).stdout


def test_a_plot_has_every_run_and_is_the_same_each_time(study, exptrack, repository):
    pytest.importorskip("matplotlib")
    study.fill({"lr": 0.1}, LOW)
    study.fill({"lr": "$x$"}, HIGH)
    pictures = []
    for name in ("one.svg", "two.svg", "three.png"):
        done = exptrack("compare", "-m", "accuracy", "-b", "lr=0.1", "--plot", name)
        assert (done.returncode, done.stderr) == (0, "")
        pictures.append((repository / name).read_bytes())
    assert pictures[0] == pictures[1]
    assert b"lr=$x$" in pictures[0]
    assert pictures[2].startswith(b"\x89PNG")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--plot", "x.pdf"), "'x.pdf' is no plot: give a file that ends with .svg or .png"),
        (("--plot", "no/x.svg"), "the folder of 'no/x.svg' is not there: make it first"),
        (("--alpha", "x"), "argument --alpha: 'x' is no number; see `exptrack compare --help`"),
        (
            ("--step", "x"),
            "argument --step: 'x' is not final, best or the number of a step; see `exptrack compare --help`",
        ),
        (
            ("--step", "nan"),
            "argument --step: 'nan' is not final, best or the number of a step; see `exptrack compare --help`",
        ),
        (("--alpha", "1e-300"), "alpha 1e-300 makes no sense: give a number from 0.000001 and below 0.5, such as 0.05"),
        (("--group-by", ","), "no parameter is named: give names with commas between, such as params.lr,params.depth"),
        (("-m", "acc"), "no run has the metric 'acc': there is accuracy"),
        (("params.lr", "=", "0.1"), "a query is one word, so quote it: exptrack compare 'params.lr = 0.1'"),
        (("nobody",), "no run, branch or commit is named 'nobody'; `exptrack ls` lists them"),
    ],
)
def test_bad_input_is_one_line(study, exptrack, words, said):
    study.fill({"lr": 0.1}, LOW)
    done = exptrack("compare", *words)
    assert (done.returncode, done.stdout, done.stderr) == (2, "", f"exptrack: {said}\n")


def test_two_thousand_configurations_have_a_plain_answer(study, exptrack):
    names = {"accuracy": [0.5, 0.6]}
    lines = []
    for place in range(2000):
        record = json.dumps(
            {
                "schema": 1, "name": f"r{place}", "status": "completed", "started": "2026-01-05T08:00:00Z",
                "params": {"params.yaml": {"lr": place}}, "metrics": {"accuracy": names["accuracy"][place % 2]},
            }
        )  # fmt: skip
        lines.append(
            f"commit refs/exptrack/runs/2026-01/r{place}\ncommitter A <a@b> 1767600000 +0000\ndata 1\nx\nfrom refs/heads/main^0\n"
            f"M 100644 inline .exptrack/run.json\ndata {len(record)}\n{record}\n"
        )
    stream = "".join(lines)
    subprocess.run(["git", "fast-import", "--quiet"], cwd=study.folder, input=stream, text=True, check=True)
    done = exptrack("compare", "-m", "accuracy", "-b", "lr=0")
    assert (done.returncode, done.stderr) == (0, "")
    assert "2,000 configurations" in done.stdout
    assert re.search(r"1,979 more verdicts: 1,979 not enough runs", done.stdout)
    assert "p=" not in done.stdout
