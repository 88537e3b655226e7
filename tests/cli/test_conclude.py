"""`exptrack conclude`: an answer with what it rests on, recorded as a look."""

from __future__ import annotations

import json

import pytest
from experiments import SETTINGS, annotations, declare, measure, once


def conclude(exptrack, *words, status=0):
    done = exptrack("conclude", "-e", "rate", "--json", *words)
    assert (done.returncode, done.stderr) == (status, "")
    return json.loads(done.stdout)


@pytest.fixture
def measured(repository, exptrack, tmp_path_factory):
    once(tmp_path_factory, repository, exptrack, [0.1, 0.3])


def test_a_hypothesis_is_accepted_and_that_is_recorded(measured, repository, exptrack):
    given = conclude(exptrack, "--exit-code")
    assert (given["answer"], given["reason"]) == ("accepted", "lr=0.1 is better than the baseline")
    [verdict] = given["verdicts"]
    assert (verdict["word"], verdict["alpha"]) == ("better", 0.025)
    assert given["look"] == {"number": 1, "alpha": 0.025, "spent": 0.025, "repeated": False}
    [line] = annotations(repository, "r1-0", "conclusion")
    assert annotations(repository, "r3-2", "conclusion") == [line]
    assert {key: line["value"][key] for key in ("experiment", "answer", "alpha", "verdict")} == {
        "experiment": "rate",
        "answer": "accepted",
        "alpha": 0.025,
        "verdict": verdict["line"],
    }


def test_a_worse_candidate_is_rejected(repository, exptrack):
    declare(repository, SETTINGS.replace("baseline: {lr: 0.3}", "baseline: {lr: 0.1}"))
    measure(exptrack, [0.1, 0.3], range(3))
    given = conclude(exptrack, "--exit-code", status=1)
    assert (given["answer"], given["verdicts"][0]["word"]) == ("rejected", "worse")


def test_single_runs_decide_nothing(repository, exptrack):
    declare(repository)
    measure(exptrack, [0.1, 0.3], [0])
    given = conclude(exptrack, "--exit-code", status=4)
    assert (given["answer"], given["look"]["spent"]) == ("not yet", 0)


def test_on_the_same_runs_nothing_new_is_recorded_and_on_new_ones_less_may_be_spent(measured, repository, exptrack):
    first, again = conclude(exptrack), conclude(exptrack)
    assert again["look"] == {"number": 1, "alpha": 0.025, "spent": 0, "repeated": True}
    assert (again["verdicts"], again["time"]) == (first["verdicts"], first["time"])
    assert len(annotations(repository, "r1-0", "conclusion")) == 1
    measure(exptrack, [0.1, 0.3], [3])
    later = conclude(exptrack)
    assert later["look"]["number"] == 2
    assert later["look"]["spent"] == pytest.approx(0.05 / 6)
    assert later["verdicts"][0]["alpha"] == pytest.approx(0.05 / 6)
    assert len(annotations(repository, "r1-0", "conclusion")) == 2


def test_what_was_planned_is_waited_for_and_decided_once(repository, exptrack):
    declare(repository, SETTINGS + "    seeds: 4\n")
    measure(exptrack, [0.1, 0.3], range(3))
    early = conclude(exptrack)
    assert (early["answer"], early["verdicts"][0]["word"], early["look"]["spent"]) == ("not yet", "withheld", 0)
    measure(exptrack, [0.1, 0.3], [3])
    planned = conclude(exptrack)
    assert (planned["answer"], planned["verdicts"][0]["alpha"]) == ("accepted", 0.05)
    measure(exptrack, [0.1, 0.3], [4])
    late = conclude(exptrack)
    assert (late["answer"], late["verdicts"][0]["word"], late["verdicts"][0]["p"]) == ("not yet", "withheld", None)
    assert "nothing of alpha is left" in late["verdicts"][0]["line"]


