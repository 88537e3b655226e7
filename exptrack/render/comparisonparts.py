"""What the forms of a comparison have in common: which lines there are, which cells a row has, and where its bar lies."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Sequence
from statistics import median
from typing import NamedTuple

from exptrack.analysis.experiments.labels import tell_value
from exptrack.analysis.wording import counted, name_few
from exptrack.model.comparison import Comparison, Configuration, Verdict, Word
from exptrack.model.selection import Seen

HEADER = ("configuration", "n", "mean", "SD", "min", "median", "max")
CELLS = 25  # of a bar
BASELINE = " (baseline)"  # after its label
_MISSING = "-"
_FARTHEST = 1e12  # beyond it, and for deviations beyond 1e-9 and 1e9, six digits are shown
_TOLD = 20  # verdicts whose sentences are shown
_SHARED = 12
_OWN = ("failed: ", "differs from the baseline")  # of one configuration, though another may have the same line
_CHOSEN = "selected_on_this_split"
_TITLES = {
    "conditional_on_completion": "runs failed: what is said holds for those that completed",
    "tests_disagree": "the test by shuffled values says otherwise about alpha",
    "unequal_sizes": "one has more than four times the runs of the other",
    "constant_baseline": "the baseline does not vary",
    "constant_candidate": "it does not vary",
    _CHOSEN: "the best of several, chosen by these runs: confirm it with fresh seeds or a holdout",
}


class Told(NamedTuple):
    """A verdict's label, its sentence, and the lines below it."""

    label: str
    word: Word
    line: str
    notes: tuple[str, ...]


def say_head(comparison: Comparison) -> str:
    """`accuracy (maximize, smallest effect that matters 0.01): 3 configurations, 12 runs, baseline opt=sgd`."""
    rules = comparison.rules
    unit = f"in {rules.unit}" if rules.unit else ""
    effect = f"smallest effect that matters {rules.min_effect:g}" if rules.min_effect else ""
    about = ", ".join(filter(None, (rules.goal, unit, effect)))
    shown, runs = len(comparison.configurations), sum(len(one.runs) for one in comparison.configurations)
    more = f" of {comparison.tried:,} tried" if comparison.tried > shown else ""
    baseline = f", baseline {comparison.baseline}" if comparison.baseline else ""
    of = f"{comparison.experiment}: " if comparison.experiment else ""
    return f"{of}{rules.metric}{f' ({about})' if about else ''}: {counted(shown, 'configuration')}{more}, {counted(runs, 'run')}{baseline}"


def say_shared(comparison: Comparison) -> str:
    """What all configurations have in common: `all have depth=3, data.dvc=md5:ab12…`; empty if that is nothing."""
    pairs = [f"{key}={tell_value(value)}" for key, value in comparison.shared.items()]
    return f"all have {name_few(pairs, _SHARED)}" if pairs else ""


def list_rows(comparison: Comparison) -> list[tuple[str, ...]]:
    """The cells of each configuration below `HEADER`, with equal decimals; failed runs and those without a value stand beside n."""
    decimals = find_decimals(comparison.configurations)
    return [
        (
            f"{one.label}{BASELINE}" if one.is_baseline else one.label,
            _count(one),
            *format_numbers(one, (one.mean, one.sd, one.low, one.median, one.high), decimals),
        )
        for one in comparison.configurations
    ]


def list_words(comparison: Comparison) -> list[str]:
    """The word of each configuration; of the baseline, and where there is no verdict, nothing."""
    words = {one.label: str(one.word) for one in comparison.verdicts}
    return [words.get(one.label, "") for one in comparison.configurations]


def list_told(comparison: Comparison) -> tuple[tuple[Told, ...], tuple[str, ...]]:
    """The sentences of the first verdicts with the lines below each, and lines that hold for several, each once."""
    shown = comparison.verdicts[:_TOLD]
    lines = {one.label: tuple(dict.fromkeys(list_lines(one, comparison.experiment))) for one in shown}
    seen = Counter(line for some in lines.values() for line in some)
    common = [line for line, count in seen.items() if count > 1 and not line.startswith(_OWN)]
    told = tuple(
        Told(one.label, one.word, one.line, tuple(line for line in lines[one.label] if line not in common))
        for one in shown
    )
    if left := comparison.verdicts[_TOLD:]:
        words = Counter(one.word for one in left)
        counts = ", ".join(f"{count:,} {word}" for word, count in words.items())
        common.append(f"{counted(len(left), 'more verdict')}: {counts}; `--json` has them all")
    return told, tuple(common)


def list_secondary(comparison: Comparison) -> list[tuple[str, str]]:
    """Labels and sentences on secondary metrics, which are exploratory."""
    return [
        (one.label, one.line)
        for metric, table in comparison.secondary.items()
        for one in table[:_TOLD]
        if one.p is not None or metric in one.line
    ]


