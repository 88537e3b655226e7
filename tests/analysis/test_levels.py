"""The four levels: what each answers, and the lines that say why."""

from __future__ import annotations

import math
import random
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exptrack.analysis.levels import NO_EXPERIMENT, judge
from exptrack.analysis.terms import parse_terms
from exptrack.model.reproduction import Answer, Level, Outcome, Replicates, Terms
from exptrack.model.run import Status
from exptrack.model.settings import MetricDeclaration

YES, NO, CANNOT, WEAK = Answer.YES, Answer.NO, Answer.CANNOT_ASSESS, Answer.TOO_WEAK
FIVE = (0.970, 0.968, 0.972, 0.966, 0.969)  # mean 0.969, sd 0.0022


def outcome(name, accuracy=None, seed=None, status=Status.COMPLETED, outputs=None, **metrics):
    if accuracy is not None:
        metrics["accuracy"] = accuracy
    return Outcome(name, status, seed, metrics, outputs or {})


def runs(values, seeds=None):
    return tuple(outcome(f"run{number}", value, (seeds or range(99))[number]) for number, value in enumerate(values))


def reruns(values, seed=0, **more):
    return [outcome(f"rerun{number}", value, seed, **more) for number, value in enumerate(values)]


def declared(**effects):
    return {name: MetricDeclaration(name, min_effect=effect) for name, effect in effects.items()}


def answer(level, *args, terms=None, **more):
    found = next(one for one in judge(*args, terms or Terms(), **more) if one.level is level)
    return found.answer, found.evidence


def exact(old, new, **more):
    return answer(Level.EXACT, old, new, Replicates(), {}, **more)


def statistical(prior, new, declarations=None, terms=None, left_out=None):
    replicates = Replicates(tuple(prior), left_out or {})
    declarations = declared(accuracy=None) if declarations is None else declarations
    return answer(Level.STATISTICAL, prior[0], new, replicates, declarations, terms=terms)


def methodological(old, new, declarations=None, terms=None, **more):
    return answer(Level.METHODOLOGICAL, old, new, Replicates(), declarations or {}, terms=terms, **more)


# All levels


def test_the_levels_come_in_their_order_the_strongest_first():
    levels = judge(outcome("a", 1.0), [outcome("b", 1.0)], Replicates(), {}, Terms())
    assert [one.level for one in levels] == list(Level)
    assert levels[3] == (Level.CONCEPTUAL, CANNOT, (NO_EXPERIMENT,))


def test_without_a_rerun_nothing_can_be_said():
    assert {one.answer for one in judge(outcome("a", 1.0), [], Replicates(), {}, Terms())} == {CANNOT}


numbers = st.one_of(st.floats(), st.integers())
outcomes = st.builds(
    Outcome,
    st.just("a"),
    st.sampled_from(Status),
    st.one_of(st.none(), st.integers(0, 2), st.sampled_from(["0", "x"])),
    st.dictionaries(st.sampled_from(["a", "b", "a.b"]), st.one_of(numbers, st.lists(numbers, max_size=2)), min_size=1),
    st.dictionaries(st.sampled_from(["m.pt", "out/a", "out"]), st.sampled_from(["md5:1", "md5:2"])),
)
replicates = st.lists(outcomes, max_size=6).map(
    lambda found: Replicates(tuple(one._replace(name=f"p{number}") for number, one in enumerate(found)))
)


@given(outcomes, replicates)
def test_a_run_is_an_exact_reproduction_of_itself(run, prior):
    levels = judge(run, [run], prior, {}, Terms())
    assert levels[0].answer is YES
    assert Answer.NO not in {level.answer for level in levels}


@given(outcomes, st.lists(outcomes, max_size=4), replicates, st.randoms(use_true_random=False))
def test_the_order_of_the_reruns_does_not_matter(run, again, prior, shuffle):
    named = [one._replace(name=f"r{number}") for number, one in enumerate(again)]
    shuffled = shuffle.sample(named, len(named))
    assert judge(run, named, prior, {}, Terms()) == judge(run, shuffled, prior, {}, Terms())


