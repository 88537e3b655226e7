"""docs/statistics.md says every word and flag that the tool may say, with sentences that it does say."""

from __future__ import annotations

import ast
import re
import sys
from pathlib import Path

import pytest

from exptrack.analysis.experiments.parameters import CAVEAT, ETA_SQUARED, SPEARMAN
from exptrack.analysis.experiments.predictions import THESE_MODELS, compare_models, make_examples
from exptrack.analysis.stats.intervals import failure_limit
from exptrack.analysis.stats.order import expected_max
from exptrack.analysis.verdicts import decide, describe_winner, explore, look_alphas
from exptrack.model.comparison import Rules, Sample, Verdict, Word
from exptrack.model.experiment import Noise, Pairing, Predictions
from exptrack.model.selection import Answer
from exptrack.model.settings import Goal

ROOT = Path(__file__).parent.parent
sys.path.append(str(ROOT))  # at the end: an installed package comes first

from benchmarks.calibration import NOISES, Scenario, play  # noqa: E402

PAGE = ROOT / "docs" / "statistics.md"
TEXT = PAGE.read_text(encoding="utf-8")
RULES = Rules("accuracy", Goal.MAXIMIZE, is_declared=True)
EFFECT = RULES._replace(min_effect=0.01)
BASE = (0.90, 0.91, 0.89, 0.92, 0.88)
HIGH = tuple(value + 0.03 for value in (0.90, 0.91, 0.895, 0.915, 0.88))
NEAR = (0.902, 0.911, 0.893, 0.919, 0.881)
LOW = (0.86, 0.87, 0.85)


def sample(values, label="b", **more):
    return Sample(label, {str(unit): value for unit, value in enumerate(values)}, **more)


def line(rules, x, y, *others, **more):
    """The sentence on y beside x, corrected for the others too."""
    return decide(rules, sample(x, "a"), [sample(y, **more), *map(sample, others)])[0].line


LINES = {
    Word.BETTER: [
        line(RULES, BASE, HIGH),
        line(RULES, BASE, [value + 0.02 for value in HIGH], NEAR, LOW),
        line(RULES._replace(min_effect=0.001), BASE, HIGH),
        line(RULES._replace(pair_by=Pairing.SEED), BASE, HIGH),
        line(RULES._replace(pair_by=Pairing.FOLD, test_share=0.25), BASE, HIGH),
        line(
            RULES._replace(pair_by=Pairing.DATASET),
            [0.5, 0.6, 0.7, 0.8, 0.9, 0.55, 0.65],
            [0.52, 0.63, 0.74, 0.85, 0.96, 0.62, 0.73],
        ),
    ],
    Word.WORSE: [line(RULES._replace(alpha=0.01), BASE, LOW)],
    Word.EQUIVALENT: [line(RULES._replace(min_effect=0.05), BASE, NEAR)],
    Word.NO_DIFFERENCE: [line(RULES, BASE, NEAR)],
    Word.NOT_ENOUGH: [
        line(EFFECT, BASE, NEAR),
        line(RULES, BASE[:2], HIGH[:3]),
        line(RULES, BASE, [0.95]),
    ],
    Word.IDENTICAL: [line(RULES, [0.5] * 3, [0.5] * 4)],
    Word.DETERMINISTIC: [
        line(RULES, [0.5] * 3, [0.6] * 3),
        line(RULES._replace(pair_by=Pairing.SEED), BASE, [value + 0.5 for value in BASE]),
    ],
    Word.NOT_COMPARABLE: [
        decide(
            RULES,
            sample(BASE, "a", evaluated={"data/test.csv": ("md5:1",)}),
            [sample(HIGH, evaluated={"data/test.csv": ("md5:2",)})],
        )[0].line
    ],
    Word.WITHHELD: [
        line(RULES._replace(planned=5), BASE, LOW),
        line(RULES._replace(looks=(3, 5, 10)), BASE, HIGH[:4]),
        line(RULES, BASE, HIGH[:4], failed=3),
        line(RULES._replace(goal=None), BASE, LOW),
    ],
}


def section(title, text=TEXT):
    """What stands below a heading, down to the next of its level or above."""
    level = len(title) - len(title.lstrip("#"))
    rest = text.split(f"\n{title}\n")[1]
    return re.split(rf"\n#{{1,{level}}} ", rest)[0]


def blocks(text):
    return [row for block in re.findall(r"```text\n(.*?)```", text, re.DOTALL) for row in block.splitlines()]


@pytest.mark.parametrize("word", Word)
def test_each_word_has_its_sentences_as_they_are_said(word):
    assert blocks(section(f"### {word}")) == LINES[word]


