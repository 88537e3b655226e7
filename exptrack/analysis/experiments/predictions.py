"""What runs predicted, example by example: two models on the same examples, and how much of the noise is the test data's."""

from __future__ import annotations

import csv
import io
import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from exptrack.analysis.stats import deviation, mean
from exptrack.analysis.stats.counts import mcnemar
from exptrack.analysis.stats.examples import bootstrap_counts, share_error
from exptrack.analysis.stats.resampling import paired_bootstrap
from exptrack.analysis.wording import counted, name_few, signed
from exptrack.errors import DataError
from exptrack.model.comparison import Interval
from exptrack.model.experiment import Predictions

THESE_MODELS = "these two models"
_CONFIDENCE = 0.95
_NAMED = 3
_FEWEST_RUNS = 3


class Examples(NamedTuple):
    """What one run predicted: the label and the prediction of each example by its id, as text. `source` names run and file in messages."""

    source: str
    labels: Mapping[str, str]
    predictions: Mapping[str, str]


class Gap(NamedTuple):
    """A metric of the two models on these examples, `difference` second less first, and its interval by drawing examples again."""

    metric: str
    first: float
    second: float
    difference: float
    interval: Interval


class Models(NamedTuple):
    """Two models on the same examples. `only_first` and `only_second` are examples that one alone has right, None for numbers.

    `p` is McNemar's, exact. `line` says it all, and of what it speaks: of these two models, not of their configurations.
    """

    runs: tuple[str, str]
    examples: int
    gaps: tuple[Gap, ...]
    line: str
    both: int | None = None
    only_first: int | None = None
    only_second: int | None = None
    p: float | None = None


class Split(NamedTuple):
    """Where the noise of a configuration's accuracy comes from: from run to run, and from which examples are in the test data.

    `run_sd` is the standard deviation between runs, `sample_error` the standard error that as many other examples would give each
    (all runs share these examples, so that it is not in `run_sd`).
    """

    label: str
    runs: int
    examples: int
    accuracy: float
    run_sd: float
    sample_error: float
    line: str


def parse_examples(data: bytes, columns: Predictions, source: str) -> Examples:
    """A CSV file, UTF-8, its first row the names of the columns. Raises DataError, one line, that names `source` and the row."""
    try:
        reader = csv.reader(io.StringIO(data.decode("utf-8-sig"), newline=""), strict=True)
        header = next(reader, [])
        places = [_find_column(header, name, source) for name in (columns.id, columns.label, columns.prediction)]
        rows = []
        for row in reader:
            if row and len(row) <= max(places):
                raise DataError(f"{source}, line {reader.line_num}: {len(row)} columns where {len(header)} are named")
            if row:
                rows.append(tuple(row[place] for place in places))
    except (UnicodeDecodeError, csv.Error) as error:
        raise DataError(f"{source} is no CSV file in UTF-8: {error}") from error
    return make_examples(rows, columns, source)


def make_examples(rows: Iterable[Sequence[object]], columns: Predictions, source: str) -> Examples:
    """Rows of id, label and prediction. Numbers that are the same are the same text: 1, 1.0 and "1".

    Raises DataError for an id that is there twice, for an empty cell, and if there is no row.
    """
    labels: dict[str, str] = {}
    predictions: dict[str, str] = {}
    for row in rows:
        name, label, prediction = _tell_id(row[0]), _tell(row[1]), _tell(row[2])
        for column, value in zip(
            (columns.id, columns.label, columns.prediction), (name, label, prediction), strict=True
        ):
            if not value:
                raise DataError(f"{source}: no {column} of {f'example {name}' if name else 'an example'}")
        if name in labels:
            raise DataError(f"{source}: example {name} is there twice; give each its own {columns.id}")
        labels[name], predictions[name] = label, prediction
    if not labels:
        raise DataError(f"{source} has no example")
    return Examples(source, labels, predictions)


def check_alike(first: Examples, *others: Examples) -> None:
    """Raise DataError unless all are predictions of the same examples with the same labels."""
    for other in others:
        for one, two in ((first, other), (other, first)):
            lacking = [name for name in one.labels if name not in two.labels]
            if lacking:
                told = f"{counted(len(lacking), 'example')} of {one.source} (such as {name_few(lacking[:1], 1)})"
                raise DataError(
                    f"{told} {'is' if len(lacking) == 1 else 'are'} not in {two.source}: predict the same examples"
                )
        wrong = [name for name, label in first.labels.items() if other.labels[name] != label]
        if wrong:
            name = wrong[0]
            told = f"{first.labels[name]} in {first.source}, {other.labels[name]} in {other.source}"
            raise DataError(f"the labels of {counted(len(wrong), 'example')} differ: {name} is {told}")