@given(outcomes, st.lists(outcomes, min_size=1, max_size=3), replicates)
def test_a_line_of_evidence_is_one_line_without_a_full_stop(run, again, prior):
    for level in judge(run, again, prior, {}, Terms()):
        assert level.evidence
        assert not any("\n" in line or line.endswith(".") for line in level.evidence)


# Exact


def test_equal_outputs_and_metrics_are_exact():
    files = {"model.pt": "md5:1", "out": "md5:2.dir"}
    old, new = outcome("a", 0.5, outputs=files), outcome("b", 0.5, outputs=files)
    assert exact(old, [new]) == (YES, ("equal: 2 files, 1 metric",))
    assert exact(old, [new, new._replace(name="c")]) == (YES, ("equal: 2 files, 1 metric in all 2 reruns",))


@pytest.mark.parametrize(
    ("files", "metrics", "evidence"),
    [
        (
            {"a.pt": "md5:9", "b.pt": "md5:2"},
            {"f1": 1, "loss": 0.5},
            ("differs: 1 of 2 files, 0 of 2 metrics", "a.pt differs in again"),
        ),
        (
            {"b.pt": "md5:2"},
            {"f1": 1, "loss": 0.5},
            ("differs: 1 of 2 files, 0 of 2 metrics", "a.pt is missing in again"),
        ),
        (
            {"a.pt": "md5:1", "b.pt": "md5:2", "c.pt": "md5:3"},
            {"f1": 1.0, "loss": 0.5},
            ("differs: 1 of 3 files, 0 of 2 metrics", "c.pt was not recorded, but is there in again"),
        ),
        (
            {"a.pt": "md5:1", "b.pt": "md5:2"},
            {"f1": 1, "loss": 0.5000000000000001},
            ("differs: 0 of 2 files, 1 of 2 metrics", "loss 0.5 recorded, 0.5000000000000001 in again"),
        ),
        (
            {"a.pt": "md5:1", "b.pt": "md5:2"},
            {"f1": 1},
            ("differs: 0 of 2 files, 1 of 2 metrics", "loss 0.5 recorded, missing in again"),
        ),
        (
            {"a.pt": "md5:1", "b.pt": "md5:2"},
            {"f1": 1, "loss": 0.5, "auc": 0.25},
            ("differs: 0 of 2 files, 1 of 3 metrics", "auc not recorded, 0.25 in again"),
        ),
        (
            {"a.pt": "md5:8", "b.pt": "md5:9"},
            {"f1": 2, "loss": math.nan},
            ("differs: 2 of 2 files, 2 of 2 metrics", "a.pt differs in again", "f1 1 recorded, 2 in again"),
        ),
    ],
)
def test_what_differs_is_counted_and_the_first_is_named(files, metrics, evidence):
    old = outcome("a", outputs={"a.pt": "md5:1", "b.pt": "md5:2"}, f1=1, loss=0.5)
    assert exact(old, [outcome("again", outputs=files, **metrics)]) == (NO, evidence)


def test_one_rerun_that_differs_is_enough():
    old = outcome("a", 0.5)
    assert exact(old, [outcome("b", 0.5), outcome("c", 0.6), outcome("d", 0.5)]) == (
        NO,
        ("differs: 1 of 1 metric", "accuracy 0.5 recorded, 0.6 in c"),
    )


def test_nested_metrics_are_compared_by_their_leaves():
    old, new = (
        outcome(name, val={"loss": value, "f1": [1, 0.5]}) for name, value in (("a", math.nan), ("b", math.nan))
    )
    assert exact(old, [new]) == (YES, ("equal: 3 metrics",))


def test_what_is_volatile_may_differ_and_is_said():
    terms = parse_terms({"volatile": ["logs/", "metrics.seconds"]})
    old = outcome("a", 0.5, seconds=1.0, outputs={"logs/x.txt": "md5:1", "m.pt": "md5:2"})
    new = outcome("b", 0.5, seconds=2.0, outputs={"m.pt": "md5:2"})
    assert exact(old, [new], terms=terms) == (
        YES,
        ("equal: 1 file, 1 metric", "left out as volatile: 1 file, 1 metric"),
    )
    empty = outcome("a", seconds=1.0), [outcome("b", seconds=1.0)]
    assert exact(*empty, terms=terms) == (
        CANNOT,
        ("no outputs and no metrics to compare", "left out as volatile: 1 metric"),
    )


