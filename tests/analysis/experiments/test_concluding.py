"""What follows of a hypothesis, and how much of alpha each conclusion may spend."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exptrack.analysis.experiments.concluding import answer, find_look, find_status, list_threats
from exptrack.analysis.verdicts import decide
from exptrack.model.comparison import Comparison, Configuration, Rules, Sample, Verdict, Word
from exptrack.model.selection import Answer, PastConclusion
from exptrack.model.settings import Goal

RULES = Rules("accuracy", Goal.MAXIMIZE)
START = datetime(2026, 11, 1, tzinfo=UTC)


def past(evidence, spent, number=0):
    return PastConclusion(str(number), START + timedelta(days=number), "Ada", "accuracy", "not yet", evidence, spent)


def conclude_all(rules, numbers):
    """Concluding again and again at these numbers of runs: all looks."""
    earlier, looks = [], []
    for place, n in enumerate(numbers):
        look = find_look(rules, n, earlier, f"runs {place}")
        looks.append(look)
        earlier.append(past(f"runs {place}", look.spent, place))
    return looks


@pytest.mark.parametrize(
    ("words", "expected", "status"),
    [
        ([Word.BETTER], Answer.ACCEPTED, 0),
        ([Word.WORSE, Word.BETTER, Word.NOT_ENOUGH], Answer.ACCEPTED, 0),
        ([Word.WORSE], Answer.REJECTED, 1),
        ([Word.EQUIVALENT], Answer.REJECTED, 0),
        ([Word.EQUIVALENT, Word.IDENTICAL], Answer.REJECTED, 0),
        ([Word.EQUIVALENT, Word.WORSE], Answer.REJECTED, 1),
        ([Word.WORSE, Word.NO_DIFFERENCE], Answer.NOT_YET, 4),
        ([Word.NO_DIFFERENCE], Answer.NOT_YET, 4),
        ([Word.NOT_ENOUGH], Answer.NOT_YET, 4),
        ([Word.DETERMINISTIC], Answer.NOT_YET, 4),
        ([Word.NOT_COMPARABLE], Answer.NOT_YET, 4),
        ([Word.WITHHELD], Answer.NOT_YET, 4),
        ([], Answer.NOT_YET, 4),
    ],
)
def test_words_become_an_answer_and_a_status(words, expected, status):
    verdicts = [Verdict(f"lr={place}", word, "") for place, word in enumerate(words)]
    assert answer(verdicts)[0] is expected
    assert find_status(verdicts) == status


def test_the_answer_says_why():
    verdicts = [Verdict("a", Word.BETTER, ""), Verdict("b", Word.WORSE, ""), Verdict("c", Word.BETTER, "")]
    assert answer(verdicts)[1] == "a and c are better than the baseline"
    assert answer(verdicts[1:2])[1] == "no candidate is better than the baseline: 1 worse"


def test_without_a_plan_the_jth_conclusion_spends_its_part():
    looks = conclude_all(RULES, [3, 4, 5])
    assert [look.spent for look in looks] == pytest.approx([0.05 / 2, 0.05 / 6, 0.05 / 12])
    assert [look.alpha for look in looks] == [look.spent for look in looks]
    assert [look.number for look in looks] == [1, 2, 3]


@given(st.lists(st.integers(0, 30), max_size=40), st.sampled_from([None, 3, 5, 10]))
def test_all_conclusions_together_spend_no_more_than_alpha(numbers, planned):
    looks = conclude_all(RULES._replace(planned=planned), numbers)
    assert sum(look.spent for look in looks) <= 0.05 * (1 + 1e-9)
    assert all(look.alpha == look.spent for look in looks if look.spent)


def test_what_was_planned_spends_all_of_alpha_once():
    looks = conclude_all(RULES._replace(planned=5), [3, 4, 5, 6])
    assert [look.spent for look in looks] == [0, 0, 0.05, 0]
    assert [look.alpha for look in looks] == [0.05, 0.05, 0.05, 0]


def test_declared_looks_spend_what_is_theirs():
    looks = conclude_all(RULES._replace(looks=(3, 5, 10)), [3, 4, 5, 10, 11])
    assert [round(look.spent, 4) for look in looks] == [0.0005, 0, 0.0141, 0.0451, 0]
    assert looks[-1].alpha == 0


def test_on_the_same_runs_it_is_decided_as_it_was():
    earlier = [past("a", 0.025, 1), past("b", 0.05 / 6, 2)]
    look = find_look(RULES, 5, earlier, "a")
    assert (look.number, look.alpha, look.spent, look.is_repeated) == (1, 0.025, 0, True)
    # Whoever wrote what was spent: it is decided at no more than what is declared.
    assert find_look(RULES, 5, [past("a", 0.9, 1)], "a").alpha == 0.05


def test_runs_that_nothing_was_decided_on_are_no_look():
    assert find_look(RULES, 0, [past("a", 0)], "a") == (1, 0.05, 0.0, True)
    assert find_look(RULES, 3, [past("a", 0)], "b").spent == 0.025


def test_what_is_said_of_runs_in_a_verdict_is_a_threat_once():
    rules = RULES._replace(is_declared=True)
    base = Sample("a", {str(seed): 0.8 + seed / 100 for seed in range(3)}, failed=1)
    other = Sample("b", {str(seed): 0.9 + seed / 100 for seed in range(3)}, missing=2, collapsed=1, unseeded=3)
    lone = Sample("c", failed=1, missing=1)
    verdicts = decide(rules, base, [other])
    sides = (("a", base), ("b", other), ("c", lone))
    shown = tuple(
        Configuration(label, {}, "", (), sample, is_baseline=label == "a", mixed=("code",) if label == "b" else ())
        for label, sample in sides
    )
    comparison = Comparison(rules, shown, verdicts, baseline="a")
    assert list_threats(comparison, {"b": ["environment"]}, ["data.csv", "data.csv"]) == (
        "environment of b is not that of the baseline",
        "b mixes code",
        "b: 2 runs without a finite accuracy",
        "b: 1 rerun of a seed averaged with it",
        "b: 3 runs without a known seed, each taken for another",
        "c: 1 run without a finite accuracy",
        "c: 1 run did not complete",
        "data.csv was changed without its pointer",
        "b: failed: 2 of 6 against 1 of 4 (Fisher p=1)",
    )
    assert set(verdicts[0].notes) >= set(list_threats(comparison, {})[1:4])
