"""What `exptrack check` says of a claimed run beside the one that the base claims: the sentence of `compare`, with the runs it rests on."""

from __future__ import annotations

import json
import shutil

import pytest
from experiments import SCRIPT, SETTINGS
from sharing import Person, clone, make_team

SENTENCE = (
    "better: accuracy +0.1970 [95% CI +0.1890, +0.2050], 3 vs 3 seeds, Welch p<0.0001, by more than min_effect 0.01"
)


class Author(Person):
    """Somebody who records seeds of a rate, and claims runs."""

    def measure(self, rate, count, *options):
        for seed in range(count):
            words = ("sh", "measure.sh", f"lr=0.{rate}", f"seed={seed}")
            self("run", "-q", *options, "--name", f"r{rate}-{seed}", "--", *words)

    def claim(self, name, message="claim"):
        self.git("commit", "--quiet", "--allow-empty", "-m", f"{message}\n\nExptrack-Run: {name} {self.oid(name)}")


@pytest.fixture
def team(tmp_path, repository):
    """Ada on the branch `work`; its base, which declares an experiment, claims a run of the rate 0.3, of which there are three."""
    (repository / "exptrack.yaml").write_text(SETTINGS)
    (repository / "measure.sh").write_text(SCRIPT)
    (repository / "params.yaml").unlink(missing_ok=True)
    remote, ada, _ = make_team(tmp_path, repository)
    return remote, Author(ada.folder, remote)


def begin(ada, *options, count=3):
    """The base's claim and its replicates, then a branch with as many runs of another rate, of which one is claimed."""
    ada.measure(3, count, *options)
    ada.claim("r3-0", "the base")
    ada.git("push", "--quiet", "origin", "main")
    ada.git("switch", "--quiet", "-c", "work")
    ada.measure(1, count, *options)
    ada.claim("r1-0")


def arrive(ada, remote, folder):
    """A fresh clone at the branch, as a CI job has it."""
    ada("push", "--all")
    ada.git("push", "--quiet", "origin", "work")
    other = clone(folder, remote, "Bob")
    other.git("switch", "--quiet", "--detach", "origin/work")
    return other


def test_a_fresh_clone_fetches_the_runs_of_the_experiment_and_says_what_compare_says(team, tmp_path):
    remote, ada = team
    begin(ada, "-e", "rate")
    ada("run", "-q", "--name", "other", "--", "true")
    bob = arrive(ada, remote, tmp_path / "ci")
    done = bob("check", "--markdown", "--report", "report.md")
    said = f"**Beside** `r3-0`, by 6 recorded runs of rate: **better** `{SENTENCE.removeprefix('better: ')}`; seeds"
    assert said in done.stdout
    assert done.stdout.index("**Beside**") < done.stdout.index("**What it changes**")
    assert "7.8" not in done.stdout  # the holdout
    reruns = bob.names() - {f"r{rate}-{seed}" for rate in (1, 3) for seed in range(3)}
    assert len(reruns) == 1
    assert "other" not in reruns
    # The executions of a check are no evidence: once more it is the same.
    text = " ".join(bob("check").stdout.split())
    assert f"beside r3-0, by 6 recorded runs of rate: {SENTENCE}; seeds were not planned: claims found" in text
    [one] = json.loads(bob("check", "--json").stdout)["claims"]
    assert (one["compared"]["runs"], one["compared"]["verdict"]["line"]) == (6, SENTENCE)
    # What came makes the weaker levels of what is executed again known, too.
    assert [level["answer"] for level in one["reproduction"]["levels"]][2:] == ["yes", "yes"]


def test_without_an_experiment_the_runs_that_are_here_are_grouped(team):
    _, ada = team
    begin(ada)
    [one] = json.loads(ada("check", "main..HEAD", "--json").stdout)["claims"]
    assert one["compared"]["verdict"]["line"] == SENTENCE
    assert (one["compared"]["baseline"], one["compared"]["metric"], one["compared"]["experiment"]) == (
        "r3-0",
        "accuracy",
        None,
    )


@pytest.mark.parametrize(
    ("metric", "count", "claimed"), [("accuracy", 1, "r1-0"), ("speed", 2, "r1-0"), ("accuracy", 2, "r3-1")]
)
def test_where_nothing_can_be_compared_the_check_is_as_ever(team, metric, count, claimed):
    _, ada = team
    settings = SETTINGS.replace("metric: accuracy", f"metric: {metric}").replace("test:", "speed: maximize\n  test:")
    (ada.folder / "exptrack.yaml").write_text(settings)
    ada.git("commit", "--quiet", "--all", "-m", "settings")
    begin(ada, "-e", "rate", count=count)
    ada.git("reset", "--quiet", "--hard", "main")
    ada.claim(claimed)
    [one] = json.loads(ada("check", "main..HEAD", "--json").stdout)["claims"]
    assert (one["verdict"], one["compared"]) == ("holds", None)


def test_a_remote_that_is_gone_costs_the_comparison_nothing_but_runs(team, tmp_path):
    remote, ada = team
    begin(ada, "-e", "rate")
    bob = arrive(ada, remote, tmp_path / "ci")
    bob("fetch", "--name", "r1")
    bob("fetch", "--name", "r3-0")
    shutil.rmtree(remote.bare)
    assert "Beside" not in bob("check", "--markdown").stdout