def test_with_nothing_to_compare_exact_cannot_be_assessed():
    assert exact(outcome("a"), [outcome("b")]) == (CANNOT, ("no outputs and no metrics to compare",))


def test_a_doubt_withholds_a_yes_and_nothing_else():
    doubts = ["big.bin: too large to be recorded"]
    assert exact(outcome("a", 1), [outcome("b", 1)], exact_doubts=doubts) == (CANNOT, (*doubts, "equal: 1 metric"))
    assert exact(outcome("a", 1), [outcome("b", 2)], exact_doubts=doubts)[0] is NO


# A run that did not complete


@pytest.mark.parametrize(
    ("status", "told"),
    [(Status.FAILED, "failed"), (Status.INTERRUPTED, "was interrupted"), (Status.CRASHED, "crashed")],
)
def test_a_rerun_that_did_not_complete_reproduces_nothing(status, told):
    prior = runs(FIVE)
    levels = judge(prior[0], [outcome("again", FIVE[0], 0, status)], Replicates(prior), {}, Terms())
    assert [level.answer for level in levels] == [NO, NO, NO, CANNOT]
    assert levels[0].evidence == (f"again {told}, the recorded run completed",)
    assert levels[1].evidence == levels[2].evidence == (f"again {told}",)


def test_of_several_reruns_the_failed_are_counted():
    new = [outcome("b", 1), outcome("c", status=Status.FAILED), outcome("d", status=Status.CRASHED)]
    assert methodological(outcome("a", 1), new) == (NO, ("c failed, and 1 more of 3 reruns did not complete",))


def test_a_failure_can_be_reproduced_exactly_but_has_no_result():
    old = outcome("a", status=Status.FAILED, outputs={"log.txt": "git:1"})
    again = old._replace(name="b")
    levels = judge(old, [again], Replicates(), {}, Terms())
    assert [level.answer for level in levels] == [YES, CANNOT, CANNOT, CANNOT]
    assert levels[1].evidence == levels[2].evidence == ("the recorded run failed: it has no result to compare",)
    bare = old._replace(outputs={})
    assert exact(bare, [bare._replace(name="b")])[0] is CANNOT


def test_a_failure_that_completes_now_is_not_exact():
    old = outcome("a", status=Status.FAILED)
    assert exact(old, [outcome("b")]) == (NO, ("b completed, the recorded run failed",))


# Statistical: the interval


def test_a_rerun_inside_the_prediction_interval_agrees():
    # 0.969 +- t(4, .975) * 0.002236 * sqrt(1 + 1/5) = 2.776 * 0.002449 = 0.0068
    assert statistical(runs(FIVE), reruns([0.972])) == (
        YES,
        ("accuracy 0.9720 inside 0.9690 ± 0.0068 (5 seeds, 1 rerun)",),
    )
    assert statistical(runs(FIVE), reruns([0.9757])) == (
        YES,
        ("accuracy 0.9757 inside 0.9690 ± 0.0068 (5 seeds, 1 rerun)",),
    )
    assert statistical(runs(FIVE), reruns([0.95])) == (
        NO,
        ("accuracy 0.9500 outside 0.9690 ± 0.0068 (5 seeds, 1 rerun)",),
    )


def test_digits_are_added_until_the_reader_sees_which_side_it_is():
    assert statistical(runs(FIVE), reruns([0.97581])) == (
        NO,
        ("accuracy 0.97581 outside 0.96900 ± 0.00680 (5 seeds, 1 rerun)",),
    )


def test_with_more_metrics_each_interval_is_wider():
    prior = tuple(outcome(f"r{n}", value, n, loss=value) for n, value in enumerate(FIVE))
    new = [outcome("again", 0.977, 0, loss=0.972)]
    # t(4, 1 - .05/4) = 3.495: +- 0.0086; with one metric 0.0068
    assert statistical(prior, new, declared(accuracy=None, loss=None)) == (
        YES,
        (
            "accuracy 0.9770 inside 0.9690 ± 0.0086 (5 seeds, 1 rerun)",
            "loss 0.9720 inside 0.9690 ± 0.0086 (5 seeds, 1 rerun)",
        ),
    )
    assert statistical(prior, new)[0] is NO