def test_what_was_selected_is_decided_by_fresh_runs(repository, exptrack, tmp_path_factory):
    once(tmp_path_factory, repository, exptrack, [0.1, 0.2, 0.3])
    assert exptrack("select", "-e", "rate", "--fresh", "3").returncode == 0
    before = conclude(exptrack)
    assert (before["answer"], before["selected"], before["look"]["spent"]) == ("not yet", "lr=0.1", 0)
    measure(exptrack, [0.1, 0.3], [3, 4, 5])
    given = conclude(exptrack)
    [verdict] = given["verdicts"]
    assert (given["answer"], verdict["label"]) == (
        "accepted",
        "lr=0.1",
    )
    assert (verdict["n"], verdict["among"], verdict["alpha"]) == ([3, 3], 1, 0.05)
    assert given["comparison"]["verdicts"] == []


def test_the_report_has_all_that_a_reviewer_asks_for(measured, repository, exptrack):
    measure(exptrack, [0.1], [7], "fail=1")
    assert exptrack("select", "-e", "rate").returncode == 0
    assert exptrack("unseal", "-e", "rate", "--reason", "the paper").returncode == 0
    done = exptrack("conclude", "-e", "rate", "--report", "conclusion.md")
    assert (done.returncode, done.stderr) == (0, "")
    page = (repository / "conclusion.md").read_text()
    assert page == done.stdout
    assert page.startswith("<!-- exptrack conclude -->\n\n### ? `rate`: not yet\n")
    assert "**Hypothesis:** A smaller rate is better." in page
    titles = [line for line in page.splitlines() if line.startswith("####")]
    assert titles == ["#### Design", "#### Runs", "#### Holdout", "#### Threats", "#### Looks"]
    assert "7 runs in 3 configurations" in page  # `fail` is a parameter
    assert "- 1 did not complete, 0 completed without a finite value" in page
    assert "Ada Lovelace: the paper" in page


def test_no_line_on_runs_stands_twice_in_the_report(measured, exptrack):
    again = exptrack("run", "-e", "rate", "--", "sh", "measure.sh", "lr=0.1", "seed=0")
    assert again.returncode == 0, again.stderr
    page = exptrack("conclude", "-e", "rate").stdout
    lines = [line for line in page.splitlines() if line.startswith("- ") and "rerun" in line]
    assert lines == ["- `lr=0.1`: 1 rerun of a seed averaged with it"]


def test_a_small_alpha_is_shared_among_looks_and_what_was_declared_later_is_told_once(measured, repository, exptrack):
    declare(repository, SETTINGS + "    alpha: 0.000001\n")
    given = conclude(exptrack)
    assert (given["answer"], given["look"]["alpha"]) == ("accepted", 5e-7)
    page = exptrack("conclude", "-e", "rate").stdout
    lines = page.splitlines()
    assert any(line.endswith("Welch p<0.0001 (alpha 5e-07), by more than min_effect 0.01`") for line in lines)
    assert [line for line in lines if "declared later" in line] == ["- declared later: alpha: `1e-06`, was 0.05"]


def test_code_and_data_that_differ_are_threats(measured, repository, exptrack, git):
    (repository / "measure.sh").write_text((repository / "measure.sh").read_text() + "# changed\n")
    measure(exptrack, [0.2], range(3))
    given = conclude(exptrack)
    assert any(line.startswith("code of ") and "lr=0.2" in line for line in given["threats"])


def test_a_report_that_cannot_be_written_costs_no_look(measured, repository, exptrack):
    done = exptrack("conclude", "-e", "rate", "--report", "gone/conclusion.md")
    assert (done.returncode, done.stdout) == (2, "")
    assert "cannot be written" in done.stderr
    assert annotations(repository, "r1-0", "conclusion") == []


def test_what_was_only_executed_again_is_told_where_runs_are_counted(measured, exptrack):
    assert exptrack("reproduce", "r1-0").returncode == 0
    page = exptrack("conclude", "-e", "rate").stdout
    runs = page.partition("#### Runs\n\n")[2].partition("\n\n")[0]
    assert runs.splitlines() == [
        "- 6 runs in 2 configurations", "- all completed, with a finite value",
        "- 1 run left out: it executed another run again",
    ]  # fmt: skip
    assert "left out" not in page.partition("#### Threats")[2]
