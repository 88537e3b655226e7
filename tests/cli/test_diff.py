"""`exptrack diff`."""

from __future__ import annotations

import json
import sys

import pytest

PYTHON = sys.executable
WRITE = "import sys; open('metrics.json', 'w').write(sys.argv[1])"


@pytest.fixture
def two(exptrack, repository):
    """Two runs that differ in parameters, metrics and code."""
    (repository / "params.yaml").write_text("lr: 0.25\ndepth: 3\n")
    exptrack("run", "--name", "one", "--", PYTHON, "-c", WRITE, '{"accuracy": 0.5, "loss": 2}', "--only-old", "1")
    (repository / "train.py").write_text("print('edited')\n")
    exptrack("run", "--name", "two", "--", PYTHON, "-c", WRITE, '{"accuracy": 0.75, "auc": 1}', "lr=0.5")


def snapshot(git, repository, name: str) -> str:
    return git("for-each-ref", "--format=%(refname)", f"refs/exptrack/runs/*/{name}", cwd=repository) + "^"


def areas(done) -> set[str]:
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    return {change["area"] for change in found["changes"]} | ({"code"} if found["files"] else set())


@pytest.mark.usefixtures("two")
def test_parameters_metrics_and_code_are_compared(exptrack, repository, git):
    done = exptrack("diff", "one", "two")
    assert (done.returncode, done.stderr) == (0, "")
    values, code = done.stdout.split("\n\ncode:")
    assert values == (
        "one → two\n"
        "\n"
        "parameters:\n"
        "  key       old   new\n"
        "  lr        0.25  0.5\n"
        "  only-old  1     -\n"
        "\n"
        "metrics:\n"
        "  key       old  new   delta  relative\n"
        "  accuracy  0.5  0.75  +0.25  +50.0%\n"
        "  auc       -    1\n"
        "  loss      2    -"
    )
    expected = git("diff", snapshot(git, repository, "one"), snapshot(git, repository, "two"), cwd=repository)
    assert expected in code
    assert "+print('edited')" in code
    assert code.startswith(" 1 file, +1 −3\n  train.py | 4 +---\n")  # noqa: RUF001


def test_equal_runs_have_no_difference(exptrack):
    exptrack("run", "--name", "one", "--", "true")
    exptrack("run", "--name", "two", "--", "true")
    done = exptrack("diff", "one", "two", "--exit-code")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines()[0] == "one → two"
    assert "no difference in parameters, metrics, data, environment or code" in done.stdout


@pytest.mark.usefixtures("two")
def test_the_exit_status_tells_on_request_whether_anything_differs(exptrack):
    assert exptrack("diff", "one", "two").returncode == 0
    assert exptrack("diff", "one", "two", "--exit-code").returncode == 1
    assert exptrack("diff", "one", "two", "--exit-code", "--only", "data").returncode == 0
    assert exptrack("diff", "one", "two", "@", "--exit-code").returncode == 1
    assert exptrack("diff", "one", "one", "one", "--exit-code").returncode == 0


@pytest.mark.usefixtures("two")
def test_only_some_areas(exptrack):
    assert areas(exptrack("diff", "one", "two", "--json")) == {"params", "metrics", "code"}
    assert areas(exptrack("diff", "one", "two", "--json", "--only", "metrics")) == {"metrics"}
    assert areas(exptrack("diff", "one", "two", "--json", "--only", "code,params")) == {"params", "code"}
    assert areas(exptrack("diff", "one", "two", "--json", "--only", "code", "--only", "metrics")) == {"metrics", "code"}
    done = exptrack("diff", "one", "two", "--only", "metrics,colour")
    assert (done.returncode, done.stdout) == (2, "")
    assert "'metrics,colour' is not one of params, metrics, data, environment, code" in done.stderr


@pytest.mark.usefixtures("two")
def test_how_much_differs(exptrack):
    done = exptrack("diff", "one", "two", "--stat")
    assert (done.returncode, done.stderr) == (0, "")
    assert "1 changed, 1 removed" in done.stdout
    assert "train.py" in done.stdout
    assert "+print" not in done.stdout
    assert exptrack("diff", "one", "two", "@", "--stat").stderr == (
        "exptrack: --stat is for two sides: leave it out, or name two\n"
    )


@pytest.mark.usefixtures("two")
def test_without_a_second_side_it_is_the_work_tree(exptrack, repository):
    (repository / "params.yaml").write_text("lr: 0.125\ndepth: 3\n")
    for words in ([], ["@"], ["@", "."], ["two"]):
        assert exptrack("diff", *words).stdout.splitlines()[0] == "two → work tree", words
    done = exptrack("diff", ".", "two", "--only", "params")
    assert done.stdout == ("work tree → two\n\nparameters:\n  key  old    new\n  lr   0.125  0.5\n")
    assert exptrack("diff", "one..two", "--json").stdout == exptrack("diff", "one", "two", "--json").stdout
    assert exptrack("diff", "one..", "--json").stdout == exptrack("diff", "one", "@", "--json").stdout


@pytest.mark.usefixtures("two")
def test_a_branch_or_commit_may_stand_on_either_side(exptrack, git, repository):
    git("tag", "v1", cwd=repository)
    for rev in ("main", "v1", "HEAD", "refs/heads/main"):
        done = exptrack("diff", rev, "two", "--only", "code")
        assert (done.returncode, done.stderr) == (0, ""), rev
        assert "+print('edited')" in done.stdout
        assert "-print('edited')" in exptrack("diff", "two", rev, "--only", "code").stdout


@pytest.mark.usefixtures("two")
def test_three_or_more_give_a_table(exptrack):
    exptrack("run", "--name", "three", "--", PYTHON, "-c", WRITE, '{"accuracy": 1}')
    done = exptrack("diff", "one", "two", "three", "--only", "params,metrics")
    assert (done.returncode, done.stderr) == (0, "")
    rows = [line.split() for line in done.stdout.splitlines()]
    assert ["accuracy", "0.5", "0.75", "1"] in rows
    assert ["lr", "0.25", "0.5", "0.25"] in rows
    assert ["only-old", "1", "-", "-"] in rows
    rows = json.loads(exptrack("diff", "one", "two", "three", "--json").stdout)["rows"]
    assert {row["area"] for row in rows} == {"params", "metrics", "code"}
    assert "| `accuracy`" in exptrack("diff", "one", "two", "three", "--markdown").stdout


@pytest.mark.usefixtures("two")
def test_markdown_and_json_exclude_each_other(exptrack):
    done = exptrack("diff", "one", "two", "--markdown", "--json")
    assert done.returncode == 2
    assert "not allowed with" in done.stderr


def test_a_side_that_is_nothing_is_named(exptrack):
    exptrack("run", "--name", "one", "--", "true")
    done = exptrack("diff", "one", "nothing")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.splitlines()[0].startswith("exptrack: no run, branch or commit is named 'nothing'")
    assert "is named 'mian', did you mean 'main'?" in exptrack("diff", "one", "mian").stderr
    assert exptrack("diff", "one", "one:train.py").returncode == 2
    assert exptrack("diff", "one", "").returncode == 2
    assert exptrack("diff", "one", "--", "-x").returncode == 2


def test_a_repository_without_a_run_says_so(exptrack):
    done = exptrack("diff")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "exptrack: no run yet: make one with `exptrack run`\n"
    assert exptrack("diff", "main", ".").returncode == 0
