"""What the stream of a run under way comes to: its last values, their curves, and how far it is. Memory stays bounded."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import NamedTuple

from exptrack.model.tree import Tree, Value, flatten, merge

_MOST = 240  # values that a curve is made of
_SETTLED = 1024  # entries
_EXACT = 2**53
_APART = 0.5  # seconds between two looks at a counter
_STEPS = (
    "max_steps", "total_steps", "num_train_steps", "num_training_steps", "num_steps", "n_steps", "max_iters", "max_iter",
    "max_iterations", "num_iterations", "iterations", "num_boost_round", "n_iter", "steps",
)  # fmt: skip
_EPOCHS = ("max_epochs", "num_train_epochs", "total_epochs", "num_epochs", "n_epochs", "epochs")


class Series:
    """A metric so far: how many values, the last one, and a curve of all of them in at most 240 means."""

    __slots__ = ("_count", "_means", "_stride", "_values", "add")

    def __init__(self) -> None:
        self._means: list[float] = []
        self._values: list[float] = []  # that are in no mean yet
        self._count, self._stride = 0, 1
        self.add = self._values.append  # a million calls of a function of ours would take a second more

    @property
    def count(self) -> int:
        """How many values."""
        return self._count + len(self._values)

    @property
    def value(self) -> float:
        """The last one."""
        return self._values[-1]

    def settle(self) -> None:
        """Make means of the values that came; one stays."""
        values, stride, at = self._values, self._stride, 0
        while len(values) - at > stride:
            self._means.append(_mean(values[at : at + stride]))
            at += stride
            if len(self._means) == _MOST:
                pairs = zip(self._means[::2], self._means[1::2], strict=True)
                self._means = [_mean(pair) for pair in pairs]
                self._stride = stride = 2 * stride
        self._count += at
        del values[:at]

    @property
    def curve(self) -> list[float]:
        """All values, or means of neighbours; one with a NaN or an infinity in it is not finite."""
        self.settle()
        return [*self._means, _mean(self._values)] if self._values else list(self._means)


class Counter:
    """What counts up while a run goes on: its first and last number, and how fast it moved lately."""

    def __init__(self) -> None:
        self.first: float | None = None
        self.last: float | None = None
        self.moved = 0.0  # when it moved last
        self.is_fraction = False
        self._next = 0.0
        self._looks: deque[tuple[float, float]] = deque(maxlen=20)

    def see(self, number: float, time: float) -> None:
        """It stood at `number` at this time."""
        last, self.last = self.last, number
        if last is None or number < last:
            self._looks.clear()
            self._next = 0.0
            self.first = number if self.first is None else min(self.first, number)
        if time >= self._next and number != last:
            self._looks.append((time, number))
            self._next = time + _APART
        if number != last:
            self.moved = time
        if number % 1:
            self.is_fraction = True

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
        self._adders: dict[str, dict[str, Callable[[float], None]]] = {"metrics": {}, "system": {}}
        self._taken = 0
        self._before: tuple[Value, Value] = (None, None)
        self._is_within = False  # several steps have one epoch

    def take(self, entry: Mapping[str, Value]) -> None:
        """Take in an entry; one that is not as it should be does nothing."""
        kind = entry["kind"]
        if kind in {"metrics", "system"}:
            if type(values := entry.get("values")) is dict:
                self._add(str(kind), values)
                if kind == "metrics":
                    self._count(entry, values)
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
        return {
            name: number
            for name, value in values.items()
            if not self._is_hidden(name) and (number := _as_number(value)) is not None
        }

    def _add(self, kind: str, values: Mapping[str, Value]) -> None:
        adders = self._adders[kind]
        for name, value in values.items():
            number = value if type(value) is float else _as_number(value)
            if number is not None:
                (adders.get(name) or self._meet(kind, name))(number)
        self._taken += 1
        if self._taken % _SETTLED == 0:
            for series in (*self.metrics.values(), *self.system.values()):
                series.settle()

    def _meet(self, kind: str, name: str) -> Callable[[float], None]:
        adders = self._adders[kind]
        if self._is_hidden(name):
            adders[name] = _ignore
        else:
            series = (self.metrics if kind == "metrics" else self.system)[name] = Series()
            adders[name] = series.add
        return adders[name]

    def _count(self, entry: Mapping[str, Value], values: Mapping[str, Value]) -> None:
        self.last = time = entry["time"]  # type: ignore[assignment]
        step, epoch = entry.get("step"), entry.get("epoch")
        if epoch is None and "epoch" in self.metrics:
            epoch = _as_number(values.get("epoch"))
        if step is None and epoch is None:
            step = max((self.metrics[name].count - 1 for name in values if name in self.metrics), default=None)
        if (at := _as_finite(step)) is not None:
            self.steps.see(at, time)  # type: ignore[arg-type]
        if epoch is None:
            return
        if (at := _as_finite(epoch)) is not None:
            self.epochs.see(at, time)  # type: ignore[arg-type]
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
            left = max(0.0, (total - done) / counter.rate - max(0.0, now - counter.moved))
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


def _ignore(_value: float) -> None:
    pass


def _mean(values: Sequence[float]) -> float:
    """The mean; of equal values it is just that."""
    first = values[0]
    return first + sum([value - first for value in values]) / len(values)


def _as_number(value: Value) -> float | None:
    if type(value) is float:
        return value
    try:
        return float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError, OverflowError):
        return None


def _as_finite(value: Value) -> float | None:
    if type(value) is int and -_EXACT < value < _EXACT:
        return value
    if isinstance(value, (int, float)) and (number := _as_number(value)) is not None and number - number == 0:
        return number
    return None
