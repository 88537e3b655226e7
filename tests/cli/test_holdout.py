"""A holdout is measured and sealed: no command shows it, and it stands nowhere but in its own file."""

import json
import re
import subprocess
import sys

import pytest

SETTINGS = r"""
metrics:
  accuracy: maximize
  test.accuracy: {goal: maximize, holdout: true}
capture:
  patterns: ['test (?P<test__accuracy>\S+)', 'step (?P<step>\d+) loss (?P<loss>\S+)']
"""
TRAIN = """import json, pathlib
lr = float(pathlib.Path("params.yaml").read_text().split(":")[1])
print("step 1 loss 0.5")
print("test 0.8125 of the end")
print("test 0.84375,")
pathlib.Path("metrics.json").write_text(json.dumps({"accuracy": 1 - lr, "test": {"accuracy": 0.90625, "size": 10}}))
"""
SECRETS = ("0.8125", "0.84375", "0.90625")


@pytest.fixture
def recorded(repository, exptrack, git):
    (repository / "exptrack.yaml").write_text(SETTINGS)
    (repository / "train.py").write_text(TRAIN)
    git("add", ".", cwd=repository)
    git("commit", "--quiet", "-m", "second", cwd=repository)
    for name in ("one", "two"):
        done = exptrack("run", "--name", name, "--", sys.executable, "train.py")
        assert done.returncode == 0, done.stderr
    return git("for-each-ref", "--format=%(refname)", "refs/exptrack/runs", cwd=repository).split()[0]


def test_it_lies_in_its_own_file_and_nowhere_else(repository, recorded, git):
    paths = git("ls-tree", "-r", "--name-only", recorded, cwd=repository).split("\n")
    holding = [
        path for path in paths if any(one in git("show", f"{recorded}:{path}", cwd=repository) for one in SECRETS)
    ]
    assert holding == [".exptrack/holdout.json", "train.py"]
    assert not any(one in git("log", "-1", "--format=%B", recorded, cwd=repository) for one in SECRETS)
    found = json.loads(git("show", f"{recorded}:.exptrack/holdout.json", cwd=repository))
    assert found["metrics"] == {"test": {"accuracy": 0.90625}}
    assert [point[1:] for point in found["history"]["test.accuracy"]] == [[0, 0.8125], [1, 0.84375]]
    assert json.loads(git("show", f"{recorded}:metrics.json", cwd=repository)) == {
        "accuracy": 0.75,
        "loss": 0.5,
        "test": {"size": 10},
    }
    record = json.loads(git("show", f"{recorded}:.exptrack/run.json", cwd=repository))
    assert record["sealed"] == ["test.accuracy"]
    log = git("show", f"{recorded}:.exptrack/output.log", cwd=repository)
    assert "test sealed of the end" in log


@pytest.mark.parametrize(
    ("words", "is_named"),
    [
        (("ls",), True),
        (("ls", "--all-columns"), True),
        (("ls", "--csv"), True),
        (("ls", "--json"), True),
        (("ls", "metrics.test.accuracy > 0"), True),
        (("ls", "--sort", "-metrics.test.accuracy"), True),
        (("show", "one"), True),
        (("show", "one", "--all"), True),
        (("show", "one", "--json"), True),
        (("show", "one", "--output"), True),
        (("log",), True),
        (("diff", "one", "two"), True),
        (("diff", "one", "two", "--json"), True),
        (("diff", "one", "two", "one"), True),
        (("diff", "one", "."), True),
        (("diff", "HEAD", "one"), False),
        (("diff", "none", "one"), True),
        (("diff", "none", "one", "--json"), True),
        (("diff", "none", "one", "--markdown"), True),
        (("diff", "none", "one", "two"), True),
        (("show", "one", "--history", "test.accuracy"), True),
        (("show", "one", "--file", ".exptrack/holdout.json"), True),
        (("show", "one", "--file", "./.exptrack/../.exptrack//holdout.json"), True),
        (("fsck",), False),
    ],
)
def test_no_command_shows_it(recorded, exptrack, words, is_named):
    if "none" in words:
        assert exptrack("run", "--name", "none", "--", "true").returncode == 0
    done = exptrack(*words)
    said = done.stdout + done.stderr
    is_refused = {"--history", "--file", "--sort", "metrics.test.accuracy > 0"} & {*words}
    assert done.returncode == (2 if is_refused else 0), said
    assert not any(one in said for one in SECRETS), said
    assert ("sealed" in said) is is_named, said


def test_a_frame_and_a_live_run_do_not_have_it(repository, recorded, exptrack):
    code = (
        "from exptrack import Project; frame = Project().to_dataframe(); print(frame['metrics.test.accuracy'].tolist())"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=repository, capture_output=True, text=True, check=False)
    assert done.stdout == "['sealed', 'sealed']\n", done.stderr
    look = "print('test 0.5625', flush=True); import subprocess, sys; print(subprocess.run([sys.executable, '-m', 'exptrack', 'status'], capture_output=True, text=True).stdout)"
    done = exptrack("run", "--", sys.executable, "-u", "-c", look)
    assert "running" in done.stdout
    assert not re.search(r"test.accuracy=", done.stdout)


def test_a_rerun_is_compared_by_it_and_does_not_show_it(repository, recorded, exptrack, git):
    assert exptrack("reproduce", "one", "--require", "exact").returncode == 0
    (repository / "train.py").write_text(TRAIN.replace("0.90625", "0.9375"))
    git("commit", "--quiet", "-am", "other", cwd=repository)
    done = exptrack("reproduce", "one", "--at", "HEAD", "--require", "exact")
    assert done.returncode == 1
    assert "test.accuracy (holdout) differs" in done.stdout
    said = _without_output(done)
    assert not any(one in said for one in (*SECRETS, "0.9375")), said


