"""The conceptual level of `exptrack reproduce`: a run again, held against the baseline of its experiment."""

from __future__ import annotations

import json

import pytest
from experiments import SETTINGS, declare, once


@pytest.fixture
def studied(tmp_path_factory, repository, exptrack):
    """Three seeds of two rates, of which 0.3 is the baseline and 0.1 is better."""
    once(tmp_path_factory, repository, exptrack, (0.1, 0.3))
    return repository


def conceptual(done):
    [found] = json.loads(done.stdout)["reproductions"]
    return found["levels"][3]["answer"], found["levels"][3]["evidence"]


def change(repository, old, new):
    script = repository / "measure.sh"
    script.write_text(script.read_text().replace(old, new))


def test_the_conclusion_stands_and_reproductions_are_no_evidence(exptrack, studied):
    change(studied, "1 - lr", "1.7 - lr")  # counted, such a rerun would be a second baseline
    for _ in range(2):
        assert exptrack("reproduce", "r3-1", "--at", "worktree").returncode == 0
    done = exptrack("reproduce", "r1-1", "--require", "conceptual", "--json")
    assert done.returncode == 0, done.stderr
    answer, (first, record, again) = conceptual(done)
    assert (answer, first) == ("yes", "lr=0.1 beside lr=0.3 is better by accuracy, as on record")
    assert record.startswith("on record: better: accuracy +0.1970 [95% CI ")
    assert "3 vs 3 seeds, Welch p" in record
    assert again == record.replace("on record", "with the rerun")
    assert "conceptual      yes " in exptrack("reproduce", "r3-0").stdout


def test_other_code_may_reproduce_the_conclusion_and_nothing_stronger(exptrack, studied):
    change(studied, "1 - lr", "1.07 - lr")
    done = exptrack("reproduce", "r1-1", "--at", "worktree", "--require", "conceptual", "--json")
    assert done.returncode == 0, done.stdout
    [found] = json.loads(done.stdout)["reproductions"]
    assert found["reached"] == "conceptual"
    assert exptrack("reproduce", "r1-1", "--at", "worktree", "--require", "methodological").returncode == 1
    text = exptrack("reproduce", "r1-1", "--at", "worktree", "--markdown").stdout
    assert "reproduces: conceptual, not exact" in text
    assert "| conceptual | ✓ yes | `lr=0.1` beside `lr=0.3` is better by accuracy, as on record<br>" in text


def test_a_conclusion_that_the_rerun_weakens_is_lost(exptrack, studied):
    change(studied, "1 - lr", "0.4 - lr")
    done = exptrack("reproduce", "r1-1", "--at", "worktree", "--require", "conceptual", "--json")
    assert done.returncode == 1
    answer, (first, *_) = conceptual(done)
    assert answer == "no"
    assert first.startswith("weakened: lr=0.1 beside lr=0.3 is not better any more: accuracy differs by -0.4")
    change(studied, "for word", "exit 7; for word")
    done = exptrack("reproduce", "r3-1", "--at", "worktree", "--json")
    answer, (first, second) = conceptual(done)
    assert answer == "no"
    assert first.startswith("weakened: ")
    assert first.endswith(" failed")
    assert second.startswith("on record: better: accuracy")


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        (SETTINGS.partition("experiments")[0], "the experiment rate is not declared in exptrack.yaml"),
        (SETTINGS.replace("    baseline: {lr: 0.3}\n", ""), "the experiment rate declares no baseline: write one"),
        (SETTINGS.replace("baseline: {lr: 0.3}", "baseline: {lr: 0.2}"), "no baseline: no configuration has lr=0.2"),
        (SETTINGS.replace("baseline: {lr: 0.3}", "baseline: gone"), "no run, branch or commit is named 'gone'"),
        (SETTINGS.replace("lr: 0.3}\n", "lr: 0.3}\n    seeds: 5\n"), "the record draws no conclusion yet: withheld: 3 of 5"),
        (SETTINGS.replace("metric: accuracy", "metric: speed").replace("test:", "speed: maximize\n  test:"), "no run has the metric"),
    ],
)  # fmt: skip
def test_without_a_conclusion_on_record_it_says_what_is_missing(exptrack, studied, settings, said):
    declare(studied, settings)
    answer, (first, *_) = conceptual(exptrack("reproduce", "r1-1", "--json"))
    assert answer == "cannot assess"
    assert said in first


def test_a_rerun_and_a_run_of_no_experiment_conclude_nothing(exptrack, studied):
    assert exptrack("run", "--name", "alone", "--", "sh", "measure.sh", "lr=0.1", "seed=1").returncode == 0
    answer, (line,) = conceptual(exptrack("reproduce", "alone", "--json"))
    assert (answer, line[:27]) == ("cannot assess", "the run is of no experiment")
    [found] = json.loads(exptrack("reproduce", "r1-1", "--json").stdout)["reproductions"]
    again = found["reruns"][0]["name"]
    answer, (line,) = conceptual(exptrack("reproduce", again, "--json"))
    assert line == "it is a rerun itself, which no conclusion rests on: reproduce r1-1"
