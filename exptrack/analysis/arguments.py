"""Parameters in the words of a command."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from exptrack.analysis.commands import script_words
from exptrack.analysis.fields import finite, parse_json
from exptrack.analysis.yaml12 import load_yaml, parse_scalar
from exptrack.model.tree import Tree, Value, nest

ARGUMENTS = "args"

_OPTION = re.compile(r"--([A-Za-z_][\w.-]*)(?:=(.*))?", re.DOTALL)
# `+lr=1` and `++lr=1` are Hydra's; `numpy==1.2` is no parameter.
_ASSIGNMENT = re.compile(r"\+{0,2}([A-Za-z_][\w.-]*)=(?!=)(.*)", re.DOTALL)
_NUMBER = re.compile(r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?", re.ASCII)
_NULLS = {"null", "Null", "NULL"}


def parse_arguments(argv: Sequence[str]) -> dict[str, Value]:
    """The parameters that a command was given: `--key value`, `--key=value` and `key=value`, keys as they were typed.

    The words that count are those after the script: see `script_words`. An option that no value follows is true, so `--no-cache` is
    `{"no-cache": True}`; only `merge_arguments` knows whether a parameter `cache` is meant. The word after an option is its value,
    unless it is an option or a `key=value` itself; numbers that follow a number belong to it (`--layers 64 32`). Of an option given
    twice the last counts, as argparse has it. Short options are not read; after `--` only `key=value` is.

    Values are typed as in YAML 1.2 (`0.1`, `true`, `null`, `[1, 2]`, `{"a": 1}`), but for `~` and the empty text, which stay texts,
    and for NaN and infinities, which parameters cannot hold.
    """
    found: dict[str, Value] = {}
    words = script_words(argv)
    for _, _, key, texts in _list_given(words):
        if key is not None:
            typed = [parse_value(text) for text in texts]
            found[key] = True if not typed else typed[0] if len(typed) == 1 else typed
    return found


def other_words(words: Sequence[str]) -> tuple[str, ...]:
    """Those of a script's words that gave no parameter, in their order; of a parameter given twice only the last counts.

    Nothing is typed: commands in thousands differ, and are read in this way.
    """
    given = [*_list_given(words)]
    last = {key: start for start, _, key, _ in given}
    return tuple(word for start, end, key, _ in given if key is None or last[key] != start for word in words[start:end])


def parse_value(text: str) -> Value:
    """The value that a word of a command line stands for."""
    if text[:1] in {"[", "{"} and text[-1:] in {"]", "}"}:
        return _structure(text)
    value = parse_scalar(text)
    if (value is None and text not in _NULLS) or (isinstance(value, float) and not math.isfinite(value)):
        return text
    return value


def merge_arguments(params: Mapping[str, Tree], arguments: Mapping[str, Value]) -> dict[str, Tree]:
    """The parameters that the run had: those of its files, by source, with what the command said in their place.

    An argument that names a value in exactly one source (by its dotted path, hyphens and underscores alike) replaces that value;
    `no-x` given as an option makes a boolean `x` false. Every other argument stands under the source `args`, nested.
    """
    sources: dict[str, Tree] = dict(params)
    others: dict[str, Value] = {}
    for key, value in arguments.items():
        known, meant = _places(sources, key), value
        if not known and value is True and key.startswith(("no-", "no_")):
            known = [place for place in _places(sources, key[3:]) if isinstance(_leaf(sources, place), bool)]
            meant = False
        if len(known) == 1:
            source, *path = known[0]
            sources[source] = _replaced(sources[source], path, meant)
        else:
            others[key] = value
    if others:
        sources[ARGUMENTS] = {**sources.get(ARGUMENTS, {}), **nest(others)}
    return sources


def _list_given(words: Sequence[str]) -> Iterator[tuple[int, int, str | None, Sequence[str]]]:
    """The words from the first to the last, piece by piece: where it begins and ends, and which parameter it gives, with its texts.

    A word that gives none is a piece without a key, an option without a value one without texts.
    """
    end = words.index("--") if "--" in words else len(words)
    position = 0
    while position < len(words):
        start, word = position, words[position]
        position += 1
        option = _OPTION.fullmatch(word) if start < end else None
        if option is None:
            assignment = _ASSIGNMENT.fullmatch(word)
            yield (start, position, assignment[1], (assignment[2],)) if assignment else (start, position, None, ())
        elif option[2] is not None:
            yield start, position, option[1], (option[2],)
        else:
            values = _values(words, position, end)
            position += len(values)
            yield start, position, option[1], values


def _values(words: Sequence[str], first: int, end: int) -> list[str]:
    if (
        first >= end
        or _ASSIGNMENT.fullmatch(words[first])
        or (words[first].startswith("-") and not _NUMBER.fullmatch(words[first]) and words[first] != "-")
    ):
        return []
    last = first + 1
    if _NUMBER.fullmatch(words[first]):
        while last < end and _NUMBER.fullmatch(words[last]):
            last += 1
    return [*words[first:last]]


def _structure(text: str) -> Value:
    # JSON first: YAML reads {"a":1} alike, but {a:1} as a key without a value.
    for parse in (parse_json, load_yaml) if text[0] == "[" else (parse_json,):
        try:
            value: Value = finite(parse(text))
        except ValueError:
            continue
        return value
    return text


def _places(sources: Mapping[str, Tree], key: str) -> list[tuple[str, ...]]:
    return [(name, *path) for name, tree in sources.items() for path in _paths(tree, key.replace("-", "_"))]


def _paths(tree: Tree, key: str) -> list[tuple[str, ...]]:
    found: list[tuple[str, ...]] = []
    for name, value in tree.items():
        alike = name.replace("-", "_")
        if alike == key and not isinstance(value, Mapping):
            found.append((name,))
        elif isinstance(value, Mapping) and key.startswith(f"{alike}."):
            found.extend((name, *path) for path in _paths(value, key[len(alike) + 1 :]))
    return found


def _leaf(tree: Mapping[str, Any], path: Sequence[str]) -> Value:
    leaf: Any = tree
    for part in path:
        leaf = leaf[part]
    value: Value = leaf
    return value


def _replaced(tree: Tree, path: Sequence[str], value: Value) -> dict[str, Value]:
    first, *rest = path
    below = tree[first]
    return {**tree, first: _replaced(below, rest, value) if rest and isinstance(below, Mapping) else value}