def test_one_metric_outside_decides_and_comes_first():
    prior = tuple(outcome(f"r{n}", value, n, loss=value) for n, value in enumerate(FIVE))
    found, evidence = statistical(prior, [outcome("again", 0.969, 0, loss=0.5)], declared(accuracy=None, loss=None))
    assert found is NO
    assert evidence[0].startswith("loss 0.5000 outside")


@pytest.mark.parametrize("values", [[0.9], [0.9, 0.91]])
def test_fewer_than_three_seeds_say_nothing(values):
    label = "1 earlier seed" if len(values) == 1 else "2 earlier seeds"
    assert statistical(runs(values), reruns([0.95])) == (
        CANNOT,
        (f"accuracy 0.95: {label}; an interval needs 3, or check.tolerance",),
    )


def test_what_several_metrics_lack_is_said_once():
    old, new = outcome("a", seed=1, loss=1.0, accuracy=0.5), outcome("b", seed=1, loss=1.1, accuracy=0.6)
    answers = judge(old, [new], Replicates(), {}, Terms())
    assert answers[1].evidence[0] == "2 metrics: 1 earlier seed; an interval needs 3, or check.tolerance"


def test_runs_of_one_seed_count_once():
    prior = runs([0.9, 0.92, 0.91, 0.93, 0.95], seeds=[1, 1, 2, 2, "2"])
    assert statistical(prior, reruns([0.9], seed=7)) == (
        CANNOT,
        ("accuracy 0.9: 2 earlier seeds; an interval needs 3, or check.tolerance",),
    )


def test_runs_without_a_known_seed_count_as_distinct_and_are_flagged():
    prior = runs(FIVE, seeds=[None, None, None, 1, 2])
    assert statistical(prior, reruns([0.969], seed=None), left_out={"other code": 2, "failed": 1}) == (
        YES,
        (
            "accuracy 0.9690 inside 0.9690 ± 0.0068 (5 runs, 1 rerun)",
            "3 earlier runs without a known seed count as distinct",
            "1 earlier run left out: failed",
            "2 earlier runs left out: other code",
        ),
    )


def test_the_run_itself_counts_once_and_its_reruns_not_at_all():
    prior = runs([0.9, 0.91])
    again = reruns([0.9], seed=3)
    assert "2 earlier seeds" in statistical((*prior, *again), again)[1][0]
    assert (
        "2 earlier seeds"
        in answer(Level.STATISTICAL, prior[0], again, Replicates(prior[1:]), declared(accuracy=None))[1][0]
    )


def test_reruns_of_one_seed_are_one_draw_and_those_of_several_are_several():
    same = statistical(runs(FIVE), reruns([0.968, 0.97, 0.972], seed=9))
    assert same == (YES, ("accuracy 0.9700 inside 0.9690 ± 0.0068 (5 seeds, 3 reruns of 1 seed)",))
    # sqrt(1/3 + 1/5) in place of sqrt(1 + 1/5)
    several = statistical(runs(FIVE), [outcome(f"b{seed}", 0.97, seed) for seed in (7, 8, 9)])
    assert several == (YES, ("accuracy 0.9700 inside 0.9690 ± 0.0045 (5 seeds, 3 reruns)",))
    unknown = statistical(runs(FIVE), reruns([0.97] * 3, seed=None))
    assert unknown[1][0] == several[1][0]


def test_what_is_recorded_to_the_last_bit_is_never_outside():
    prior = runs([0.5, *[0.9, 0.901, 0.902] * 10])
    assert statistical(prior, reruns([0.5])) == (
        YES,
        ("accuracy 0.50 outside 0.89 ± 0.15 (31 seeds, 1 rerun), as recorded to the last bit",),
    )


def test_an_honest_rerun_passes_in_95_of_100_studies_and_a_break_of_four_deviations_in_half():
    draw = random.Random(5)
    honest = broken = 0
    for _ in range(1000):
        prior = runs([draw.gauss(0, 1) for _ in range(3)])
        honest += statistical(prior, reruns([draw.gauss(0, 1)], seed=9))[0] is YES
        broken += statistical(prior, reruns([draw.gauss(4, 1)], seed=9))[0] is YES
    assert honest / 1000 == pytest.approx(0.95, abs=0.025)
    assert broken / 1000 == pytest.approx(0.5, abs=0.06)  # STATISTICS: "n=3, m=1 misses half of all 4-SD breaks"


