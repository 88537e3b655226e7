"""Comparisons and choices of many configurations, or of ones with long names: the baseline stays in sight."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from exptrack.model.comparison import Comparison, Configuration, Rules, Sample, Verdict, Word
from exptrack.model.selection import Chosen, Seen, Selected, Unsealed
from exptrack.model.settings import Goal
from exptrack.render.comparison import format_comparison
from exptrack.render.comparisonmarkdown import format_markdown
from exptrack.render.comparisonparts import list_rows
from exptrack.render.gfm import sentence, word_span
from exptrack.render.selection import format_selected, format_unsealed

RULES = Rules("accuracy", Goal.MAXIMIZE)


def made(label: str, *, is_baseline: bool = False) -> Configuration:
    return Configuration(label, {}, "", (label,), Sample(label, {"0": 0.5}), is_baseline=is_baseline, mean=0.5)


def test_a_long_label_loses_its_end_and_not_the_mark_of_the_baseline():
    line = format_comparison(Comparison(RULES, (made("x" * 70, is_baseline=True),))).splitlines()[-1]
    assert line.startswith(f"{'x' * 48}… (baseline)  1  ")


def test_the_baseline_is_listed_beside_the_ten_best():
    candidates = tuple(made(f"lr={place:02}") for place in range(15))
    chosen = Chosen("", datetime(2026, 1, 5, tzinfo=UTC), "Ada", "accuracy", "lr=00", ("lr=00",), ("lr=13",), among=15)
    told = format_selected(Selected("rate", RULES, chosen, True, candidates, baseline="lr=13")).splitlines()
    assert [line.split()[0] for line in told[3:14]] == [*(f"lr={place:02}" for place in range(10)), "lr=13"]
    assert told[3].endswith("selected")
    assert told[13].endswith("baseline")
    assert told[14] == "  4 more; --json lists all"


def test_of_many_commands_the_first_are_shown_and_the_others_counted():
    chosen = Chosen("", datetime(2026, 1, 5, tzinfo=UTC), "Ada", "accuracy", "lr=00", ("lr=00",), ("lr=13",), 1_500)
    commands = tuple(f"exptrack run -e rate --seed {seed} -- python train.py" for seed in range(3_000))
    told = format_selected(Selected("rate", RULES, chosen, False, (made("lr=00"),), commands=commands)).splitlines()
    assert told[-2] == f"  {commands[19]}"
    assert (
        told[-1] == "  2,980 more; --json lists all, and when these are made, `exptrack select -e rate` prints the next"
    )
    assert "not confirmed yet: 0 of 1,500 fresh runs of it, 0 of 1,500 of the baseline" in told


def varied(label: str, mean: float, sd: float | None) -> Configuration:
    values = {"0": mean} if sd is None else {"0": mean, "1": mean, "2": mean}
    sample = Sample(label, values)
    return Configuration(label, {}, "", (label,), sample, mean=mean, sd=sd, low=mean, median=mean, high=mean)


def cells(*configurations: Configuration) -> list[list[str]]:
    return [list(row[2:4]) for row in list_rows(Comparison(RULES, configurations))]


def test_the_numbers_of_a_table_have_equal_decimals():
    some = varied("a", 0.8302, 0.0074), varied("b", 0.8176, 0.0152), varied("c", 0.7949, 0.0116)
    assert cells(*some) == [["0.8302", "0.0074"], ["0.8176", "0.0152"], ["0.7949", "0.0116"]]
    assert cells(varied("a", 96.4, 1.1), varied("b", 97.5, 0.73)) == [["96.40", "1.10"], ["97.50", "0.73"]]


def test_one_that_varies_little_does_not_stretch_the_numbers_of_all_others():
    assert cells(varied("a", 5, 1.0), varied("b", 5.1, 1.2), varied("c", 5.2, 0.003)) == [
        ["5.00", "1.00"],
        ["5.10", "1.20"],
        ["5.2000", "0.0030"],
    ]


def test_single_values_have_equal_decimals_too():
    assert cells(varied("a", 0.837314, None), varied("b", 0.82792, None)) == [["0.837314", "-"], ["0.827920", "-"]]
    assert cells(varied("a", 2e-9, None), varied("b", 0.5, None)) == [["2e-09", "-"], ["0.5", "-"]]
    assert cells(varied("a", 0.5, 0.0), varied("b", 0.4, 0.01)) == [["0.500", "0.000"], ["0.400", "0.010"]]


def test_the_holdout_of_both_has_equal_decimals():
    seen = Seen("adam", 5, 0.81, 0.0088), Seen("sgd", 5, 0.61, 0.012, is_baseline=True)
    told = format_unsealed(Unsealed("rate", RULES, "why", seen)).splitlines()
    assert [line.split()[1:4] for line in told[3:5]] == [["5", "0.8100", "0.0088"], ["5", "0.6100", "0.0120"]]


def test_the_best_of_an_experiment_is_told_how_it_is_confirmed():
    flags = ("selected_on_this_split",)
    verdict = Verdict("a", Word.BETTER, "better: accuracy +0.1", flags=flags)
    shown = Comparison(RULES, (made("a"), made("b", is_baseline=True)), (verdict,), experiment="rate")
    assert "or a holdout: `exptrack select -e rate`" in format_comparison(shown)
    assert "exptrack select" not in format_comparison(shown._replace(experiment=None))


def test_in_markdown_a_configuration_is_one_name_and_numbers_stand_as_they_are():
    first, second = varied("lr=0.1, depth=3", 0.5, 0.1), made("lr=0.1, depth=30", is_baseline=True)
    note = "holdout +0.029 [95% CI +0.017, +0.041], p=0.002"
    line = "exploratory: loss -0.032 [97.5% CI -0.048, -0.015], Welch p=0.0007 (Benjamini-Hochberg over 4 comparisons)"
    explored = Verdict(first.label, Word.WITHHELD, line, p=0.1)
    verdict = Verdict(first.label, Word.BETTER, "better: accuracy +0.1", notes=(note,))
    mixed = first._replace(mixed=("code (2 states)",))
    page = format_markdown(Comparison(RULES, (mixed, second), (verdict,), secondary={"loss": (explored,)})).splitlines()
    assert "- `lr=0.1, depth=3`: holdout +0.029 [95% CI +0.017, +0.041], `p=0.002`" in page
    assert "- `lr=0.1, depth=3` mixes code (2 states)" in page
    assert f"- `lr=0.1, depth=3`: `{line.removeprefix('exploratory: ')}`" in page


@pytest.mark.parametrize("word", ["[1]:", "1.", "1)", "[x](y)", "@ada", "#12", "_a_", "<b>", "0123456", "*", "+1"])
def test_in_markdown_what_could_be_more_than_letters_is_in_a_code_span(word):
    assert sentence(f"{word} is") == (f"{word} is" if word == "+1" else f"{word_span(word)} is")
    assert sentence("is (`x`), 5% of 0.25 (all)") == "is (`x`), 5% of 0.25 (all)"


def test_what_is_confirmed_is_told_what_comes_next():
    chosen = Chosen("", datetime(2026, 1, 5, tzinfo=UTC), "Ada", "accuracy", "a", ("a",), ("b",), among=3)
    verdict = Verdict("a", Word.BETTER, "better: accuracy +0.1")
    selected = Selected("rate", RULES, chosen, False, (made("a"), made("b")), baseline="b", confirmed=verdict)
    assert format_selected(selected).splitlines()[-1] == "next: `exptrack conclude -e rate`"
    sealed = format_selected(selected._replace(sealed="test")).splitlines()[-1]
    assert sealed == "next: `exptrack unseal -e rate --reason …` looks at test, once; then `exptrack conclude -e rate`"
    waiting = selected._replace(confirmed=None, sealed="test")
    assert "next:" not in format_selected(waiting)
    told = format_unsealed(Unsealed("rate", RULES, "why", (Seen("a", 3, 0.5, 0.1),), verdict))
    assert told.splitlines()[-1] == "next: `exptrack conclude -e rate`"


def test_sentences_of_a_choice_and_a_holdout_keep_to_the_terminal():
    verdict = Verdict("a", Word.BETTER, "better: accuracy +0.1 [95% CI +0.01, +0.19], 5 vs 5 seeds, Welch p=0.02")
    chosen = Chosen("", datetime(2026, 1, 5, tzinfo=UTC), "Ada", "accuracy", "a", ("a",), ("b",), among=3, noise=0.1)
    some = made("a"), made("b")
    selected = Selected("rate", RULES, chosen, False, some, baseline="b", confirmed=verdict, commands=("x " * 40,))
    told = format_selected(selected, width=60).splitlines()
    assert [line for line in told if len(line) > 60] == [told[-1]]
    assert "  better: accuracy +0.1 [95% CI +0.01, +0.19], 5 vs 5 seeds," in told
    told = format_unsealed(Unsealed("rate", RULES, "why", (Seen("a", 3, 0.5, 0.1),), verdict), width=60).splitlines()
    assert max(map(len, told)) <= 60
