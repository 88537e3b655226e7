"""What the stream of a run under way comes to: its last values, their curves, and how far it is. Memory stays bounded."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Mapping
from typing import NamedTuple

from exptrack.model.tree import Tree, Value, flatten, merge

_MOST = 240  # values that a curve is made of
_APART = 0.5  # seconds between two looks at a counter
_STEPS = (
    "max_steps", "total_steps", "num_train_steps", "num_training_steps", "num_steps", "n_steps", "max_iters", "max_iter",
    "max_iterations", "num_iterations", "iterations", "num_boost_round", "n_iter", "steps",
)  # fmt: skip
_EPOCHS = ("max_epochs", "num_train_epochs", "total_epochs", "num_epochs", "n_epochs", "epochs")


class Series:
    """A metric so far: how many values, the last with its step, and a curve of all of them in at most 240 means."""

    __slots__ = ("_count", "_means", "_stride", "_sum", "count", "step", "value")

    def __init__(self) -> None:
        self.count, self.value = 0, float("nan")
        self.step: Value = None
        self._means: list[float] = []
        self._sum, self._count, self._stride = 0.0, 0, 1

    def add(self, value: float, step: Value) -> None:
        """Take in the next value."""
        self.value = value
        self.step = self.count if step is None else step
        self.count += 1
        self._sum += value
        self._count += 1
        if self._count == self._stride:
            self._means.append(self._sum / self._stride)
            self._sum, self._count = 0.0, 0
            if len(self._means) == _MOST:
                pairs = zip(self._means[::2], self._means[1::2], strict=True)
                self._means = [first / 2 + second / 2 for first, second in pairs]
                self._stride *= 2

    @property
    def curve(self) -> list[float]:
        """All values, or means of neighbours; one with a NaN or an infinity in it is not finite."""
        return [*self._means, self._sum / self._count] if self._count else list(self._means)


class Counter:
    """What counts up while a run goes on: its first and last number, and how fast it moved lately."""

    def __init__(self) -> None:
        self.first: float | None = None
        self.last: float | None = None
        self.is_fraction = False
        self._looks: deque[tuple[float, float]] = deque(maxlen=60)

    def see(self, number: float, time: float) -> None:
        """It stood at `number` at this time."""
        if number == self.last:
            return
        if self.last is None or number < self.last:
            self._looks.clear()
            self.first = number if self.first is None else min(self.first, number)
        self.last = number
        self.is_fraction = self.is_fraction or number != int(number)
        if not self._looks or time - self._looks[-1][0] >= _APART:
            self._looks.append((time, number))

    @property
    def rate(self) -> float | None:
        """How much it moved in a second, as far as that is known."""
        if len(self._looks) < 2:
            return None
        (began, low), (ended, high) = self._looks[0], self._looks[-1]
        return (high - low) / (ended - began) if ended > began and high > low else None


class Progress(NamedTuple):
    """How far a run is: `done` of `total`, which `parameter` says; `share` of 1; `left` in seconds. None: not known.

    `unit` is `step` or `epoch`. It `is_guess` that a step is an epoch, where only steps are logged and only epochs are a parameter.
    """

    step: float | None = None
    epoch: float | None = None
    rate: float | None = None
    unit: str = "step"
    done: float | None = None
    total: float | None = None
    parameter: str | None = None
    share: float | None = None
    left: float | None = None
    is_guess: bool = False


class Live:
    """Takes the entries of a stream one by one. What `is_hidden` is left out: the holdouts."""

    def __init__(self, is_hidden: Callable[[str], bool]) -> None:
        self.metrics: dict[str, Series] = {}
        self.system: dict[str, Series] = {}
        self.params: dict[str, Value] = {}
        self.problems: list[str] = []
        self.pid: int | None = None
        self.last: float | None = None
        self.has_ended = False
        self.steps, self.epochs = Counter(), Counter()
        self._is_hidden = is_hidden
        self._hidden: set[str] = set()
        self._before: tuple[Value, Value] = (None, None)
        self._is_within = False  # several steps have one epoch

    def take(self, entry: Mapping[str, Value]) -> None:
        """Take in an entry; one that is not as it should be does nothing."""
        kind = entry["kind"]
        if kind in {"metrics", "system"}:
            self._add(entry, self.metrics if kind == "metrics" else self.system)
        elif kind == "params" and isinstance(params := entry.get("params"), Mapping):
            self.params = merge(params, self.params)  # of one that is logged twice the first stays
        elif kind == "problem":
            self.problems.append(str(entry.get("text")))
        elif kind == "command" and type(pid := entry.get("pid")) is int:
            self.pid = pid
        elif kind == "ended":
            self.has_ended = True

    def shown(self, values: Mapping[str, Value]) -> dict[str, float]:
        """The numbers among the values of an entry that are not hidden."""
        numbers = {}
        for name, value in values.items():
            if name not in self._hidden and (number := _as_number(value)) is not None:
                numbers[name] = number
        return numbers

    def _add(self, entry: Mapping[str, Value], into: dict[str, Series]) -> None:
        values, step = entry.get("values"), entry.get("step")
        if type(values) is not dict:
            return
        self._meet(name for name in values if name not in into)
        numbers = self.shown(values)
        for name, number in numbers.items():
            series = into.get(name)
            if series is None:
                series = into[name] = Series()
            series.add(number, step)
        if into is self.metrics:
            self.last = float(str(entry["time"]))
            self._count(step, entry.get("epoch", numbers.get("epoch")), numbers)

    def _meet(self, names: Iterable[str]) -> None:
        self._hidden.update(filter(self._is_hidden, names))

    def _count(self, step: Value, epoch: Value, numbers: Mapping[str, float]) -> None:
        time = self.last or 0.0
        if step is None and epoch is None and numbers:
            step = max(self.metrics[name].count for name in numbers) - 1
        if (at := _as_finite(step)) is not None:
            self.steps.see(at, time)
        if (at := _as_finite(epoch)) is not None:
            self.epochs.see(at, time)
            self._is_within = self._is_within or (self._before[1] == epoch and self._before[0] not in {step, None})
        self._before = (step, epoch)

    def progress(self, params: Tree, now: float) -> Progress:
        """How far it is, by what is counted and by what the parameters say of the end."""
        flat = flatten(params)
        known = Progress(self.steps.last, self.epochs.last, self.steps.rate)
        for counter, names, unit in ((self.epochs, _EPOCHS, "epoch"), (self.steps, _STEPS, "step")):
            if counter.last is not None and (end := _find_end(flat, names)):
                return self._measure(known, counter, end, unit, now)
        if self.epochs.last is None and self.steps.last is not None and (end := _find_end(flat, _EPOCHS)):
            return self._measure(known, self.steps, end, "step", now)._replace(is_guess=True)
        return known

    def _measure(self, known: Progress, counter: Counter, end: tuple[str, float], unit: str, now: float) -> Progress:
        parameter, total = end
        done = counter.last or 0.0
        # Counted from 0, the last number is one less than how many there were: unless it is a fraction, or still goes on.
        if counter.first == 0 and not counter.is_fraction and not (unit == "epoch" and self._is_within):
            done += 1
        elif unit == "epoch" and self._is_within and not counter.is_fraction:
            done -= counter.first or 0.0
        if done > total:  # the parameter means something else
            return known
        left = None
        if counter.rate:
            left = max(0.0, (total - done) / counter.rate - max(0.0, now - (self.last or now)))
        return known._replace(unit=unit, done=done, total=total, parameter=parameter, share=done / total, left=left)


def _find_end(flat: Mapping[str, Value], names: Iterable[str]) -> tuple[str, float] | None:
    """The parameter that says where it ends, the least nested one of the first of the names."""
    leaves: dict[str, list[str]] = {}
    for key in flat:
        leaves.setdefault(key.rpartition(".")[2].lower().replace("-", "_"), []).append(key)
    for name in names:
        for key in sorted(leaves.get(name, ()), key=lambda key: key.count(".")):
            value = flat[key]
            if type(value) in {int, float} and (total := float(str(value))) > 0:
                return key, total
    return None


def _as_number(value: Value) -> float | None:
    if type(value) is float:
        return value
    try:
        return float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError, OverflowError):
        return None


def _as_finite(value: Value) -> float | None:
    if isinstance(value, (int, float)) and (number := _as_number(value)) is not None and number - number == 0:
        return number
    return None
