"""The decision, case by case, with its exact sentences. Their numbers are those of scipy.stats and of statsmodels' TTestIndPower."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from statsmodels.stats.power import TTestIndPower

from exptrack.analysis.stats import deviation, mean
from exptrack.analysis.stats.ranks import friedman
from exptrack.analysis.verdicts import decide, describe_winner, explore, look_alphas
from exptrack.model.comparison import Rules, Sample, Word
from exptrack.model.experiment import Noise, Pairing
from exptrack.model.settings import Goal

RULES = Rules("accuracy", Goal.MAXIMIZE, is_declared=True)
EFFECT = RULES._replace(min_effect=0.01)
BASE = (0.90, 0.91, 0.89, 0.92, 0.88)
HIGH = tuple(value + 0.03 for value in (0.90, 0.91, 0.895, 0.915, 0.88))
NEAR = (0.902, 0.911, 0.893, 0.919, 0.881)


def sample(values, label="b", **more):
    return Sample(label, {str(unit): value for unit, value in enumerate(values)}, **more)


def one(rules, x, y, **more):
    x = x if isinstance(x, Sample) else sample(x, "a")
    y = y if isinstance(y, Sample) else sample(y)
    (verdict,) = decide(rules, x, [y], **more)
    return verdict


@pytest.mark.parametrize(
    ("rules", "x", "y", "line"),
    [
        (RULES, BASE, HIGH, "better: accuracy +0.030 [95% CI +0.008, +0.052], 5 vs 5 seeds, Welch p=0.013"),
        (EFFECT, [0.1, 0.11, 0.12], [0.9, 0.91, 0.92], "better: accuracy +0.800 [95% CI +0.777, +0.823], 3 vs 3 seeds, Welch p<0.0001, by more than min_effect 0.01"),
        (RULES._replace(min_effect=0.1), BASE, HIGH, "better: accuracy +0.030 [95% CI +0.008, +0.052], 5 vs 5 seeds, Welch p=0.013, smaller than min_effect 0.1"),
        (RULES._replace(alpha=0.01), HIGH, [0.7, 0.71, 0.69], "worse: accuracy -0.230 [99% CI -0.262, -0.198], 5 vs 3 seeds, Welch p<0.0001 (alpha 0.01)"),
        (RULES._replace(min_effect=0.05), BASE, NEAR, "equivalent within +/-0.05 (90% CI -0.017..+0.019); 5 vs 5 seeds, Welch p=0.90"),
        (RULES, BASE, NEAR, "no detectable difference: +0.001 [-0.021, +0.024]; this comparison could have detected +/-0.031; 5 vs 5 seeds, Welch p=0.90"),
        (EFFECT, BASE, NEAR, "not enough runs: +0.001 [-0.021, +0.024]; about 61 more seeds per configuration to detect 0.01; 5 vs 5 seeds, Welch p=0.90"),
        (RULES._replace(min_effect=1e-6), BASE, NEAR, "not enough runs: +0.001 [-0.021, +0.024]; more than 10,000 more seeds per configuration to detect 1e-06; 5 vs 5 seeds, Welch p=0.90"),
        (RULES, [0.5] * 3, [0.5] * 4, "identical: 3 vs 4 seeds; no run-to-run variation was recorded: is the seed used?"),
        (RULES, [0.1 + 0.2] * 3, [0.3] * 3, "identical: 3 vs 3 seeds; no run-to-run variation was recorded: is the seed used?"),
        (RULES, [0.5] * 3, [0.6] * 3, "deterministic difference: +0.10, 3 vs 3 seeds; no run-to-run variation was recorded: is the seed used?"),
        (RULES, [0.5], [0.6], "not enough runs: +0.10, 1 vs 1 seeds; each needs 3 or more"),
        (RULES, [0.5, 0.6], [0.9, 0.91, 0.92], "not enough runs: +0.36, 2 vs 3 seeds; each needs 3 or more"),
        (RULES, [], [0.9], "not enough runs: 0 vs 1 seeds; a has no usable run"),
        (RULES, BASE, [math.nan, math.inf, -math.inf], "not enough runs: 5 vs 0 seeds; b has no usable run"),
        (RULES._replace(goal=None), BASE, [0.7, 0.71, 0.69], "withheld: they differ, but no goal of accuracy is declared: maximize or minimize; accuracy -0.200 [-0.222, -0.178]; 5 vs 3 seeds, Welch p<0.0001"),
        (RULES, [1e200, 2e200, 3e200], [1e200, 2e200, 4e200], "withheld: values beyond 1e60, or all within 1e-60 of 0, are not compared; accuracy +3.33333e+199; 3 vs 3 seeds"),
        (RULES._replace(planned=5), BASE, [0.7, 0.71, 0.69], "withheld: 3 of 5 planned runs; accuracy -0.200 [-0.222, -0.178]; 5 vs 3 seeds"),
        (RULES._replace(looks=(3, 5, 10)), BASE, (*HIGH[:4],), "withheld: 4 of 5 runs for look 2 of 3, alpha 0.014; accuracy +0.035 [98.6% CI +0.007, +0.063]; 5 vs 4 seeds"),
        (RULES._replace(pair_by=Pairing.SEED), BASE, HIGH, "better: accuracy +0.0300 [95% CI +0.0256, +0.0344], 5 pairs of seeds, paired t p<0.0001"),
        (RULES._replace(pair_by=Pairing.SEED), BASE, [value + 0.5 for value in BASE], "deterministic difference: +0.50, 5 pairs of seeds; the same difference in each of 5 pairs"),
        (RULES._replace(pair_by=Pairing.SPLIT), BASE, HIGH[:2], "not enough runs: +0.030, 2 splits; 2 of 3 pairs that it takes"),
        (RULES._replace(pair_by=Pairing.FOLD), BASE, HIGH, "withheld: folds share their training data: declare test_share, the test data's size over the training data's; accuracy +0.030; 5 folds"),
    ],
)  # fmt: skip
def test_each_word_has_its_sentence(rules, x, y, line):
    assert one(rules._replace(planned=rules.planned or (None if rules.looks else 3)), x, y).line == line


def test_the_test_is_welchs_with_its_interval():
    verdict = one(RULES, BASE, HIGH)
    oracle = stats.ttest_ind(HIGH, BASE, equal_var=False)
    interval = oracle.confidence_interval(0.95)
    assert (verdict.p, verdict.adjusted) == pytest.approx((oracle.pvalue, oracle.pvalue))
    assert verdict.interval == pytest.approx((interval.low, interval.high, 0.95))
    assert verdict.better_share == pytest.approx(stats.mannwhitneyu(HIGH, BASE).statistic / 25)


def test_pairs_are_tested_by_their_differences_and_leftovers_are_told():
    other = Sample("b", {**dict(zip("01234", HIGH, strict=True)), "extra": 0.5})
    verdict = one(RULES._replace(pair_by=Pairing.SEED), BASE, other)
    assert verdict.p == pytest.approx(stats.ttest_rel(HIGH, BASE).pvalue)
    assert verdict.beside == {"sign flips": 0.0625}
    assert "tests_disagree" not in verdict.flags
    assert "unpaired_left_out" in verdict.flags
    assert "1 seed without a partner left out" in verdict.notes


def test_folds_are_tested_by_nadeau_and_bengio():
    steps = [b - a for a, b in zip(BASE, HIGH, strict=True)]
    t = mean(steps) / (deviation(steps) * math.sqrt(1 / 5 + 0.25))
    verdict = one(RULES._replace(pair_by=Pairing.FOLD, test_share=0.25), BASE, HIGH)
    assert verdict.p == pytest.approx(2 * stats.t.sf(t, 4))
    assert verdict.line.endswith("5 folds, Nadeau-Bengio p=0.0002")


def test_splits_that_share_training_data_are_tested_as_folds_are():
    plain = one(RULES._replace(pair_by=Pairing.SPLIT), BASE, HIGH)
    assert plain.test == "paired t"
    assert "splits are taken to share no data: if their training data overlap, declare test_share" in plain.notes
    rules = EFFECT._replace(pair_by=Pairing.SPLIT, test_share=0.25)
    shared, fold = one(rules, BASE, HIGH), one(rules._replace(pair_by=Pairing.FOLD), BASE, HIGH)
    assert (shared.test, shared.p, shared.beside) == ("Nadeau-Bengio", fold.p, {})
    assert not any("declare test_share" in note for note in shared.notes)
    assert "too few splits to detect 0.01" in one(rules, BASE, [0.89, 0.93, 0.90, 0.90, 0.90]).line


def test_the_number_of_runs_that_is_still_needed_is_planned_with_the_upper_deviation():
    # STATISTICS 3.5, by statsmodels and scipy.stats: s_up = s_p sqrt(nu/chi2(.20, nu)), n* at power .8, at alpha/k.
    s_p, nu = math.sqrt((stats.tstd(BASE) ** 2 + stats.tstd(NEAR) ** 2) / 2), 8
    s_up = s_p * math.sqrt(nu / stats.chi2.ppf(0.20, nu))
    for others, k in (((), 1), ((HIGH, BASE[:3]), 3)):
        needed = math.ceil(TTestIndPower().solve_power(0.01 / s_up, alpha=0.05 / k, power=0.8))
        first = decide(EFFECT, sample(BASE, "a"), [sample(NEAR), *(sample(x, f"c{len(x)}") for x in others)])[0]
        assert (first.word, first.more) == (Word.NOT_ENOUGH, needed - 5)
        assert f"about {needed - 5} more seeds per configuration" in first.line


def test_the_more_runs_are_told_from_the_smaller_group():
    few, many = one(EFFECT, BASE, NEAR), one(EFFECT, [*BASE, *BASE], NEAR)
    assert many.more is not None
    assert few.more is not None
    assert many.more < few.more + 5  # by the deviation of fifteen; what there is counts as five


def test_without_a_smallest_effect_there_is_no_number_of_runs():
    verdict = one(RULES, BASE, NEAR)
    assert (verdict.word, verdict.more) == (Word.NO_DIFFERENCE, None)
    power = TTestIndPower().power(verdict.detectable / math.sqrt((stats.tvar(BASE) + stats.tvar(NEAR)) / 2), 5, 0.05)
    assert power == pytest.approx(0.8, abs=1e-3)  # Welch has 7.7 degrees, not 8


def test_equivalence_and_power_are_decided_at_alpha_over_k():
    rules, others = RULES._replace(min_effect=0.02), [NEAR, [value + 0.005 for value in NEAR], [*NEAR[:3]]]
    alone = one(rules, BASE, NEAR)
    among = decide(rules, sample(BASE, "a"), [sample(values, f"b{place}") for place, values in enumerate(others)])[0]
    assert alone.equivalence.confidence == pytest.approx(0.9)
    assert (alone.word, among.word) == (Word.EQUIVALENT, Word.NOT_ENOUGH)
    wide = decide(
        rules._replace(min_effect=0.1),
        sample(BASE, "a"),
        [sample(values, f"b{place}") for place, values in enumerate(others)],
    )
    assert [verdict.equivalence.confidence for verdict in wide] == pytest.approx([1 - 2 * 0.05 / 3] * 3)


def test_intervals_that_hold_at_once_are_bonferroni_s_or_dunnett_s():
    groups = [sample(HIGH, "b"), sample(NEAR, "c")]
    b, c = decide(RULES, sample(BASE, "a"), groups)
    for verdict, values in ((b, HIGH), (c, NEAR)):
        ends = stats.ttest_ind(values, BASE, equal_var=False).confidence_interval(1 - 0.05 / 2)
        assert verdict.simultaneous == pytest.approx((ends.low, ends.high, 0.975))
    assert c.interval.confidence == 0.95
    first, _ = decide(RULES._replace(noise=Noise.COMMON), sample(BASE, "a"), groups)
    assert first.simultaneous == first.interval
    assert one(RULES, BASE, HIGH).simultaneous is None


@pytest.mark.parametrize("pair_by", [Pairing.SEED, Pairing.FOLD, Pairing.DATASET])
def test_pairs_that_were_not_declared_beforehand_are_told(pair_by):
    rules = RULES._replace(pair_by=pair_by, test_share=0.25 if pair_by is Pairing.FOLD else None)
    x, y = [*BASE, 0.9], [*HIGH, 0.95]
    told = "pairs were not declared before the first run: the smaller of two p-values makes more false claims"
    assert told not in one(rules, x, y).notes
    assert told in one(rules._replace(is_declared=False), x, y).notes


def test_a_lone_run_is_seen_beside_the_prediction_interval():
    assert (
        "the single run's 0.910 is inside the baseline's 95% prediction interval 0.900 +/- 0.048"
        in one(RULES, BASE, [0.91]).line
    )
    assert "0.800 is outside the candidate's" in one(RULES, [0.8], BASE).line


def test_holm_is_over_all_with_three_runs_whatever_they_say():
    others = [sample(HIGH, "b"), sample(NEAR, "c"), sample([0.5] * 3, "d"), sample([0.5, 0.6], "e")]
    b, c, d, e = decide(RULES, sample(BASE, "a"), others)
    oracle = stats.ttest_ind(HIGH, BASE, equal_var=False).pvalue
    assert b.among == c.among == 3
    # d does not vary, but the baseline does.
    assert (d.word, "constant_candidate" in d.flags) == (Word.WORSE, True)
    assert b.adjusted == pytest.approx(2 * oracle)
    assert b.interval.confidence == pytest.approx(1 - 0.05 / 2)
    assert c.interval.confidence == pytest.approx(1 - 0.05)
    assert (e.word, e.p) == (Word.NOT_ENOUGH, None)
    assert b.line.endswith("(Holm over 3 configurations)")


def test_dunnett_is_only_taken_where_it_was_declared_and_noise_is_alike():
    groups = [sample(HIGH, "b"), sample(NEAR, "c")]
    common = RULES._replace(noise=Noise.COMMON)
    b, _ = decide(common, sample(BASE, "a"), groups)
    oracle = stats.dunnett(HIGH, NEAR, control=BASE, rng=0)
    assert b.test == "Dunnett"
    assert b.adjusted == pytest.approx(oracle.pvalue[0], abs=1e-3)
    low, high = (ends[0] for ends in oracle.confidence_interval(0.95))
    assert b.interval[:2] == pytest.approx((low, high), abs=1e-3)
    late, _ = decide(common._replace(is_declared=False), sample(BASE, "a"), groups)
    assert late.test == "Welch"
    assert "one noise for all was not declared before the first run: Welch and Holm in place of Dunnett" in late.notes
    noisy, _ = decide(common, sample(BASE, "a"), [sample([0.2, 0.9, 0.5, 0.7, 0.1], "b"), sample(NEAR, "c")])
    assert noisy.test == "Welch"
    assert any("Bartlett p=" in note for note in noisy.notes)


def test_dunnett_counts_what_could_not_be_tested():
    common = RULES._replace(noise=Noise.COMMON)
    base, groups = sample(BASE, "a"), [sample(HIGH, "b"), sample(NEAR, "c")]
    huge = sample([1e200, 2e200, 3e200], "d")
    two, three = decide(common, base, groups)[0], decide(common, base, [*groups, huge])[0]
    assert (two.test, three.test, three.among) == ("Dunnett", "Dunnett", 3)
    assert two.adjusted < three.adjusted < 2 * two.adjusted
    assert three.interval.low < two.interval.low


def test_a_screen_names_candidates_to_confirm():
    others = [sample([value + 0.0001 * place for value in HIGH], f"b{place}") for place in range(22)]
    verdicts = decide(RULES, sample(BASE, "a"), others)
    assert "candidate_to_confirm" in {
        flag for verdict in verdicts if verdict.word is not Word.BETTER for flag in verdict.flags
    }
    assert not any("candidate_to_confirm" in verdict.flags for verdict in verdicts if verdict.word is Word.BETTER)


def test_one_algorithm_over_datasets_is_tested_by_wilcoxon_as_demsar_did():
    # Demsar 2006, JMLR 7, table 2: C4.5 and C4.5+m, AUC on 14 datasets; T = 12 (R- = 12 with zeros split), rejected at .05.
    c45 = [0.763, 0.599, 0.954, 0.628, 0.882, 0.936, 0.661, 0.583, 0.775, 1.000, 0.940, 0.619, 0.972, 0.957]
    c45m = [0.768, 0.591, 0.971, 0.661, 0.888, 0.931, 0.668, 0.583, 0.838, 1.000, 0.962, 0.666, 0.981, 0.978]
    verdict = one(RULES._replace(pair_by=Pairing.DATASET), c45, c45m)
    assert verdict.word is Word.BETTER
    assert verdict.p < 0.05
    assert verdict.interval is None
    assert verdict.line.startswith(
        "better: accuracy +0.016 on average, higher on 10 and lower on 2 of 14, 14 datasets, Wilcoxon p=0.0"
    )
    assert one(RULES._replace(pair_by=Pairing.DATASET), c45[:5], c45m[:5]).line.endswith(
        "5 datasets; each needs 6 datasets or more"
    )


def test_several_over_datasets_are_tested_by_friedman_and_holm():
    # Demsar 2006, table 6: C4.5, C4.5+m, C4.5+cf, C4.5+m+cf on 14 datasets; chi2 = 9.28, average ranks 3.143, 2.000, 2.893, 1.964.
    table = [
        (0.763, 0.768, 0.771, 0.798), (0.599, 0.591, 0.590, 0.569), (0.954, 0.971, 0.968, 0.967), (0.628, 0.661, 0.654, 0.657),
        (0.882, 0.888, 0.886, 0.898), (0.936, 0.931, 0.916, 0.931), (0.661, 0.668, 0.609, 0.685), (0.583, 0.583, 0.563, 0.625),
        (0.775, 0.838, 0.866, 0.875), (1.000, 1.000, 1.000, 1.000), (0.940, 0.962, 0.965, 0.962), (0.619, 0.666, 0.614, 0.669),
        (0.972, 0.981, 0.9751, 0.975), (0.957, 0.978, 0.946, 0.970),
    ]  # fmt: skip
    base, *others = (sample(column, label) for column, label in zip(zip(*table, strict=True), "abcd", strict=True))
    verdicts = decide(RULES._replace(pair_by=Pairing.DATASET), base, others)
    # z = (R_i - R_0)/0.488; section 3.2.2 has 2.416, 2.342 and 0.512.
    assert [round(stats.norm.isf(verdict.p / 2), 2) for verdict in verdicts] == [2.34, 0.51, 2.42]
    assert [verdict.word for verdict in verdicts] == [Word.BETTER, Word.NO_DIFFERENCE, Word.BETTER]
    assert "Friedman over 14 datasets: chi2=9.28, Iman-Davenport p=0.02" in verdicts[0].notes


def test_looks_spend_alpha_as_o_brien_and_fleming():
    # STATISTICS 3.4 for three; C from Jennison and Turnbull 2000, table 2.3.
    assert [float(f"{alpha:.2g}") for alpha in look_alphas(3)] == [0.00052, 0.014, 0.045]
    for count, c in {1: 1.960, 2: 1.977, 4: 2.024, 5: 2.040, 10: 2.087}.items():
        assert stats.norm.isf(look_alphas(count)[-1] / 2) == pytest.approx(c, abs=6e-4)
    assert stats.norm.isf(look_alphas(4, 0.01)[-1] / 2) == pytest.approx(2.609, abs=6e-4)
    with pytest.raises(ValueError, match="0 looks"):
        look_alphas(0)
    rules = RULES._replace(looks=(3, 5))
    assert one(rules, BASE, HIGH).alpha == look_alphas(2)[1]
    assert one(rules, BASE[:3], HIGH[:3]).alpha == look_alphas(2)[0]
    assert "more_than_planned" in one(rules, [*BASE, 0.9], [*HIGH, 0.93]).flags


def test_what_does_not_vary_over_datasets_has_its_rank_beside_the_others():
    x = [0.5, 0.6, 0.7, 0.8, 0.9, 0.55, 0.65, 0.75, 0.62, 0.73]
    y, lower = [value + 0.02 + place / 1000 for place, value in enumerate(x)], [value - 0.01 for value in x]
    rules = RULES._replace(pair_by=Pairing.DATASET)
    b, c, d = decide(rules, sample(x, "a"), [sample(y), sample(lower, "c"), sample(x, "d")])
    assert (b.word, c.word, d.word) == (Word.BETTER, Word.DETERMINISTIC, Word.IDENTICAL)
    # Ranks 2.5, 1, 4 and 2.5 on each of ten: z = 1.5/sqrt(4*5/60), and all rows agree.
    assert b.p == pytest.approx(2 * stats.norm.sf(1.5 / math.sqrt(20 / 60)))
    assert b.adjusted == pytest.approx(3 * b.p)
    theirs = friedman([[2.5, 1, 4, 2.5]] * 10)
    assert f"Friedman over 10 datasets: chi2={theirs.chi2:.3g}" in b.notes[-1]


@pytest.mark.parametrize(("count", "alpha"), [(2, 0.05), (3, 0.2), (3, 0.05 / 6), (4, 0.05)])
def test_looks_together_spend_alpha_by_scipy_s_multivariate_normal(count, alpha):
    steps = range(1, count + 1)
    shape = [[math.sqrt(min(i, j) / max(i, j)) for j in steps] for i in steps]
    bounds = [stats.norm.isf(one / 2) for one in look_alphas(count, alpha)]
    inside = stats.multivariate_normal([0.0] * count, shape, seed=1).cdf(bounds, lower_limit=[-one for one in bounds])
    assert 1 - inside == pytest.approx(alpha, abs=2e-5)


@pytest.mark.parametrize("noise", Noise)
def test_however_many_looks_and_however_small_alpha_there_is_an_answer(noise):
    rules = EFFECT._replace(noise=noise)
    for many in (rules._replace(looks=tuple(range(3, 103))), rules._replace(alpha=1e-300)):
        verdicts = decide(many, sample(BASE[:3], "a"), [sample(HIGH[:3]), sample(HIGH[1:4], "c")])
        assert {one.word for one in verdicts} == {Word.NOT_ENOUGH}
        assert {one.alpha for one in verdicts} == {1e-10}
        assert all(0.99 < one.interval.confidence < 1 for one in verdicts)
        assert one(many, BASE[:3], [value + 1e4 for value in HIGH[:3]]).word is Word.BETTER


def test_claims_without_a_plan_say_so():
    assert "seeds_not_planned" in one(RULES, BASE, HIGH).flags
    assert "seeds_not_planned" not in one(RULES._replace(planned=5), BASE, HIGH).flags
    assert "more_than_planned" in one(RULES._replace(planned=3), BASE, HIGH).flags


def test_more_failures_withhold_a_word_that_ranks_do_not_share():
    base, wide = sample([*BASE, *NEAR], "a"), [*HIGH, *(value + 0.03 for value in NEAR)]
    verdict = one(RULES, base, sample(wide[:7], failed=2, missing=1))
    assert verdict.line.startswith("withheld: more failures (3 of 10 against 0 of 10); accuracy +0.03")
    assert "conditional_on_completion" in verdict.flags
    assert verdict.beside["fisher"] == pytest.approx(stats.fisher_exact([[3, 7], [0, 10]]).pvalue)
    assert "a: no failure in 10 runs, so its rate of failures is below 26% (95% limit)" in verdict.notes
    far = [value + 0.5 for value in wide]
    assert one(RULES, base, sample([*far, *far], failed=1)).word is Word.BETTER
    assert one(RULES, sample(BASE, "a", failed=1), sample(HIGH)).word is Word.BETTER
    assert one(RULES, BASE, sample([0.5, 0.51, 0.52, 0.5, 0.53], failed=1)).word is Word.WORSE
    assert one(RULES, [0.5] * 3, sample([0.5] * 3, failed=1)).word is Word.WITHHELD


def test_what_was_evaluated_on_other_data_is_not_compared():
    base = sample(BASE, "a", evaluated={"test.csv": ("1",)})
    verdict = one(RULES, base, sample(HIGH, evaluated={"test.csv": ("2",)}))
    assert (verdict.line, verdict.p, verdict.difference) == (
        "not comparable: evaluated on different test.csv",
        None,
        None,
    )
    forced = one(RULES, base, sample(HIGH, evaluated={"test.csv": ("2",)}), is_forced=True)
    assert forced.word is Word.WITHHELD
    assert forced.line.startswith(
        "withheld: not comparable (evaluated on different test.csv); accuracy +0.030 [+0.008, +0.052]"
    )
    same = one(
        RULES,
        sample([0.5] * 3, "a", evaluated={"t": ("1",)}),
        sample([0.5] * 3, evaluated={"t": ("2",)}),
        is_forced=True,
    )
    assert same.word is Word.WITHHELD
    assert same.line.startswith("withheld: not comparable (evaluated on different t); no run-to-run variation")
    assert (
        one(RULES, base, sample(HIGH)).line
        == "not comparable: it is not known what test.csv was in the evaluation of b"
    )
    assert one(RULES, base, sample(HIGH, evaluated={"test.csv": ("1", "2")})).line.endswith(
        "b was evaluated on 2 states of test.csv"
    )
    assert one(RULES, base, sample(HIGH, evaluated={"test.csv": ("1",)})).word is Word.BETTER


def test_flags_name_what_weakens_a_verdict():
    flags = one(RULES, sample([0.9] * 3, "a", collapsed=2), sample([*HIGH, *NEAR, *HIGH], unseeded=3)).flags
    assert {"duplicate_seeds_collapsed", "seeds_unknown", "constant_baseline", "unequal_sizes"} <= set(flags)
    x, y = [0, 0, 0, 0, 0, 0.1], [0.1, 0.2, 0.15, 0.05, 0.02, 9]
    verdict = one(RULES, x, y)
    assert verdict.beside["permutation"] <= 0.05 < verdict.p
    assert "tests_disagree" in verdict.flags


def test_exploration_gives_adjusted_numbers_and_no_word():
    loss = Rules("loss", Goal.MINIMIZE)
    tables = {
        "accuracy": decide(RULES, sample(BASE, "a"), [sample(HIGH)]),
        "loss": decide(loss, sample(BASE, "a"), [sample(NEAR), sample([1.0])]),
    }
    pairs = {
        "accuracy": [(sample(BASE, "a"), sample(HIGH))],
        "loss": [(sample(BASE, "a"), sample(NEAR)), (sample(BASE, "a"), sample([1.0]))],
    }
    shown = explore(tables, {"accuracy": RULES, "loss": loss}, pairs)
    first = shown["accuracy"][0]
    assert first.word is Word.WITHHELD
    assert first.adjusted == pytest.approx(2 * first.p)
    assert (
        first.line
        == "exploratory: accuracy +0.030 [97.5% CI +0.004, +0.056], Welch p=0.026 (Benjamini-Hochberg over 2 comparisons)"
    )
    assert shown["loss"][1].word is Word.NOT_ENOUGH


@given(
    st.lists(
        st.lists(st.integers(0, 60).map(lambda value: value / 100), min_size=3, max_size=4), min_size=1, max_size=6
    )
)
def test_an_explored_interval_leaves_out_0_exactly_where_its_p_is_at_most_alpha(studied):
    base = sample([0.1, 0.12, 0.15, 0.11], "base")
    pairs = [(base, sample(values, f"c{place}")) for place, values in enumerate(studied)]
    tables = {"loss": decide(RULES, base, [one for _, one in pairs])}
    for verdict in explore(tables, {"loss": RULES}, {"loss": pairs})["loss"]:
        if verdict.p is not None:
            low, high, _ = verdict.interval
            assert (low > 0 or high < 0) is (verdict.adjusted <= RULES.alpha)


def test_the_winner_is_told_what_noise_alone_gives():
    # s/sqrt(n) * E[Z_max(k)]: STATISTICS 1 has 1.16 for 5.
    values = [[place - 1.0, place, place + 1.0] for place in range(5)]
    assert (
        describe_winner(RULES, [sample(one) for one in values])
        == f"the best of 5 configurations looks {1.16296 / math.sqrt(3):.2g} better by noise alone"
    )
    assert not describe_winner(RULES, [sample([1.0] * 3), sample([2.0] * 3)])
    # A single run has no p, but may be the best: n is the harmonic mean of 3 and 1.
    assert (
        describe_winner(RULES, [sample(values[0]), sample([9.0]), sample([])])
        == f"the best of 2 configurations looks {0.56419 / math.sqrt(1.5):.2g} better by noise alone"
    )


def test_an_alpha_that_is_none_is_refused():
    with pytest.raises(ValueError, match="alpha is 1"):
        decide(RULES._replace(alpha=1), sample(BASE), [])
    assert decide(RULES, sample(BASE), []) == ()
