"""The conceptual level: whether the word of the record stands with the reruns in a run's place."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exptrack.analysis.experiments.conceptual import Conclusion, judge_conclusion
from exptrack.analysis.levels import judge
from exptrack.analysis.verdicts import decide
from exptrack.model.comparison import Rules, Sample
from exptrack.model.experiment import Pairing
from exptrack.model.reproduction import Answer, Outcome, Replicates, Terms
from exptrack.model.run import Status
from exptrack.model.settings import Goal

YES, NO, CANNOT, WEAK = Answer.YES, Answer.NO, Answer.CANNOT_ASSESS, Answer.TOO_WEAK
RULES = Rules("accuracy", Goal.MAXIMIZE)
LOW, HIGH = (0.80, 0.81, 0.79, 0.805), (0.90, 0.91, 0.89, 0.905)
NEAR = (0.812, 0.831, 0.829, 0.842)  # 0.02 and 2.7 standard errors above LOW: Welch's p is .03


def sample(label, values, **more):
    return Sample(label, {str(seed): value for seed, value in enumerate(values)}, **more)


def conclude(values, again, *, label="new", unit="0", rules=RULES, incomplete=None, reruns=1, **evaluated):
    """Judge a run of `label` with these values again; `values` are those of each configuration, `base` is the baseline."""
    before = {name: sample(name, some) for name, some in values.items()}
    own = before[label]
    mean = sum(again) / len(again) if again else math.nan
    after = {**before, label: own._replace(values={**own.values, unit: mean}, **evaluated)}
    partners = dict.fromkeys([name for name in values if name != "base"], "base")
    found = judge_conclusion(Conclusion(rules, label, partners, unit, before, after, tuple(again), reruns), incomplete)
    return found.answer, found.evidence


def test_the_same_word_is_a_yes_with_both_sentences():
    assert conclude({"base": LOW, "new": HIGH}, [0.91]) == (
        YES,
        (
            "new beside base is better by accuracy, as on record",
            "on record: better: accuracy +0.100 [95% CI +0.085, +0.115], 4 vs 4 seeds, Welch p<0.0001",
            "with the rerun: better: accuracy +0.103 [95% CI +0.087, +0.118], 4 vs 4 seeds, Welch p<0.0001",
        ),
    )


def test_the_opposite_word_contradicts():
    # Without noise nothing but the value itself decides.
    answer, (line, record, again) = conclude(
        {"base": LOW, "new": (0.9, 0.9, 0.9)}, [-9.0], rules=RULES._replace(alpha=0.49)
    )
    assert (answer, line) == (NO, "contradicted: new beside base is better on record, worse with the rerun")
    assert record.startswith("on record: better")
    assert again.startswith("with the rerun: worse")


def test_no_word_any_more_is_too_weak_where_noise_explains_it_and_weakened_where_not():
    values = {"base": LOW, "new": NEAR}
    answer, (line, *_) = conclude(values, [0.800])
    assert answer is WEAK
    assert line == (
        "not contradicted, but new beside base is not better any more: "
        "accuracy differs by -0.001 with the rerun, 0.027 +/- 0.030 is expected from the record"
    )
    answer, (line, *_) = conclude(values, [0.700])
    assert answer is NO
    assert line.startswith("weakened: new beside base is not better any more: accuracy differs by -0.101")


def test_reruns_with_distinct_seeds_have_a_deviation_of_their_own():
    values = {"base": LOW, "new": NEAR}
    wide = conclude(values, [0.70, 0.795, 0.89], reruns=3)
    assert wide[0] is WEAK
    assert "with 3 reruns" in wide[1][0]
    narrow = conclude(values, [0.700, 0.7001], reruns=2)
    assert narrow[0] is NO


def test_a_record_without_a_word_draws_no_conclusion():
    close = {"base": LOW, "new": (0.801, 0.812, 0.788, 0.806)}
    answer, (line,) = conclude(close, [0.801])
    assert answer is CANNOT
    assert line.startswith("the record draws no conclusion yet: no detectable difference: +0.001")
    answer, (line,) = conclude({"base": LOW[:2], "new": HIGH}, [0.9])
    assert line.startswith("the record draws no conclusion yet: not enough runs: ")
    answer, (line,) = conclude({"base": LOW, "new": HIGH}, [0.9], rules=RULES._replace(planned=9))
    assert line.startswith("the record draws no conclusion yet: withheld: 4 of 9 planned runs")
    assert conclude({"base": LOW}, [0.8], label="base") == (
        CANNOT,
        ("the record draws no conclusion yet: its configuration is held against no other",),
    )


def test_of_a_run_of_the_baseline_each_word_has_to_stand():
    values = {"base": LOW, "high": HIGH, "near": NEAR, "same": LOW}
    rules = RULES._replace(alpha=0.1)
    answer, evidence = conclude(values, [0.80], label="base", rules=rules)
    assert answer is YES
    assert "2 of 2 verdicts beside this baseline as on record" in evidence
    answer, evidence = conclude(values, [0.825], label="base", rules=rules)
    assert answer is WEAK
    assert evidence[0].startswith("not contradicted, but near beside base is not better any more")
    assert "1 of 2 verdicts beside this baseline as on record" in evidence
    assert conclude(values, [0.1], label="base", rules=rules)[0] is NO


def test_values_without_noise_are_the_same_or_they_are_not():
    steady = {"base": (0.5, 0.5, 0.5), "new": (0.6, 0.6, 0.6)}
    assert conclude(steady, [0.6])[0] is YES
    answer, (line, *_) = conclude(steady, [0.61])
    assert answer is NO
    assert line.startswith("weakened: new beside base is not different without any noise any more")
    assert conclude({"base": (0.5, 0.5), "new": (0.5, 0.5)}, [0.5])[0] is YES


def test_an_equivalence_is_contradicted_by_a_difference_of_more_than_the_smallest_effect():
    rules = RULES._replace(min_effect=0.05, alpha=0.49)
    values = {"base": (0.80, 0.801, 0.802), "new": (0.80, 0.801, 0.802)}
    assert conclude(values, [0.8], rules=rules)[0] is YES
    answer, (line, *_) = conclude(values, [1.9], rules=rules)
    assert answer is NO
    assert (
        line == "contradicted: new beside base is equivalent on record, better by more than min_effect with the rerun"
    )


def test_of_pairs_the_run_is_held_against_its_partner():
    base = (0.10, 0.50, 0.90, 0.30)  # seeds differ far more than what is compared
    rules = RULES._replace(pair_by=Pairing.SEED, is_declared=True)
    values = {
        "base": base,
        "new": tuple(one + step for one, step in zip(base, (0.02, 0.021, 0.019, 0.022), strict=True)),
    }
    assert conclude(values, [0.1205], rules=rules)[0] is YES
    answer, (line, *_) = conclude(values, [0.3], rules=rules)
    assert answer is NO
    assert "accuracy differs by 0.2000 with the rerun, 0.0205 +/- 0.0028 is expected" in line
    answer, (line, *_) = conclude({**values, "new": (*values["new"], 0.7)}, [0.7], unit="4", rules=rules)
    assert (answer, line) == (
        CANNOT,
        "new beside base: the seed of the run has no partner there, so the run takes no part in it",
    )


@pytest.mark.parametrize("pair_by", [Pairing.FOLD, Pairing.SPLIT])
def test_of_units_that_share_training_data_more_is_expected(pair_by):
    base = (0.10, 0.50, 0.90, 0.30)
    steps = (0.02, 0.021, 0.019, 0.022)
    values = {"base": base, "new": tuple(one + step for one, step in zip(base, steps, strict=True))}
    rules = RULES._replace(pair_by=pair_by, test_share=1.0, is_declared=True)
    _, (line, *_) = conclude(values, [0.3], rules=rules)
    # 1.96 * s * sqrt(1/4 + 1 + 1), and without the share * sqrt(1/4 + 1).
    assert "0.0205 +/- 0.0038 is expected" in line


def test_what_may_not_be_compared_is_no_answer():
    before = {
        name: sample(name, values, evaluated={"test.csv": ("1",)})
        for name, values in {"base": LOW, "new": HIGH}.items()
    }
    after = {**before, "new": before["new"]._replace(evaluated={"test.csv": ("1", "2")})}
    found = judge_conclusion(Conclusion(RULES, "new", {"new": "base"}, "0", before, after, (0.9,)))
    assert found.answer is CANNOT
    assert found.evidence[0] == "new beside base: not comparable: new was evaluated on 2 states of test.csv"


def test_a_rerun_that_gave_nothing_weakens_the_conclusion_and_not_what_is_none():
    values = {"base": LOW, "new": HIGH}
    answer, evidence = conclude(values, [])
    assert (answer, evidence[0]) == (NO, "weakened: the rerun gave no finite accuracy")
    assert evidence[1].startswith("on record: better")
    assert conclude({"base": LOW, "new": LOW}, [])[0] is CANNOT
    found = conclude({"base": LOW, "new": HIGH[1:]}, [0.9], unit="7")
    assert found == (CANNOT, ("the run has no finite accuracy",))


@pytest.mark.parametrize(
    ("recorded", "again", "expected"),
    [
        (Status.COMPLETED, Status.FAILED, (NO, "weakened: again failed")),
        (Status.FAILED, Status.COMPLETED, (CANNOT, "the recorded run failed: it has no result to compare")),
    ],
)
def test_executions_that_did_not_complete(recorded, again, expected):
    before = {"base": sample("base", LOW), "new": sample("new", HIGH)}
    conclusion = Conclusion(RULES, "new", {"new": "base"}, "0", before, before, (0.9,))
    outcomes = Outcome("run", recorded, 0, {"accuracy": 0.9}), [Outcome("again", again, 0, {})]
    found = judge(*outcomes, Replicates(), {}, Terms(), conclusion=conclusion)[3]
    assert (found.answer, found.evidence[0]) == expected


VALUES = st.lists(st.floats(-5, 5), min_size=1, max_size=5)


@given(
    VALUES, VALUES, VALUES, st.lists(st.floats(-9, 9), min_size=1, max_size=3), st.sampled_from(["base", "new", "more"])
)
def test_an_answer_is_yes_only_where_the_words_agree(base, new, more, again, label):
    values = {"base": base, "new": new, "more": more}
    answer, evidence = conclude(values, again, label=label, reruns=len(again))
    assert evidence
    assert not any("\n" in line or line.endswith(".") for line in evidence)
    before = [sample(name, some) for name, some in values.items()]
    mean = sum(again) / len(again)
    after = [one._replace(values={**one.values, "0": mean}) if one.label == label else one for one in before]
    words = [[one.word for one in decide(RULES, some[0], some[1:])] for some in (before, after)]
    if label != "base":
        place = ["new", "more"].index(label)
        words = [[one[place]] for one in words]
    if answer is YES:
        assert any(old is new for old, new in zip(*words, strict=True))
    if words[0] == words[1]:
        assert answer in {YES, CANNOT} or (label == "base" and answer is not WEAK) or "difference" in str(words)


@given(VALUES, VALUES, st.sampled_from(["base", "new"]))
def test_an_exact_rerun_never_shakes_a_conclusion(base, new, label):
    values = {"base": base, "new": new}
    assert conclude(values, [values[label][0]], label=label)[0] in {YES, CANNOT}


def test_of_several_baselines_the_run_is_held_against_its_own():
    values = {"b1": LOW, "b2": HIGH, "n1": HIGH, "n2": LOW, "lone": LOW}
    before = {name: sample(name, some) for name, some in values.items()}

    def judged(label):
        return judge_conclusion(Conclusion(RULES, label, {"n1": "b1", "n2": "b2"}, "0", before, before, (0.8,)))

    assert judged("n2").evidence[0] == "n2 beside b2 is worse by accuracy, as on record"
    assert judged("b1")[1:] == judged("n1")[1:]
    assert judged("b1").evidence[0] == "n1 beside b1 is better by accuracy, as on record"
    assert judged("lone").answer is CANNOT
