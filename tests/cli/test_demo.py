"""`exptrack demo`: the main job on real data, and what plain git says of it."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest
from pages import read_blocks, read_steps, shape

MADE: dict[Path, str] = {}


@pytest.fixture
def demo(exptrack, tmp_path):
    """A demo that may only be read: it takes ten seconds, and is made once."""
    if not MADE:
        done = exptrack("demo", tmp_path / "digits", cwd=tmp_path)
        assert done.returncode == 0, done.stdout + done.stderr
        MADE[tmp_path / "digits"] = done.stdout
    [made] = MADE.items()
    return made


def git(folder, *words: str) -> str:
    return subprocess.run(["git", *words], cwd=folder, capture_output=True, text=True, check=True).stdout


def test_plain_git_gives_sensible_answers_afterwards(demo):
    folder, out = demo
    refs = {
        ref.rpartition("/")[2]: ref
        for ref in git(folder, "for-each-ref", "--format=%(refname)", "refs/exptrack").split()
    }
    assert {"shipped", "slow", "wide", "shipped-4", "wide-4", "diverges"} <= set(refs)
    assert git(folder, "log", "--format=%s", refs["wide"]).splitlines() == [
        "wide: model.hidden=64, train.lr=0.3 → accuracy=0.977728",
        "snapshot of wide",
        "Read handwritten digits",
    ]
    results = git(folder, "diff", "--name-only", f"{refs['wide']}^", refs["wide"]).splitlines()
    assert {path for path in results if not path.startswith(".exptrack/")} == {"metrics.json", "params.yaml"}
    assert "digits/model.py" not in results
    assert json.loads(git(folder, "show", f"{refs['wide']}:metrics.json"))["accuracy"] > 0.95
    assert '-  "accuracy"' in git(folder, "diff", refs["slow"], refs["wide"], "--", "metrics.json")
    assert "digits.csv.gz" not in git(folder, "ls-tree", "-r", "--name-only", refs["wide"]).split()
    record = json.loads(git(folder, "show", f"{refs['diverges']}:.exptrack/run.json"))
    assert (record["status"], record["exit_code"]) == ("failed", 1)
    [data] = record["data"]
    assert (data["path"], data["modified"]) == ("data/digits.csv.gz", False)
    for line in ("$ exptrack ls", "$ exptrack diff shipped wide", "$ exptrack show best"):
        assert line in out


def test_the_comparison_is_of_all_planned_seeds_and_comes_to_a_word_as_the_readme_shows(demo):
    _, out = demo
    _, _, compared = out.partition("$ exptrack compare -e wider\n")
    assert compared.startswith(
        "wider: accuracy (maximize, smallest effect that matters 0.005): 2 configurations, 10 runs, "
        "baseline model.hidden=32, train.lr=0.1\n"
    )
    assert "\n  better: accuracy +0.0" in compared
    assert " 5 pairs of seeds, paired t p=0.0" in compared
    came = {shape(line) for line in compared.partition("\n# ")[0].splitlines()}
    blocks = read_blocks(Path(__file__).parents[2] / "README.md")
    [step] = [one for block in blocks for one in read_steps(block.text) if one.command == "exptrack compare -e wider"]
    assert {shape(line) for line in step.shown} - {"…"} <= came


def test_the_example_can_be_copied_alone(exptrack, tmp_path):
    done = exptrack("demo", "--copy", "example", cwd=tmp_path)
    assert (done.returncode, done.stdout) == (0, "")
    assert done.stderr == f"exptrack: copied the example project to {tmp_path / 'example'}\n"
    assert (tmp_path / "example" / "data" / "digits.csv.gz").is_file()
    assert not (tmp_path / "example" / ".git").exists()


def test_work_tree_head_and_index_are_as_before_and_the_one_new_branch_claims_a_run(demo):
    folder, out = demo
    assert git(folder, "status", "--porcelain") == ""
    assert git(folder, "branch", "--all", "--format=%(refname)").split() == [
        git(folder, "symbolic-ref", "HEAD").strip(),
        "refs/heads/wider-layer",
    ]
    assert "1 run is claimed between HEAD and wider-layer: it holds\n\nwide holds: exact; " in out
    assert git(folder, "rev-list", "--count", "HEAD").strip() == "1"
    assert git(folder, "stash", "list") == ""
    git(folder, "fsck", "--strict")


def test_without_an_identity_the_demo_gets_one_of_its_own(exptrack, tmp_path, sealed_world):
    (sealed_world / ".gitconfig").write_text("[user]\n\tuseConfigOnly = true\n")
    done = exptrack("demo", cwd=tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "$ git config user.name 'exptrack demo'" in done.stdout
    assert (tmp_path / "exptrack-demo" / "train.py").exists()
    assert not (sealed_world / ".gitconfig").read_text().count("demo")


def test_a_folder_that_is_not_empty_is_left_alone(exptrack, tmp_path):
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "mine").write_text("mine")
    done = exptrack("demo", "full", cwd=tmp_path)
    assert done.returncode == 2
    assert (
        done.stderr == f"exptrack: {tmp_path / 'full'} is not empty: name a new folder, as in `exptrack demo FOLDER`\n"
    )
    assert [path.name for path in (tmp_path / "full").iterdir()] == ["mine"]
