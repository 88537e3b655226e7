"""Where the baseline is several configurations, each candidate has its own among them."""

from __future__ import annotations

import pytest
from studies import GOAL, HIGH, LOW, MIDDLE

from exptrack.errors import ExptrackError
from exptrack.model.comparison import Configuration, Rules, Sample, Word
from exptrack.model.experiment import Noise, Pairing
from exptrack.operations.comparing.partners import Bases, check_partners, decide_beside, find_again, find_partners
from exptrack.operations.conclude import conclude
from exptrack.operations.select import select
from exptrack.project import Project


def configuration(label, params, code=""):
    return Configuration(label, params, code, (f"run-{label}",), Sample(label))


def test_a_branch_with_a_sweep_is_compared_value_by_value(study, ask, repository, git):
    for lr, values in ((0.1, LOW), (0.2, MIDDLE)):
        study.fill({"lr": lr}, values)
    git("checkout", "-q", "-b", "wider", cwd=repository)
    (repository / "train.py").write_text("print('wider')\n")
    study.commit("wider")
    for lr, values in ((0.1, HIGH), (0.2, [one - 0.3 for one in MIDDLE]), (0.3, HIGH)):
        study.fill({"lr": lr}, values)
    found = ask(metric="accuracy", baseline="main")
    partners = {one.label.partition(",")[0]: one for one in found.verdicts}
    assert {label: (one.word, one.among) for label, one in partners.items()} == {
        "lr=0.1": (Word.BETTER, 2),
        "lr=0.2": (Word.WORSE, 2),
    }
    assert "held against lr=0.1, code " in partners["lr=0.1"].notes[0]
    assert found.baseline == "'main'"
    assert sum(one.is_baseline for one in found.configurations) == 2
    for line in (
        "the baseline 'main' is 2 configurations: each candidate is held against the one with the same parameters",
        "1 configuration without a verdict: the baseline has none with the same parameters",
    ):
        assert line in found.notes
    [alone] = ask("params.lr = 0.2", metric="accuracy", baseline="main").verdicts
    assert (alone.word, alone.among) == (Word.WORSE, 1)


def test_a_hypothesis_on_a_change_of_the_code_is_concluded_over_its_sweep(study, repository, git):
    study.declare(
        f"{GOAL}experiments:\n  wider:\n    metric: accuracy\n    variables: {{lr: [0.1, 0.2]}}\n    baseline: main\n"
    )
    for lr in (0.1, 0.2):
        study.fill({"lr": lr}, LOW, experiment="wider")
    git("checkout", "-q", "-b", "wider", cwd=repository)
    (repository / "train.py").write_text("print('wider')\n")
    study.commit("wider")
    for lr in (0.1, 0.2):
        study.fill({"lr": lr}, HIGH, experiment="wider")
    context = Project(repository).context
    found = conclude(context, "wider")
    assert (found.answer, [one.word for one in found.verdicts]) == ("accepted", [Word.BETTER, Word.BETTER])
    with pytest.raises(ExptrackError, match="which baseline"):
        select(context, "wider")


def test_a_baseline_by_some_values_leaves_these_out(study, ask):
    study.declare(GOAL)
    for kind, shift in (("old", 0), ("new", 0.2)):
        for depth in (1, 2):
            study.fill({"kind": kind, "depth": depth}, [one + shift + depth for one in LOW])
    found = ask(metric="accuracy", baseline="kind=old")
    assert {one.label: round(one.difference, 6) for one in found.verdicts} == {
        "depth=1, kind=new": 0.2,
        "depth=2, kind=new": 0.2,
    }
    assert found.baseline == "kind=old"


def test_which_baseline_is_asked_where_parameters_do_not_tell():
    bases = Bases("'main'", (configuration("a", {"lr": 1}, "1"), configuration("b", {"lr": 1}, "2")))
    with pytest.raises(ExptrackError, match=r"which baseline\? 'main' means 2 configurations, 'a', 'b'"):
        find_partners(bases, [*bases.configurations, configuration("c", {"lr": 1}, "3")])
    with pytest.raises(ExptrackError, match="which baseline"):
        find_partners(bases, [*bases.configurations, configuration("d", {"lr": 2}, "3")])
    with pytest.raises(ExptrackError, match="which baseline"):
        check_partners(bases, Rules("accuracy", pair_by=Pairing.DATASET))


def test_of_one_code_the_partner_is_the_one_of_that_code():
    bases = Bases(
        "kind=1", (configuration("a", {"kind": 1}, "1"), configuration("b", {"kind": 1}, "2")), frozenset({"kind"})
    )
    candidate = configuration("c", {"kind": 2}, "2")
    assert find_partners(bases, [*bases.configurations, candidate]) == {"c": bases.configurations[1]}


def test_a_baseline_is_found_again_by_its_runs():
    bases = Bases("'main'", (configuration("a", {}), configuration("b", {})))
    again = configuration("a", {})._replace(label="all runs")
    assert find_again(bases, [again, configuration("c", {})]).configurations == (again,)


def test_one_noise_for_all_needs_one_baseline():
    rules = Rules("accuracy", noise=Noise.COMMON, is_declared=True)
    samples = [
        Sample(label, {str(seed): one for seed, one in enumerate(values)})
        for label, values in zip("abcd", (LOW, HIGH, MIDDLE, HIGH), strict=True)
    ]
    partners = {"b": configuration("a", {}), "d": configuration("c", {})}
    verdicts = decide_beside(rules, samples, partners, is_forced=False)
    assert [(one.label, one.test) for one in verdicts] == [("b", "Welch"), ("d", "Welch")]
    assert any("one noise for all needs one baseline for all" in line for line in verdicts[0].notes)
