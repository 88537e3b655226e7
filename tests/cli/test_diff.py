"""`exptrack diff`."""

from __future__ import annotations

import sys

PYTHON = sys.executable
WRITE = "import sys; open('metrics.json', 'w').write(sys.argv[1])"


def test_parameters_metrics_and_code_are_compared(exptrack, repository, git):
    (repository / "params.yaml").write_text("lr: 0.25\ndepth: 3\n")
    exptrack("run", "--name", "one", "--", PYTHON, "-c", WRITE, '{"accuracy": 0.5, "loss": 2}', "--only-old", "1")
    (repository / "train.py").write_text("print('edited')\n")
    exptrack("run", "--name", "two", "--", PYTHON, "-c", WRITE, '{"accuracy": 0.75, "auc": 1}', "lr=0.5")
    done = exptrack("diff", "one", "two")
    assert (done.returncode, done.stderr) == (0, "")
    values, code = done.stdout.split("\n\ncode:\n")
    assert values == (
        "one → two\n"
        "\n"
        "parameters:\n"
        "  key       old   new\n"
        "  lr        0.25  0.5\n"
        "  only-old  1\n"
        "\n"
        "metrics:\n"
        "  key       old  new   delta\n"
        "  accuracy  0.5  0.75  +0.25\n"
        "  auc            1\n"
        "  loss      2"
    )
    expected = git("diff", _snapshot(git, repository, "one"), _snapshot(git, repository, "two"), cwd=repository)
    assert code.strip() == expected
    assert "+print('edited')" in code


def _snapshot(git, repository, name: str) -> str:
    return git("for-each-ref", "--format=%(refname)", f"refs/exptrack/runs/*/{name}", cwd=repository) + "^"


def test_equal_runs_have_no_difference(exptrack):
    exptrack("run", "--name", "one", "--", "true")
    exptrack("run", "--name", "two", "--", "true")
    assert exptrack("diff", "one", "two").stdout == "one → two\n\nno difference in parameters, metrics or code\n"


def test_a_run_that_is_not_there_is_named(exptrack):
    exptrack("run", "--name", "one", "--", "true")
    done = exptrack("diff", "one", "nothing")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "exptrack: no run is named 'nothing'; `exptrack ls` lists them\n"