def compare_models(first: Examples, second: Examples, runs: tuple[str, str], *, draws: int = 10_000) -> Models:
    """Two runs example by example: McNemar's exact test of labels, a paired bootstrap of the errors of numbers; always the same draws.

    Labels are numbers to be met closely where all are numbers and a prediction is none of them that is whole. Raises DataError as by
    `check_alike`, and for numbers of fewer than two examples.
    """
    check_alike(first, second)
    names = sorted(first.labels)
    if is_regression(first, second):
        return _compare_numbers(first, second, runs, names, draws)
    hits = [(_is_right(first, name), _is_right(second, name)) for name in names]
    table = Counter(hits)
    n, b, c = len(names), table[True, False], table[False, True]
    both = table[True, True]
    found = bootstrap_counts(b, c, n, draws, confidence=_CONFIDENCE)
    gap = Gap("accuracy", (both + b) / n, (both + c) / n, found.value, Interval(found.low, found.high, _CONFIDENCE))
    p = mcnemar(b, c)
    line = f"{_begin(runs, n)}: {_tell_gap(gap)}; right where the other is wrong: {c:,} against {b:,}, McNemar exact {_tell_p(p)}"
    return Models(runs, n, (gap,), line, both, b, c, p)


def split_variance(label: str, runs: Sequence[Examples]) -> Split | None:
    """The noise of a configuration's accuracy, from run to run and from the choice of examples: sqrt(p(1-p)/N).

    None for fewer than three runs, and for numbers. Raises DataError as by `check_alike`.
    """
    if len(runs) < _FEWEST_RUNS or is_regression(*runs):
        return None
    check_alike(*runs)
    n = len(runs[0].labels)
    shares = [sum(_is_right(one, name) for name in one.labels) / n for one in runs]
    accuracy, sd = mean(shares), deviation(shares)
    error = share_error(min(1.0, max(0.0, accuracy)), n)
    line = (
        f"{label}: accuracy {accuracy:.4g} over {counted(len(runs), 'run')}; standard deviation from run to run {sd:.2g}, "
        f"standard error by the choice of {n:,} examples {error:.2g}"
    )
    return Split(label, len(runs), n, accuracy, sd, error, line)


def is_regression(*examples: Examples) -> bool:
    """Whether labels and predictions are numbers, and some are not whole: then nearness counts, and not being the same."""
    values = [text for one in examples for table in (one.labels, one.predictions) for text in table.values()]
    numbers = [_number(text) for text in set(values)]
    return all(value is not None for value in numbers) and any(
        value is not None and not value.is_integer() for value in numbers
    )


def _compare_numbers(
    first: Examples, second: Examples, runs: tuple[str, str], names: Sequence[str], draws: int
) -> Models:
    if len(names) < 2:
        raise DataError(f"{first.source} has one example: nothing can be told from it")
    offsets = [
        [(_number(one.predictions[name]) or 0.0) - (_number(one.labels[name]) or 0.0) for name in names]
        for one in (first, second)
    ]
    gaps = []
    for metric, power in (("mean absolute error", 1), ("mean squared error", 2)):
        x, y = ([abs(offset) ** power for offset in some] for some in offsets)
        found = paired_bootstrap(x, y, lambda a, b: float((b - a).mean()), draws, confidence=_CONFIDENCE)
        gaps.append(Gap(metric, mean(x), mean(y), found.value, Interval(found.low, found.high, _CONFIDENCE)))
    line = f"{_begin(runs, len(names))}: {'; '.join(map(_tell_gap, gaps))}"
    return Models(runs, len(names), tuple(gaps), line)


def _begin(runs: tuple[str, str], n: int) -> str:
    return f"{THESE_MODELS}, {runs[0]} and {runs[1]}, on these {counted(n, 'example')}"


def _tell_gap(gap: Gap) -> str:
    low, high, _ = gap.interval
    *ends, middle = signed((low, high), (high - low) / 2, (0.0,), gap.difference)
    decimals = len(middle.partition(".")[2])
    each = [f"{value:.4g}" if "e" in middle else f"{value:.{decimals}f}" for value in (gap.first, gap.second)]
    return f"{gap.metric} {' and '.join(each)}, {middle} [95% bootstrap CI {ends[0]}, {ends[1]}]"


def _tell_p(p: float) -> str:
    return "p<0.0001" if p < 0.0001 else f"p={p:.2g}"


def _is_right(examples: Examples, name: str) -> bool:
    return examples.predictions[name] == examples.labels[name]


def _find_column(header: Sequence[str], name: str, source: str) -> int:
    found = [place for place, column in enumerate(header) if column.strip() == name]
    if len(found) != 1:
        known = name_few([column.strip() for column in header], 8) or "none"
        why = "has no column" if not found else "has more than one column"
        raise DataError(
            f"{source} {why} '{name}': it has {known}; name it in predictions of the experiment in exptrack.yaml"
        )
    return found[0]


def _tell_id(value: object) -> str:
    """An id as text, as it is: 007 is not 7, and 1e5 may be a digest. Whole numbers that a file holds as floats are whole."""
    return _tell(value) if value is None or isinstance(value, float) else str(value).strip()


def _tell(value: object) -> str:
    """A cell as text; whole numbers without a point, NaN and None as nothing."""
    if value is None or value != value:  # noqa: PLR0124 - only NaN differs from itself
        return ""
    text = str(value).strip()
    number = _number(text)
    if number is None or not ("." in text or "e" in text.lower()):
        return text
    return str(int(number)) if number.is_integer() and abs(number) < 2**53 else repr(number)


def _number(text: str) -> float | None:
    try:
        value = float(text)
    except ValueError:
        return None
    return value if math.isfinite(value) else None
