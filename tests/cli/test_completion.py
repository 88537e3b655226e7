"""`exptrack completion`: the scripts are asked as the shells ask them."""

from __future__ import annotations

import shutil
import subprocess

import pytest

from exptrack.cli import COMMANDS

# Prints what bash would offer for the words given, of which the last is the one that is typed.
ASK = """\
source "$1"; shift; entry=$1; shift
COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1))
"$entry"
printf '%s\\n' "${COMPREPLY[@]}"
"""
# zsh has no way to ask without a terminal; there completion is taken at its word, and only the functions are tried.
ZSH = """\
compadd() { shift; print -rl -- "$@" }
_arguments() {}
source "$1"; shift; "$@"
"""


@pytest.fixture
def script(exptrack, tmp_path):
    def write(shell):
        done = exptrack("completion", shell)
        assert (done.returncode, done.stderr) == (0, "")
        path = tmp_path / f"completion.{shell}"
        path.write_text(done.stdout)
        return path

    return write


@pytest.fixture
def offers(script, repository):
    path = script("bash")

    def ask(*words, entry="_shtab_exptrack", cwd=repository):
        done = subprocess.run(
            ["bash", "--norc", "-c", ASK, "bash", path, entry, *words],
            cwd=cwd, capture_output=True, text=True, check=True,
        )  # fmt: skip
        assert done.stderr == ""
        return done.stdout.split()

    return ask


@pytest.fixture
def runs(exptrack):
    for name in ("brave-otter-k3f9", "brave-newt", "calm-fox"):
        assert exptrack("run", "--name", name, "--", "true").returncode == 0
    return ["brave-newt", "brave-otter-k3f9", "calm-fox"]


@pytest.mark.parametrize(
    ("typed", "offered"),
    [
        ("exptrack sh", ["show"]),
        ("exptrack --no-pager sh", ["show"]),
        ("exptrack ls --js", ["--json"]),
        ("exptrack ls --so", ["--sort"]),
        ("exptrack diff --only me", ["metrics"]),
        ("exptrack completion z", ["zsh"]),
        ("exptrack run -- python tr", ["train.py"]),
        ("exptrack run -o tr", ["train.py"]),
    ],
)
def test_bash_is_offered(offers, typed, offered):
    assert offers(*typed.split()) == offered


def test_bash_is_offered_every_command(offers):
    assert set(offers("exptrack", "")) == set(COMMANDS)


@pytest.mark.parametrize(
    "typed", ["show br", "diff calm-fox br", "tag best calm-fox br", "note br", "show --json br", "log br"]
)
def test_a_rev_is_completed_with_the_names_of_runs(offers, runs, typed):
    assert offers("exptrack", *typed.split()) == ["brave-newt", "brave-otter-k3f9"]


def test_the_names_are_those_of_the_folder_that_the_command_looks_at(offers, runs, repository, tmp_path):
    assert offers("exptrack", "show", "", cwd=tmp_path) == []
    assert offers("exptrack", "-C", str(repository), "show", "", cwd=tmp_path) == runs
    assert offers("exptrack", "-C", str(tmp_path), "-C", "project", "show", "ca", cwd="/") == ["calm-fox"]


def test_a_side_of_a_diff_may_also_be_a_branch(offers, runs, repository, git):
    git("branch", "calm/sea", cwd=repository)
    assert offers("exptrack", "diff", "calm") == ["calm-fox", "calm/sea"]
    assert offers("exptrack", "diff", "calm-fox", "ma") == ["main"]
    assert offers("exptrack", "show", "calm/") == []


def test_log_is_completed_with_runs_and_branches_also_at_the_end_of_a_range(offers, runs, git, repository):
    git("branch", "calm/sea", cwd=repository)
    assert offers("exptrack", "log", "") == [*runs, "calm/sea", "main"]
    assert offers("exptrack", "log", "--oneline", "calm") == ["calm-fox", "calm/sea"]
    assert offers("exptrack", "log", "main..calm") == ["main..calm-fox", "main..calm/sea"]
    assert offers("exptrack", "log", "..ma") == ["..main"]


DECLARED = """\
# experiments:
metrics:
  accuracy: {goal: maximize}
  "val/loss": minimize
  # note: no metric
experiments:
    rate:
        metric: accuracy
        variables: {lr: [0.1]}
    depth-2: {metric: val/loss}
    $(touch${IFS}hacked): {}
seed: seed
"""