def test_what_was_sealed_stays_so_when_the_declaration_goes(repository, recorded, exptrack):
    (repository / "exptrack.yaml").write_text("")
    for words in (("ls",), ("show", "one"), ("diff", "one", "two"), ("reproduce", "one")):
        said = _without_output(exptrack(*words))
        assert not any(one in said for one in SECRETS), said
    assert [one.get("sealed") for one in json.loads(exptrack("ls", "--json").stdout)] == [["test.accuracy"]] * 3


def _without_output(done):
    """What exptrack says, without what the command prints while it runs."""
    return "\n".join(line for line in (done.stdout + done.stderr).split("\n") if not line.startswith("test "))


def test_the_work_tree_can_be_replaced_since_the_run_has_all_of_it(repository, recorded, exptrack):
    done = exptrack("apply", "two")
    assert done.returncode == 0, done.stderr
    assert json.loads((repository / "metrics.json").read_text())["test"] == {"size": 10}


def test_the_holdout_of_an_experiment_is_one_of_the_project(repository, exptrack, git):
    (repository / "exptrack.yaml").write_text("experiments: {rate: {metric: loss, holdout: accuracy}}\n")
    assert exptrack("run", "--name", "one", "--", sys.executable, "train.py").returncode == 0
    found = exptrack("show", "one", "--json").stdout
    assert json.loads(found)["sealed"] == ["accuracy"]
    assert json.loads(found)["metrics"] == {}


def test_no_experiment_is_judged_by_a_holdout(repository, exptrack):
    (repository / "exptrack.yaml").write_text(
        "metrics: {accuracy: {goal: maximize, holdout: true}}\nexperiments: {rate: {metric: accuracy}}\n"
    )
    done = exptrack("ls")
    assert done.returncode == 2
    assert done.stderr == (
        "exptrack: exptrack.yaml: 'experiments.rate.metric' must be another metric: accuracy is a holdout, which nothing is chosen by\n"
    )


def test_a_dead_run_is_recovered_sealed(repository, exptrack, git):
    (repository / "exptrack.yaml").write_text(SETTINGS)
    die = "import os, signal; print('test 0.8125', flush=True); import time; time.sleep(0.5); os.kill(os.getppid(), signal.SIGKILL)"
    exptrack("run", "--name", "dead", "--", sys.executable, "-u", "-c", die)
    assert exptrack("recover").returncode == 0
    ref = git("for-each-ref", "--format=%(refname)", "refs/exptrack/runs", cwd=repository)
    assert json.loads(git("show", f"{ref}:.exptrack/holdout.json", cwd=repository))["metrics"] == {
        "test": {"accuracy": 0.8125}
    }
    assert "sealed" in exptrack("show", "dead").stdout
    assert "0.8125" not in git("show", f"{ref}:.exptrack/output.log", cwd=repository)


def test_a_pipeline_seals_what_git_holds_and_tells_what_dvc_caches(repository, exptrack, dvc, git):
    (repository / "exptrack.yaml").write_text("metrics: {loss: minimize, test: {holdout: true}}\n")
    (repository / "stage.py").write_text(
        "import json\n"
        "json.dump({'loss': 0.5, 'test': 0.90625}, open('plain.json', 'w'))\n"
        "json.dump({'more': {'test': 0.8125}, 'test': 0.90625}, open('cached.json', 'w'))\n"
    )
    (repository / "dvc.yaml").write_text(
        "stages:\n  train:\n    cmd: python stage.py\n    deps: [stage.py]\n"
        "    metrics: [{plain.json: {cache: false}}, cached.json]\n"
    )
    dvc("init", "--quiet")
    git("add", ".", cwd=repository)
    git("commit", "--quiet", "-m", "pipeline", cwd=repository)
    done = exptrack("run", "--name", "piped", cwd=repository)
    assert done.returncode == 0, done.stderr
    assert "plain.json is recorded without its holdout, so DVC will take it for changed" in done.stderr
    assert "cached.json is in the DVC cache, holdout and all" in done.stderr
    ref = git("for-each-ref", "--format=%(refname)", "refs/exptrack/runs", cwd=repository)
    assert json.loads(git("show", f"{ref}:plain.json", cwd=repository)) == {"loss": 0.5}
    record = json.loads(exptrack("show", "piped", "--json").stdout)
    assert record["metrics"] == {"more": {"test": 0.8125}, "plain.json": {"loss": 0.5}}
    assert set(record["sealed"]) == {"test", "plain.json.test"}
    assert exptrack("fsck").returncode == 0
    assert exptrack("reproduce", "piped", "--require", "exact").returncode == 0


def test_a_run_without_the_file_that_it_names_is_found(repository, recorded, exptrack, git):
    def drop(path):
        git("read-tree", recorded, cwd=repository)
        git("rm", "--cached", "--quiet", path, cwd=repository)
        tree = git("write-tree", cwd=repository)
        made = git(
            "commit-tree",
            tree,
            "-p",
            f"{recorded}^",
            "-m",
            git("log", "-1", "--format=%B", recorded, cwd=repository),
            cwd=repository,
        )
        git("update-ref", recorded, made, cwd=repository)

    drop(".exptrack/holdout.json")
    done = exptrack("fsck")
    assert done.returncode == 1
    assert "there is no .exptrack/holdout.json in it" in done.stdout
    done = exptrack("reproduce", "one")
    assert done.returncode == 2
    assert "has no .exptrack/holdout.json, and its record names sealed metrics" in done.stderr
