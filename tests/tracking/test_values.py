"""What scripts log is their own: whatever it is, and whatever it raises, no call fails, and what cannot be recorded is told."""

from __future__ import annotations

import json
import math
import threading
from dataclasses import dataclass
from enum import Enum
from functools import partial

import numpy as np
import pytest

from exptrack.tracking.stream import Stream
from exptrack.tracking.values import as_number, as_text, as_tree, as_value, describe


class Raising:
    """An object that raises what it is told to, whatever it is asked."""

    def __init__(self, error: BaseException) -> None:
        self.__dict__["error"] = error

    def __getattr__(self, name: str) -> object:
        raise self.__dict__["error"]

    def __repr__(self) -> str:
        raise self.__dict__["error"]

    def item(self) -> float:
        raise self.__dict__["error"]

    __float__ = item


class Unreadable(dict):
    def items(self):
        raise RuntimeError("items")


class Name(str, Enum):  # noqa: UP042 - whose `str` is "Name.LOSS"
    LOSS = "loss"


ERRORS = [Exception("of a library"), KeyError("x"), AssertionError(), OSError(5, "x"), MemoryError(), RecursionError(), StopIteration()]  # fmt: skip


class Logged:
    def __init__(self, folder) -> None:
        (folder / "stream").touch()
        self.told: list[str] = []
        self._path = folder / "stream"
        self.stream = Stream(folder, self.told.append)

    def log(self, values, step=None, epoch=None) -> None:
        self.stream.add_metrics(values, step, epoch)

    @property
    def entries(self) -> list[dict]:
        return [json.loads(line) for line in self._path.read_text().splitlines()]


@pytest.fixture
def logged(tmp_path):
    one = Logged(tmp_path)
    yield one
    one.stream.close()


@pytest.mark.parametrize(
    ("value", "number"),
    [
        (2**70, float(2**70)), (10**400, math.inf), (-(10**400), -math.inf), (2**63 - 1, 2**63 - 1), (True, 1),
        (np.longdouble(0.5), 0.5), (np.longdouble("1e4000"), math.inf), (np.float16(0.5), 0.5), (np.array([True]), 1), (np.bool_(0), 0),
        (np.ma.array([1.0], mask=[False]), 1.0),
    ],
)  # fmt: skip
def test_a_number_is_taken_whatever_holds_it(value, number):
    found = as_number(value)
    assert (found, type(found)) == (number, type(number))


@pytest.mark.parametrize(
    "value",
    [np.ma.masked, np.ma.array([1.0], mask=[True]), np.complex64(1), np.datetime64("2020-01-01"), np.array([None]), np.float32, [1], b"1"]
    + [Raising(error) for error in ERRORS],
    ids=lambda value: type(value).__name__,
)  # fmt: skip
def test_what_is_no_number_is_said_in_words(value):
    assert as_number(value) == describe(value)


def test_what_is_raised_by_a_value_costs_that_value_only(logged):
    values = {f"bad{number}": Raising(error) for number, error in enumerate(ERRORS)}
    logged.log({"good": 1.0, **values, "last": 2.0}, step=Raising(KeyError()), epoch=3)
    assert [(one["values"], one["epoch"]) for one in logged.entries] == [({"good": 1.0, "last": 2.0}, 3)]
    assert len(logged.told) == len(ERRORS) + 1


@pytest.mark.parametrize(
    "name",
    ["", " ", "\n", "x" * 251, None, 1, b"loss", ("a",), Raising(KeyError())],
    ids=lambda name: type(name).__name__,
)
@pytest.mark.parametrize("value", [1.0, 1])
def test_what_is_no_name_costs_that_value_only(logged, name, value):
    logged.log({name: value, "loss": value}, step=2)
    assert [(one["values"], one["step"]) for one in logged.entries] == [({"loss": value}, 2)]
    assert len(logged.told) == 1
    assert len(logged.told[0]) < 250


def test_names_that_are_texts_of_another_type_are_names(logged):
    logged.log({Name.LOSS: 1.0, np.str_("score"): 2.0, "lone \ud800": 3.0, "nul \0": 4.0})
    assert logged.entries[0]["values"] == {"loss": 1.0, "score": 2.0, "lone \ud800": 3.0, "nul \0": 4.0}


@pytest.mark.parametrize(
    "values",
    [None, 3, [1, 2], [("loss", 1.0)], Unreadable(a=1), Raising(KeyError())],
    ids=lambda one: type(one).__name__,
)
def test_what_is_no_mapping_is_told(logged, values):
    logged.log(values)
    assert logged.entries == []
    assert logged.told == [f"metrics are {describe(values)}: give a mapping from names to numbers"]


def test_a_mapping_may_change_while_it_is_logged(logged):
    values, is_over = {f"k{number}": 1.0 for number in range(50)}, threading.Event()

    def churn() -> None:
        number = 0
        while not is_over.is_set():
            values[f"n{number % 97}"] = 1.0
            values.pop(f"n{number * 31 % 97}", None)
            number += 1

    thread = threading.Thread(target=churn)
    thread.start()
    for step in range(1000):
        logged.log(values, step=step)
    is_over.set()
    thread.join()
    assert [one["step"] for one in logged.entries] == list(range(1000))
    assert logged.told == []


def test_steps_beyond_all_bounds_are_left_out(logged):
    logged.log({"loss": 1.0}, step=10**5000)
    logged.log({"loss": 1.0}, step=2**70)
    assert ["step" in one for one in logged.entries] == [False, True]


def test_ten_thousand_metrics_are_one_entry(logged):
    logged.log({f"m/{number}": number / 3 for number in range(10_000)})
    assert len(logged.entries[0]["values"]) == 10_000


def test_a_tree_within_itself_ends():
    items: list[object] = [1]
    items.append(items)
    tree: dict[str, object] = {"a": items}
    tree["self"] = tree
    assert as_value(tree) == {"a": [1, "a list within itself"], "self": "a dict within itself"}
    deep: list[object] = []
    for _ in range(5000):
        deep = [deep]
    json.dumps(as_value(deep))


@dataclass
class Config:
    lr: float = 0.1
    model: object = None


def test_of_a_configuration_what_can_be_read_is_recorded():
    from omegaconf import OmegaConf

    config = OmegaConf.create({"lr": 0.1, "data": "???", "copy": "${nowhere}"})
    assert as_tree(config) == {"lr": 0.1, "data": "???", "copy": "???"}
    assert as_tree(Config(model=Raising(KeyError()))) == {"lr": 0.1, "model": "a Raising"}


@pytest.mark.parametrize(
    ("value", "recorded"),
    [
        (range(3), [0, 1, 2]), (range(10**9), "range(0, 1000000000)"), ({3, "a"}, ["a", 3]), (b"x", "b'x'"), ({1: {None: 2}}, {"1": {"None": 2}}),
        (float("inf"), "inf"), (len, "builtins.len"), (Raising(KeyError()), "a Raising"), ({Raising(KeyError())}, ["a Raising"]),
        (np.zeros(2), [0.0, 0.0]), (np.longdouble(0.5), 0.5), (object(), "<object object>"), (partial(max, 1), "functools.partial"),
    ],
    ids=lambda one: type(one).__name__,
)  # fmt: skip
def test_any_parameter_has_a_form(value, recorded):
    assert as_value(value) == recorded


def test_a_number_of_ten_thousand_digits_is_no_reason_to_fail():
    assert json.dumps(as_value(10**10_000)).startswith('"0x')
    assert as_text(Raising(KeyError())) == "a Raising"