@pytest.mark.parametrize(
    ("typed", "offered"),
    [
        ("run -e ", ["rate", "depth-2"]),
        ("compare -e r", ["rate"]),
        ("select --experiment d", ["depth-2"]),
        ("experiments ", ["rate", "depth-2"]),
        ("compare --metric ", ["accuracy", "val/loss"]),
        ("show --history v", ["val/loss"]),
        ("run --seed ", []),
        ("compare --alpha ", []),
    ],
)
def test_experiments_and_metrics_are_those_that_are_declared(offers, repository, typed, offered):
    (repository / "exptrack.yaml").write_text(DECLARED)
    below = repository / "deep" / "er"
    below.mkdir(parents=True)
    assert offers("exptrack", *typed.split(" "), cwd=below) == offered
    assert not (below / "hacked").exists()


def test_the_nearest_declaration_counts_and_none_is_needed(offers, repository, tmp_path):
    assert offers("exptrack", "run", "-e", "") == []
    (repository / "exptrack.yaml").write_text(DECLARED)
    (repository / "inner").mkdir()
    (repository / "inner" / "exptrack.yaml").write_text("experiments:\n  other:\n    metric: loss\n")
    assert offers("exptrack", "-C", str(repository / "inner"), "run", "-e", "", cwd=tmp_path) == ["other"]
    assert offers("exptrack", "run", "-e", "", cwd=tmp_path) == []


def test_runs_and_branches_are_offered_where_they_are_compared_and_claimed(offers, runs):
    assert offers("exptrack", "compare", "ca") == ["calm-fox"]
    assert offers("exptrack", "compare", "-b", "ma") == ["main"]
    assert offers("exptrack", "push", "ca") == ["calm-fox"]
    assert offers("exptrack", "check", "main..ca") == ["main..calm-fox"]
    assert offers("exptrack", "fetch", "--name", "ca") == []


def test_what_is_typed_before_a_range_is_not_obeyed(offers, runs, repository):
    assert offers("exptrack", "log", "$(touch${IFS}hacked)..ma") == []
    assert not (repository / "hacked").exists()


def test_git_asks_for_its_command_exptrack(offers, runs):
    ask = {"entry": "_git_exptrack"}
    assert offers("git", "exptrack", "sh", **ask) == ["show"]
    assert offers("git", "--no-pager", "exptrack", "show", "ca", **ask) == ["calm-fox"]


@pytest.mark.parametrize("name", ["br$(touch${IFS}hacked)", "br`touch${IFS}hacked`", "br;touch${IFS}hacked"])
def test_a_ref_that_a_shell_would_obey_is_not_offered(offers, runs, repository, git, name):
    git("update-ref", f"refs/exptrack/runs/2026-01/{name}", "HEAD", cwd=repository)
    assert offers("exptrack", "show", "br") == ["brave-newt", "brave-otter-k3f9"]
    assert not (repository / "hacked").exists()


@pytest.mark.skipif(shutil.which("zsh") is None, reason="zsh is not installed")
def test_zsh_lists_runs(script, runs, repository):
    done = subprocess.run(
        ["zsh", "-f", "-c", ZSH, "zsh", script("zsh"), "_exptrack_runs"],
        cwd=repository, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert done.stdout.split() == runs


@pytest.mark.skipif(shutil.which("zsh") is None, reason="zsh is not installed")
@pytest.mark.parametrize(
    ("kind", "offered"), [("experiments", ["rate", "depth-2"]), ("metrics", ["accuracy", "val/loss"])]
)
def test_zsh_lists_what_is_declared(script, repository, kind, offered):
    (repository / "exptrack.yaml").write_text(DECLARED)
    done = subprocess.run(
        ["zsh", "-f", "-c", ZSH, "zsh", script("zsh"), f"_exptrack_{kind}"],
        cwd=repository, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert done.stdout.split() == offered


def test_zsh_completes_each_of_many_arguments(script):
    assert '"*:the runs:_exptrack_runs"' in script("zsh").read_text()


@pytest.mark.skipif(shutil.which("tcsh") is None, reason="tcsh is not installed")
def test_tcsh_lists_runs(script, runs, repository):
    lines = f"source {script('tcsh')}\n_exptrack_runs\n"
    done = subprocess.run(["tcsh", "-f"], input=lines, cwd=repository, capture_output=True, text=True, check=True)
    assert done.stdout.split() == runs


def test_another_shell_is_refused(exptrack):
    done = exptrack("completion", "powershell")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("exptrack: argument SHELL: invalid choice: 'powershell'")


def test_it_needs_no_repository(exptrack, tmp_path):
    assert exptrack("completion", "bash", cwd=tmp_path).returncode == 0