# Statistical: same seed, no variation


def test_three_runs_of_the_same_seed_give_the_tighter_interval():
    prior = runs([*FIVE, 0.9701, 0.9699], seeds=[0, 1, 2, 3, 4, 0, 0])
    assert statistical(prior, reruns([0.9701])) == (
        YES,
        ("accuracy 0.97010 inside 0.97000 ± 0.00050 (3 runs of seed 0, 1 rerun)",),
    )
    assert statistical(prior, reruns([0.969]))[0] is NO
    assert "5 seeds" in statistical(prior, reruns([0.969], seed=1))[1][0]
    assert "5 seeds" in statistical(prior, reruns([0.969], seed=None))[1][0]


def test_reruns_of_the_same_seed_count_each_against_runs_of_that_seed():
    prior = runs([0.97, 0.9701, 0.9699], seeds=[0, 0, 0])
    # Half the width is 4.303 times 0.0001 times the root of 1/3 + 1/3.
    assert statistical(prior, reruns([0.97, 0.9701, 0.9702])) == (
        YES,
        ("accuracy 0.97010 inside 0.97000 ± 0.00035 (3 runs of seed 0, 3 reruns)",),
    )


def test_runs_that_never_vary_foretell_their_value():
    constant = runs([0.3, 0.1 + 0.2, 0.3])
    assert statistical(constant, reruns([0.30000000000000004])) == (
        YES,
        ("accuracy 0.3 as in all earlier runs (3 seeds, 1 rerun)",),
    )
    assert statistical(constant, reruns([0.31])) == (
        NO,
        ("accuracy 0.31 outside 0.3 ± 0 (3 seeds, 1 rerun), no run-to-run variation was recorded: is the seed used?",),
    )
    same = runs([0.3] * 3, seeds=[0, 0, 0])
    assert statistical(same, reruns([0.31])) == (NO, ("accuracy 0.31 outside 0.3 ± 0 (3 runs of seed 0, 1 rerun)",))


# Statistical: min_effect, equivalence, tolerance


def test_an_interval_wider_than_what_matters_is_too_weak():
    assert statistical(runs(FIVE), reruns([0.97]), declared(accuracy=0.005)) == (
        WEAK,
        ("accuracy 0.9700 inside 0.9690 ± 0.0068 (5 seeds, 1 rerun), but ± 0.0068 is wider than min_effect 0.005",),
    )
    assert statistical(runs(FIVE), reruns([0.97]), declared(accuracy=0.007))[0] is YES
    assert statistical(runs(FIVE), reruns([0.5]), declared(accuracy=0.005))[0] is NO


def test_three_reruns_can_be_statistically_equivalent():
    again = [outcome(f"b{seed}", value, seed) for seed, value in ((7, 0.968), (8, 0.969), (9, 0.971))]
    found, [line] = statistical(runs(FIVE), again, declared(accuracy=0.005))
    assert found is YES
    assert line == (
        "accuracy 0.9693 inside 0.9690 ± 0.0045 (5 seeds, 3 reruns), "
        "statistically equivalent: +0.00033 [90% CI -0.0023, +0.0029] within ±0.005"
    )
    assert statistical(runs(FIVE), again, declared(accuracy=0.001))[0] is WEAK
    assert "equivalent" not in statistical(runs(FIVE), reruns([0.968, 0.969, 0.971]), declared(accuracy=0.005))[1][0]


@pytest.mark.parametrize(
    ("tolerance", "value", "found", "evidence"),
    [
        (0.002, 0.972, YES, "accuracy 0.9720 inside 0.9700 ± 0.0020 (tolerance, 1 rerun)"),
        (0.002, 0.9721, NO, "accuracy 0.9721 outside 0.9700 ± 0.0020 (tolerance, 1 rerun)"),
        ("1%", 0.9603, YES, "accuracy 0.9603 inside 0.9700 ± 0.0097 (tolerance, 1 rerun)"),
        (
            {"absolute": 0.001, "relative": "1%"},
            0.9603,
            YES,
            "accuracy 0.9603 inside 0.9700 ± 0.0097 (tolerance, 1 rerun)",
        ),
        (0, 0.97, YES, "accuracy 0.97 inside 0.97 ± 0 (tolerance, 1 rerun)"),
        (0, 0.9700001, NO, "accuracy 0.9700001 outside 0.97 ± 0 (tolerance, 1 rerun)"),
    ],
)
def test_a_tolerance_takes_the_place_of_the_interval(tolerance, value, found, evidence):
    terms = parse_terms({"tolerance": {"accuracy": tolerance}})
    assert statistical(runs([0.97]), reruns([value]), terms=terms) == (found, (evidence,))
    assert statistical(runs([0.97, 0.1, 0.5]), reruns([value]), terms=terms) == (found, (evidence,))