def test_no_other_word_is_described():
    assert re.findall(r"\n### (.*)", section("## The words")) == [str(word) for word in Word]


def test_the_other_sentences_are_said_too():
    several = [sample(BASE, "a"), sample(HIGH), sample(NEAR, "c")]
    assert describe_winner(RULES._replace(min_effect=None), several) in TEXT
    table = decide(RULES, several[0], several[1:])
    pairs = [(several[0], one) for one in several[1:]]
    for verdict in explore({"accuracy": table}, {"accuracy": RULES}, {"accuracy": pairs})["accuracy"]:
        assert verdict.line in TEXT
    examples = [
        make_examples([(str(i), "cat", "cat" if good else "dog") for i, good in enumerate(row)], Predictions("p"), "p")
        for row in ([1] * 62 + [0] * 38, [1] * 50 + [0] * 12 + [1] * 20 + [0] * 18)
    ]
    assert compare_models(*examples, ("brave-otter", "calm-heron")).line in TEXT
    assert CAVEAT in " ".join(TEXT.split())
    assert decide(RULES, several[0], several[1:])[0].notes[0] in blocks(section("## When to look"))
    assert (
        re.search(r"`(better: .*?)`", " ".join(section("## How to read a sentence").split()))[1] in LINES[Word.BETTER]
    )
    assert THESE_MODELS in TEXT
    assert {SPEARMAN, ETA_SQUARED} <= set(re.findall(r"`([^`]*)`", TEXT))


def test_every_answer_of_a_conclusion_is_there():
    assert set(re.findall(r"^\| \*\*([a-z ]+)\*\* \|", section("## Concluding"), re.MULTILINE)) == set(map(str, Answer))


def test_each_flag_that_the_code_may_raise_is_described_and_no_other():
    documented = set(re.findall(r"^\| `([a-z_]+)` \|", section("## Flags"), re.MULTILINE))
    assert documented == set(find_flags())


def find_flags():
    """Texts in the code of verdicts and of operations that stand among flags: in a mapping or a sequence of that name."""
    folders = ("analysis/verdicts", "analysis", "operations", "operations/comparing")
    for path in sorted({file for folder in folders for file in (ROOT / "exptrack" / folder).glob("*.py")}):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            named = (
                [(getattr(target, "id", ""), node.value) for target in node.targets] if isinstance(node, ast.Assign) else
                [(node.arg, node.value)] if isinstance(node, ast.keyword) else []
            )  # fmt: skip
            inside = [value for name, value in named if name == "flags" and value is not None]
            if isinstance(node, ast.FunctionDef) and node.name == "note_screen":
                inside += [one.value for one in ast.walk(node) if isinstance(one, ast.Return) and one.value is not None]
            for value in inside:
                for one in ast.walk(value):
                    if (
                        isinstance(one, ast.Constant)
                        and isinstance(one.value, str)
                        and re.fullmatch(r"[a-z_]+", one.value)
                    ):
                        yield one.value


def test_the_flags_that_a_comparison_raised_here_are_among_them():
    raised = decide(RULES, sample(BASE, "a", unseeded=2, collapsed=1), [sample(LOW, failed=1)])[0].flags
    assert (
        {"seeds_unknown", "duplicate_seeds_collapsed", "conditional_on_completion"} <= set(raised) <= set(find_flags())
    )
    assert isinstance(raised, Verdict._field_defaults["flags"].__class__)


def test_the_numbers_of_the_page_are_those_of_the_code():
    for n in (3, 5, 10):
        assert f"{failure_limit(n):.0%}" in section("## Failed runs")
    for k in (5, 20):
        assert f"{expected_max(k):.2f}" in section("## The best of several")
    assert ", ".join(f"{alpha:.2g}".replace("0.", ".") for alpha in look_alphas(3)) in section("## When to look")


def test_a_figure_of_the_calibration_is_what_comes_out():
    page = section("## Calibration: what the words are worth")
    found = play(Scenario("normal", 5, gain=2.0, planned=5, least=0.7), 1_000)
    assert f", {100 * found.better:.1f} % and" in page
    assert [row.split(" | ")[0].strip("| ") for row in page.splitlines() if row.startswith("| ")][1:] == list(NOISES)


def test_one_noise_is_decided_by_dunnett_only_where_it_was_declared_beforehand():
    common = RULES._replace(noise=Noise.COMMON)
    samples = sample(BASE, "a"), [sample(HIGH), sample(NEAR, "c")]
    assert {one.test for one in decide(common, *samples)} == {"Dunnett"}
    assert {one.test for one in decide(common._replace(is_declared=False), *samples)} == {"Welch"}
    assert decide(common, *samples)[0].line in TEXT