def list_notes(comparison: Comparison) -> list[str]:
    """Lines on the comparison as a whole."""
    mixed = [f"{one.label} mixes {name_few(one.mixed, 3)}" for one in comparison.configurations if one.mixed]
    shown = [
        *mixed[:_TOLD],
        *([f"{len(mixed) - _TOLD:,} more configurations mix something"] if len(mixed) > _TOLD else []),
    ]
    tried = f"configurations tried: {comparison.tried:,}" if comparison.tried > 1 else ""
    winner = "; ".join(filter(None, (tried, comparison.winner)))
    changed = [f"declared after the first run: {line}" for line in comparison.rules.changed]
    return [*filter(None, [winner]), *comparison.described, *shown, *changed, *comparison.notes]


class Scale(NamedTuple):
    """From where to where the bars of a comparison reach."""

    low: float
    high: float

    def place(self, value: float, cells: int) -> int:
        """The cell of a value."""
        span = self.high - self.low
        share = (value - self.low) / span if span > 0 else 0.5
        return min(cells - 1, max(0, math.floor(share * cells)))


def find_scale(configurations: Sequence[Configuration]) -> Scale | None:
    """A scale that holds all values and intervals; None if there is no finite value."""
    ends = [end for one in configurations for end in _ends(one) if math.isfinite(end)]
    return Scale(min(ends), max(ends)) if ends and math.isfinite(max(ends) - min(ends)) else None


def draw_bar(one: Configuration, scale: Scale | None, mark: float | None, cells: int = CELLS) -> str:
    """The interval as a line, the mean as a dot on it, and the baseline's mean as a stroke; values without an interval as dots at their ends."""
    if scale is None or one.mean is None:
        return ""
    bar = [" "] * cells
    if mark is not None:
        bar[scale.place(mark, cells)] = "│"
    if one.interval is not None:
        low, high = scale.place(one.interval.low, cells), scale.place(one.interval.high, cells)
        bar[low : high + 1] = ["├", *["─"] * (high - low - 1), "┤"][: high - low + 1]
    else:
        for end in (one.low, one.high):
            bar[scale.place(one.mean if end is None else end, cells)] = "·"
    bar[scale.place(one.mean, cells)] = "●"
    return "".join(bar).rstrip()


def _ends(one: Configuration) -> Iterator[float]:
    for end in (one.low, one.high, *(one.interval[:2] if one.interval else ())):
        if end is not None:
            yield end


def _count(one: Configuration) -> str:
    lacks = [
        f"{count} {noun}" for count, noun in ((one.sample.failed, "failed"), (one.sample.missing, "without")) if count
    ]
    return f"{len(one.sample.values)} ({', '.join(lacks)})" if lacks else str(len(one.sample.values))


def format_interval(one: Configuration, decimals: int | None) -> str:
    """The 95 % interval of the mean with the decimals of its table, empty if there is none."""
    return "" if one.interval is None else " to ".join(format_numbers(one, one.interval[:2], decimals))


def find_decimals(shown: Sequence[Configuration | Seen]) -> int | None:
    """How many decimals the numbers of a table have, so that two digits of the smallest deviation show; one more than the middle one needs at most.

    Without a deviation as many as six digits of each have; None if they have too little in common.
    """
    deviations = [sd for one in shown if (sd := _find_deviation(one)) is not None]
    if deviations:
        return min(_count_decimals(min(deviations)), _count_decimals(median(deviations)) + 1)
    texts = [f"{value:.6g}" for one in shown for value in (one.low, one.mean, one.high) if value is not None]
    if any(not text.lstrip("-").replace(".", "").isdigit() for text in texts):
        return None
    return max((len(text.partition(".")[2]) for text in texts), default=None)


def format_numbers(one: Configuration | Seen, values: Sequence[float | None], decimals: int | None) -> tuple[str, ...]:
    """Numbers of a configuration with the decimals of its table, or with more if its deviation would be 0 by these."""
    sd = _find_deviation(one)
    if sd is not None and (decimals is None or round(sd, decimals) == 0):
        decimals = _count_decimals(sd)
    is_plain = decimals is not None and abs(one.mean or 0.0) < _FARTHEST
    return tuple(
        _MISSING if value is None else f"{value:.{decimals}f}" if is_plain else f"{value:.6g}" for value in values
    )


def _find_deviation(one: Configuration | Seen) -> float | None:
    """The standard deviation, if decimals can be told from it."""
    if one.sd is None or one.mean is None or abs(one.mean) >= _FARTHEST:
        return None
    return one.sd if 1e-9 < one.sd < 1e9 else None


def _count_decimals(deviation: float) -> int:
    return max(0, 1 - math.floor(math.log10(deviation)))


def list_lines(verdict: Verdict, experiment: str | None = None) -> tuple[str, ...]:
    """What belongs to the sentence of a verdict, a line each; how the best of an experiment is confirmed stands with it."""
    titles = {
        flag: f"{_TITLES[flag]}: `exptrack select -e {experiment}`" if experiment and flag == _CHOSEN else _TITLES[flag]
        for flag in verdict.flags
        if flag in _TITLES
    }
    return (*verdict.notes, *titles.values())