def test_every_rerun_has_to_be_within_a_tolerance():
    terms = parse_terms({"tolerance": {"accuracy": 0.01}})
    assert statistical(runs([0.97]), reruns([0.98, 0.95, 0.97]), terms=terms) == (
        NO,
        ("accuracy 0.950 outside 0.970 ± 0.010 (tolerance, 3 reruns)",),
    )


def test_a_metric_with_a_tolerance_does_not_widen_the_interval_of_another():
    prior = tuple(outcome(f"r{n}", value, n, loss=value) for n, value in enumerate(FIVE))
    terms = parse_terms({"tolerance": {"loss": 1}})
    found = statistical(prior, [outcome("again", 0.969, 0, loss=0.5)], declared(accuracy=None, loss=None), terms)
    assert found == (
        YES,
        (
            "accuracy 0.9690 inside 0.9690 ± 0.0068 (5 seeds, 1 rerun)",
            "loss 0.5 inside 1.0 ± 1.0 (tolerance, 1 rerun)",
        ),
    )


# Which metrics decide


def test_declared_metrics_decide_but_no_holdout():
    prior = tuple(outcome(f"r{n}", value, n, loss=value, test=value) for n, value in enumerate(FIVE))
    declarations = {
        "accuracy": MetricDeclaration("accuracy"),
        "test": MetricDeclaration("test", holdout=True),
        "other": MetricDeclaration("other"),
    }
    again = [outcome("again", 0.969, 0, loss=7, test=7)]
    assert statistical(prior, again, declarations) == (
        YES,
        ("accuracy 0.9690 inside 0.9690 ± 0.0068 (5 seeds, 1 rerun)",),
    )


def test_if_none_is_declared_all_decide_but_the_volatile_and_it_is_said():
    old = outcome("a", 0.97, seconds=5.0)
    again = [outcome("b", 0.97, seconds=50.0)]
    assert methodological(old, again)[1][-1] == "no metric is declared: all 2 are judged"
    assert methodological(old, again)[0] is NO
    terms = parse_terms({"volatile": ["metrics.sec*"]})
    assert methodological(old, again, terms=terms) == (
        YES,
        (
            "accuracy 0.97 is 0% off the recorded 0.97 (5% allowed)",
            "no metric is declared: the only one is judged, but for the volatile",
        ),
    )
    assert methodological(old, again, declared(f1=None), terms)[1][-1] == (
        "none of the declared metrics is in the run: the only one is judged, but for the volatile"
    )


def test_a_run_without_metrics_has_nothing_to_compare():
    assert statistical([outcome("a")], [outcome("b")]) == (CANNOT, ("no metric to compare",))
    assert methodological(outcome("a"), [outcome("b")]) == (CANNOT, ("no metric to compare",))


def test_of_many_metrics_the_worst_are_shown():
    names = [f"m{number:02}" for number in range(20)]
    old, new = outcome("a", **dict.fromkeys(names, 1.0)), outcome("b", **{**dict.fromkeys(names, 1.0), "m17": 2.0})
    found, evidence = methodological(old, [new])
    assert found is NO
    assert evidence[0] == "m17 2 is 100% off the recorded 1 (5% allowed)"
    assert evidence[1:] == ("19 metrics as recorded", "no metric is declared: all 20 are judged")
    near = outcome("c", **dict.fromkeys(names, 1.01))
    _, evidence = methodological(old, [near])
    assert evidence[5:] == ("15 more metrics", "no metric is declared: all 20 are judged")


