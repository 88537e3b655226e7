"""Parameters as objects of dataclasses."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal, NewType, Optional

import pytest

from exptrack.analysis.typed import fill
from exptrack.errors import ExptrackError


class Kind(Enum):
    SVM = "svm"
    MLP = 2


Metres = NewType("Metres", float)


@dataclass(frozen=True)
class Model:
    kind: Kind = Kind.SVM
    layers: tuple[int, ...] = ()


@dataclass
class Config:
    a_class: ClassVar[int] = 1
    lr: float = 0.1
    steps: int = 1
    name: str = ""
    flag: bool = False
    model: Model = Model()
    maybe: Optional[Model] = None  # noqa: UP045 - people write it
    either: int | str = 0
    act: Literal["relu", 1] = "relu"
    sizes: list[float] = field(default_factory=list)
    pair: tuple[int, str] = (1, "a")
    rates: dict[str, float] = field(default_factory=dict)
    by_number: Mapping[int, str] = field(default_factory=dict)
    some: set[str] = field(default_factory=set)
    any_of: Sequence[Any] = ()
    path: Path = Path()
    far: Metres = Metres(0.0)
    near: Annotated[int, "metres"] = 0
    derived: int = field(init=False, default=3)


def read(**tree: Any) -> Any:
    slips: list[str] = []
    found = fill(Config, tree, slips.append)
    assert slips == []
    return found


@pytest.mark.parametrize(
    ("key", "given", "wanted"),
    [
        ("lr", 1, 1.0), ("lr", "Infinity", float("inf")), ("steps", 1000.0, 1000), ("name", 12, "12"), ("flag", True, True),
        ("maybe", None, None), ("maybe", {"layers": [1, 2]}, Model(layers=(1, 2))), ("model", {"kind": "MLP"}, Model(Kind.MLP)),
        ("model", {"kind": "svm"}, Model()), ("model", {"kind": 2}, Model(Kind.MLP)), ("either", "x", "x"), ("either", 3, 3),
        ("act", 1, 1), ("sizes", [1, 2.5], [1.0, 2.5]), ("pair", [2, "b"], (2, "b")), ("rates", {"a": 1}, {"a": 1.0}),
        ("by_number", {"3": "x"}, {3: "x"}), ("some", ["x"], {"x"}), ("any_of", [1, "a"], [1, "a"]), ("path", "a/b", Path("a/b")),
        ("far", 2, 2.0), ("near", 3, 3),
    ],
)  # fmt: skip
def test_a_value_has_the_type_of_its_field(key, given, wanted):
    found = getattr(read(**{key: given}), key)
    assert found == wanted
    assert type(found) is type(wanted)


@pytest.mark.parametrize(
    ("key", "given", "said"),
    [
        ("lr", "fast", "parameter 'lr' is the text 'fast': a number is wanted"),
        ("lr", True, "parameter 'lr' is true: a number is wanted"),
        ("lr", None, "parameter 'lr' is null: a number is wanted"),
        ("steps", 1.5, "parameter 'steps' is the number 1.5: a whole number is wanted"),
        ("flag", 1, "parameter 'flag' is the number 1: true or false is wanted"),
        ("name", [1], "parameter 'name' is a list: a text is wanted"),
        ("sizes", 3, "parameter 'sizes' is the number 3: a list is wanted"),
        ("sizes", [1, "x"], "parameter 'sizes.1' is the text 'x': a number is wanted"),
        ("pair", [1], "parameter 'pair' is a list: a list of 2 is wanted"),
        ("rates", {"a": "x"}, "parameter 'rates.a' is the text 'x': a number is wanted"),
        ("by_number", {"x": "y"}, "parameter 'by_number' has the key 'x': a whole number is wanted"),
        ("model", 3, "parameter 'model' is the number 3: a mapping (Model) is wanted"),
        ("model", {"kind": "knn"}, "parameter 'model.kind' is the text 'knn': one of SVM, MLP is wanted"),
        ("maybe", {"layers": ["x"]}, "parameter 'maybe.layers.0' is the text 'x': a whole number is wanted"),
        ("model", {"layer": []}, "parameter 'model.layer' is no field of Model, did you mean 'model.layers'?"),
        ("either", [], "parameter 'either' is a list: a whole number or a text is wanted"),
        ("act", "tanh", "parameter 'act' is the text 'tanh': one of 'relu', 1 is wanted"),
    ],
)
def test_another_type_is_refused_in_one_line(key, given, said):
    with pytest.raises(ExptrackError) as caught:
        read(**{key: given})
    assert str(caught.value) == said


def test_other_keys_are_let_be_and_a_slip_is_told():
    slips: list[str] = []
    assert fill(Config, {"unrelated": 1, "sise": 3, "stepz": 3}, slips.append) == Config()
    assert sorted(slips) == [
        "parameter 'sise' is no field of Config, did you mean 'sizes'?",
        "parameter 'stepz' is no field of Config, did you mean 'steps'?",
    ]


def test_hyphens_are_underscores():
    assert read(**{"by-number": {}, "any-of": [3]}).any_of == [3]


def test_what_has_no_default_must_be_given():
    @dataclass
    class Small:
        lr: float
        name: str = "???"

    with pytest.raises(ExptrackError, match=r"^parameter 'lr' is missing: give it, or its field in Small a default$"):
        fill(Small, {"name": "x"}, print)
    with pytest.raises(ExptrackError, match="'name' is missing"):
        fill(Small, {"lr": 1}, print)


@pytest.mark.parametrize(("cls", "said"), [(int, "int"), ("Config", "'Config'"), (Config(), "Config")])
def test_only_a_dataclass_will_do(cls, said):
    with pytest.raises(ExptrackError, match=rf"^parameters cannot be read as {said}.*: give a dataclass$"):
        fill(cls, {}, print)


def test_a_type_that_parameters_cannot_have_is_refused():
    @dataclass
    class Odd:
        run: ExptrackError | None = None

    with pytest.raises(ExptrackError, match="parameter 'run' cannot be read as ExptrackError: give its field a plain"):
        fill(Odd, {"run": 3}, print)
    assert fill(Odd, {}, print) == Odd()
