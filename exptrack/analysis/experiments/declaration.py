"""Experiments as `exptrack.yaml` declares them, and whether a run is one of theirs."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from itertools import pairwise
from typing import Any

from exptrack.analysis.settings import Section
from exptrack.analysis.wording import name_few
from exptrack.errors import SettingsError
from exptrack.model.experiment import Experiment, Noise, Pairing, Predictions
from exptrack.model.tree import Tree, Value

KEYS = (
    "hypothesis", "metric", "secondary", "variables", "static", "seeds", "baseline", "pair_by", "alpha", "looks", "noise", "holdout",
    "predictions",
)  # fmt: skip
_ALPHA = "a number from 0.000001 and below 0.5, such as 0.05"
# Of less, shared among many configurations, no interval could be told from one that holds all numbers.
LEAST_ALPHA = 1e-6
_KEYED = (Pairing.FOLD, Pairing.DATASET, Pairing.SPLIT)
_PAIR_BY = (
    "none, seed, or a mapping such as {fold: data.fold, test_share: 0.25}, {dataset: data.name} or {split: data.split}"
)
_TEST_SHARE = "the test data's size over the training data's, more than 0, such as 0.25 for 5 folds"
_LOOKS = "a list of numbers of runs from 3 that grow, such as [3, 5, 10]"
_BASELINE = "values of variables, or a run, branch or commit"
_SEEDS = ("seed", "random_state", "random_seed")
_NAMED = 8
_EXACT = 2**53


def parse_experiments(tree: Tree, name: str = "exptrack.yaml") -> Mapping[str, Experiment]:
    """What `experiments` declares, by name; an empty tree gives none. `name` is what messages call the file.

    `variables` maps a parameter, by its dotted name or nested, to the list of its values; `static` to one value. `baseline` gives values
    of variables, one of each, or is a text that names a run, branch or commit. `pair_by` is `seed`, or a mapping of `fold`, `dataset` or
    `split` to the parameter that it is; a fold needs `test_share` besides, the size of its test data over that of its training data.
    `predictions` is a path, or a mapping of `path`, `id`, `label` and `prediction`.

    Raises SettingsError, one line, that names the file and the key.
    """
    section = Section(name, "experiments", dict(tree))
    if "" in section.values:
        raise SettingsError(f"{name}: an experiment in {section.path!r} must have a name")
    return {key: _experiment(section.section(key), key) for key in section.values}


def find_outside(experiment: Experiment, params: Tree) -> tuple[str, ...]:
    """Lines on parameters that are set, but not as the experiment declares them; none if the run belongs to it.

    1 and 1.0 are one value. A parameter that is not set may be one that the program has a default for: see `find_missing`.
    """
    lines: list[str] = []
    for key, values in experiment.variables.items():
        lines += [
            f"{key}={_tell(value)} is none of {name_few([*map(_tell, values)], _NAMED)}"
            for value in _find(params, key)
            if not any(_is_alike(value, one) for one in values)
        ]
    for key, declared in experiment.static.items():
        lines += [
            f"{key}={_tell(value)} where {_tell(declared)} is declared"
            for value in _find(params, key)
            if not _is_alike(value, declared)
        ]
    return tuple(lines)


def find_missing(experiment: Experiment, params: Tree) -> tuple[str, ...]:
    """The variables that are not among the parameters."""
    return tuple(key for key in experiment.variables if not any(True for _ in _find(params, key)))


def configuration_of(experiment: Experiment, params: Tree) -> Mapping[str, Value]:
    """The values of the experiment's variables, in the order in which it declares them; those that are not set are left out."""
    return {key: value for key in experiment.variables for value in _find(params, key)}


def is_configuration(wanted: Mapping[str, Value], params: Tree) -> bool:
    """Whether parameters have all the wanted values, 1 and 1.0 being the same; for the baseline that is given by values."""
    return all(any(_is_alike(value, one) for one in _find(params, key)) for key, value in wanted.items())


def _experiment(section: Section, name: str) -> Experiment:
    section.allow(*KEYS)
    variables = _variables(section.section("variables"))
    static = dict(_leaves(section.section("static").values))
    both = next((key for key in static if key in variables), None)
    if both is not None:
        section.section("static").fail(both, f"left out: it is among {section.where('variables')!r}")
    pair_by, pair_key, test_share = _pairing(section)
    alpha = section.read("alpha", _alpha, _ALPHA)
    return Experiment(
        name=name,
        metric=section.text("metric"),
        hypothesis=" ".join((section.text("hypothesis") or "").split()),
        secondary=_secondary(section),
        variables=variables,
        static=static,
        seeds=section.whole("seeds", 0, least=1) or None,
        baseline=_baseline(section, variables),
        pair_by=pair_by,
        pair_key=pair_key,
        test_share=test_share,
        alpha=Experiment._field_defaults["alpha"] if alpha is None else alpha,
        looks=section.read("looks", _looks, _LOOKS) or (),
        noise=_noise(section, pair_by),
        holdout=section.text("holdout"),
        predictions=_predictions(section),
    )


def _variables(section: Section) -> Mapping[str, tuple[Value, ...]]:
    variables: dict[str, tuple[Value, ...]] = {}
    for key, values in _leaves(section.values):
        if not isinstance(values, list) or not values:
            section.fail(key, "a list of its values, such as [0.1, 0.01]")
        if key in _SEEDS:
            section.fail(
                key,
                f"left out: runs with other seeds are replicates, and {section.path.rpartition('.')[0]}.seeds is their number",
            )
        for position, value in enumerate(values):
            if any(_is_alike(value, other) for other in values[:position]):
                section.fail(key, f"a list of different values: {_tell(value)} is in it twice")
        variables[key] = tuple(values)
    return variables