@pytest.mark.parametrize(
    ("old", "new", "found", "line"),
    [
        (math.nan, math.nan, YES, "accuracy nan as recorded"),
        (math.inf, math.inf, YES, "accuracy inf as recorded"),
        (math.nan, 0.5, NO, "accuracy 0.5 where nan was recorded"),
        (0.5, math.nan, NO, "accuracy nan in rerun0"),
        (0.5, None, NO, "accuracy missing in rerun0"),
    ],
)
def test_a_metric_that_is_no_number_is_the_same_or_it_is_not(old, new, found, line):
    assert statistical([outcome("a", old), *runs(FIVE)], reruns([new]))[0] is found
    assert statistical([outcome("a", old), *runs(FIVE)], reruns([new]))[1][0] == line
    assert methodological(outcome("a", old), reruns([new]), declared(accuracy=None))[0] is found


# Methodological


@pytest.mark.parametrize(
    ("old", "new", "found", "evidence"),
    [
        (0.972, 0.971, YES, "accuracy 0.971 is 0.103% off the recorded 0.972 (5% allowed)"),
        (1.0, 0.95, YES, "accuracy 0.95 is 5% off the recorded 1 (5% allowed)"),
        (1.0, 0.94999, NO, "accuracy 0.94999 is 5.001% off the recorded 1 (5% allowed)"),
        (-2.0, -2.05, YES, "accuracy -2.05 is 2.5% off the recorded -2 (5% allowed)"),
        (1.0, 13.345, NO, "accuracy 13.345 is 1234% off the recorded 1 (5% allowed)"),
        (-2.0, 2.0, NO, "accuracy 2 is 200% off the recorded -2 (5% allowed)"),
        (1e-9, 1e-3, NO, "accuracy 0.001 is 1e+08% off the recorded 1e-09 (5% allowed)"),
        (0, 0, YES, "accuracy 0 where 0 was recorded"),
        (0, 1e-9, NO, "accuracy 1e-09 where 0 was recorded (no share of 0 can be allowed: see check.tolerance)"),
    ],
)
def test_results_are_similar_within_a_share_of_the_recorded_value(old, new, found, evidence):
    assert methodological(outcome("a", old), [outcome("b", new)], declared(accuracy=None)) == (found, (evidence,))


def test_beside_a_recorded_zero_what_is_declared_counts():
    old, new = outcome("a", 0), [outcome("b", 0.01)]
    assert methodological(old, new, declared(accuracy=0.02)) == (
        YES,
        ("accuracy 0.01 where 0 was recorded (± 0.02 allowed)",),
    )
    terms = parse_terms({"tolerance": {"accuracy": 0.005}})
    assert methodological(old, new, declared(accuracy=0.02), terms)[0] is NO


def test_the_rerun_that_is_farthest_off_counts():
    terms = parse_terms({"similar": "1%"})
    assert methodological(outcome("a", 100), reruns([100, 102, 99.5]), declared(accuracy=None), terms) == (
        NO,
        ("accuracy 102 is 2% off the recorded 100 (1% allowed)",),
    )


def test_what_was_executed_otherwise_is_named():
    lines = ["code: train.py changed, 1 lines added, 0 removed", "data: data.csv changed"]
    assert methodological(outcome("a", 1), [outcome("b", 1)], declared(accuracy=None), differences=lines) == (
        NO,
        (*lines, "accuracy 1 is 0% off the recorded 1 (5% allowed)"),
    )
    assert methodological(outcome("a"), [outcome("b")], differences=lines)[0] is NO


def test_an_answer_that_needs_no_quantile_loads_no_scipy():
    code = (
        "import sys; from exptrack.analysis.levels import judge; from exptrack.model.reproduction import *\n"
        "from exptrack.model.run import Status\n"
        "one = lambda name, seed: Outcome(name, Status.COMPLETED, seed, {'loss': 0.5})\n"
        "for seeds in ([0], [0, 1], [0, 1, 2]):\n"
        "    prior = Replicates(tuple(one(f'p{seed}', seed) for seed in seeds))\n"
        "    print(judge(one('p0', 0), [one('again', 0)], prior, {}, Terms())[1].answer)\n"
        "assert not {'scipy', 'numpy'} & sys.modules.keys()"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == [CANNOT, CANNOT, YES]