def _baseline(section: Section, variables: Mapping[str, tuple[Value, ...]]) -> Mapping[str, Value] | str | None:
    value = section.values.get("baseline")
    if not isinstance(value, dict):
        return section.read("baseline", lambda text: text if isinstance(text, str) and text else None, _BASELINE)
    inside = section.section("baseline")
    wanted = dict(_leaves(value))
    if wanted and not variables:
        section.fail(
            "baseline",
            f"a run, branch or commit: there are no variables ({section.where('variables')!r}) that it could have values of",
        )
    known = Section(inside.file, inside.path, wanted)
    known.allow(*variables)
    for key, one in wanted.items():
        if not any(_is_alike(one, other) for other in variables[key]):
            inside.fail(key, f"one of {name_few([*map(_tell, variables[key])], _NAMED)}")
    for key, values in variables.items():
        if key not in wanted:
            inside.fail(key, f"given: {name_few([*map(_tell, values)], _NAMED, ' or ')}")
    return wanted or section.fail("baseline", _BASELINE)


def _pairing(section: Section) -> tuple[Pairing, str | None, float | None]:
    value = section.values.get("pair_by")
    if not isinstance(value, dict):
        plain = {Pairing.NONE.value: Pairing.NONE, Pairing.SEED.value: Pairing.SEED}
        taken = section.read("pair_by", lambda text: plain.get(text) if isinstance(text, str) else None, _PAIR_BY)
        return taken or Pairing.NONE, None, None
    inside = section.section("pair_by")
    inside.allow(*map(str, _KEYED), "test_share")
    chosen = [one for one in _KEYED if one in inside.values]
    if len(chosen) != 1:
        section.fail("pair_by", _PAIR_BY)
    key = inside.text(chosen[0])
    if key is None:
        inside.fail(chosen[0], "the name of a parameter, such as data.fold")
    if chosen[0] is Pairing.DATASET:
        inside.allow(str(chosen[0]))
        return chosen[0], key, None
    share = inside.number("test_share")
    if chosen[0] is Pairing.SPLIT and "test_share" not in inside.values:
        return chosen[0], key, None
    return chosen[0], key, share or inside.fail("test_share", _TEST_SHARE)


def _noise(section: Section, pair_by: Pairing) -> Noise:
    noise = section.choice("noise", Noise) or Noise.UNEQUAL
    if noise is Noise.COMMON and pair_by is not Pairing.NONE:
        section.fail("noise", f"left out: runs are compared by pairs ({section.where('pair_by')!r})")
    return noise


def _secondary(section: Section) -> tuple[str, ...]:
    value = section.values.get("secondary")
    named = (value,) if isinstance(value, str) and value else section.texts("secondary") or ()
    if section.values.get("metric") in named:
        section.fail("secondary", f"other metrics than {section.where('metric')!r}")
    return tuple(dict.fromkeys(named))


def _predictions(section: Section) -> Predictions | None:
    value = section.values.get("predictions")
    if value is None:
        return None
    if isinstance(value, str) and value:
        return Predictions(value)
    if not isinstance(value, dict):
        section.fail(
            "predictions", "the path of a file, such as predictions.csv, or a mapping of path, id, label and prediction"
        )
    inside = section.section("predictions")
    inside.allow(*Predictions._fields)
    path = inside.text("path")
    if path is None:
        inside.fail("path", "the path of the file, such as predictions.csv")
    given = {key: text for key in ("id", "label", "prediction") if (text := inside.text(key)) is not None}
    return Predictions(path, **given, holdout=inside.flag("holdout"))


def _alpha(value: object) -> float | None:
    return float(value) if isinstance(value, float) and LEAST_ALPHA <= value < 0.5 else None


def _looks(value: object) -> tuple[int, ...] | None:
    if not isinstance(value, list) or not value or any(type(look) is not int or look < 3 for look in value):
        return None
    return tuple(value) if all(a < b for a, b in pairwise(value)) else None


def _leaves(tree: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """What is not a mapping, by dotted name; a list is a value."""
    for key, value in tree.items():
        if isinstance(value, Mapping) and value:
            yield from _leaves(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", value


def _find(tree: Value, key: str) -> Iterator[Value]:
    """The value at a dotted name, if there is one; each part may itself hold dots."""
    if not isinstance(tree, Mapping):
        return
    if key in tree:
        yield tree[key]
        return
    for position, letter in enumerate(key):
        if letter == "." and key[:position] in tree:
            found = list(_find(tree[key[:position]], key[position + 1 :]))
            if found:
                yield found[0]
                return


def _is_alike(old: Value, new: Value) -> bool:
    return canonical(old) == canonical(new)


def canonical(value: Value) -> str:
    """A text that two values have in common if they are the same value, 1 and 1.0 being one, 1 and true not."""
    if isinstance(value, float) and value.is_integer() and abs(value) < _EXACT:
        return repr(int(value))
    if value is None or isinstance(value, (bool, int, float, str)):
        return repr(value)
    if isinstance(value, Mapping):
        return f"{{{', '.join(f'{key!r}: {canonical(value[key])}' for key in sorted(value))}}}"
    return f"[{', '.join(map(canonical, value))}]"


def _tell(value: Value) -> str:
    """A value as YAML has it on one line."""
    return value if isinstance(value, str) and value else json.dumps(value, ensure_ascii=False)
