"""`-S KEY=VALUE`: parameters for one run, in the grammar of Hydra's overrides, and their place in the trees of the files."""

from __future__ import annotations

import posixpath
from collections.abc import Iterable, Mapping, Sequence
from enum import StrEnum
from typing import Any, NamedTuple, NoReturn

from exptrack.analysis.nearkeys import did_you_mean, list_keys, name_some
from exptrack.errors import ExptrackError
from exptrack.model.tree import Tree, Value

PARAMS = "params.yaml"


class Action(StrEnum):
    """What an override does: `set` changes a parameter, `add` makes a new one, `put` does either, `remove` takes it away."""

    set = "set"
    add = "add"
    put = "put"
    remove = "remove"


_ACTIONS = {"": Action.set, "+": Action.add, "++": Action.put, "~": Action.remove}
_SIGNS = {action: sign for sign, action in _ACTIONS.items()}


class Override(NamedTuple):
    """One `-S`; `file` is None for the default file, `value` of a removal is what must be there, None for anything."""

    file: str | None
    key: tuple[str, ...]
    action: Action
    value: Value = None
    text: str = ""


def parse_overrides(words: Sequence[str]) -> tuple[Override, ...]:
    """The overrides in words such as `model.lr=0.1`, `layers=[1, 2]`, `+new=1`, `++x=1`, `~gone`, `conf/a.toml:lr=0.1`.

    See `read_assignment` for how values are typed. Raises ExptrackError, which names the word: not in the grammar, a sweep, an
    override of a config group, an interpolation, a number that is not finite, one key with two values.
    """
    overrides = tuple(map(_parse, words))
    _refuse_contradictions([(one.file or PARAMS, one) for one in overrides])
    return overrides


def seed_overrides(name: str, seed: int, trees: Mapping[str, Tree]) -> tuple[Override, ...]:
    """The overrides that give the parameter `name`, the seed by `exptrack.yaml`, a value in every file that has it."""
    key = tuple(name.split("."))
    files = [file for file, tree in trees.items() if (path := _find(tree, key)) and _is_leaf(_get(tree, path))]
    if not files:
        near = did_you_mean(name, [(dotted, dotted) for tree in trees.values() for dotted in list_keys(tree)])
        raise ExptrackError(
            f"exptrack.yaml names {name!r} as the seed, which is a value in no parameter file{near or ': add it to one'}"
        )
    return tuple(Override(file, key, Action.set, seed, f"--seed {seed}") for file in files)


def apply_overrides(trees: Mapping[str, Tree], overrides: Iterable[Override], default: str = PARAMS) -> dict[str, Tree]:
    """The trees, by file, of those files that overrides name, as they are afterwards; the given ones are not changed.

    As in Hydra: overrides apply one after the other; a mapping over a mapping changes the keys that it names and may name no new one
    unless it is added; a mapping takes the place of a leaf, but list and mapping do not replace each other; a leaf has no keys to set
    below it, but adding one makes a mapping of it; `+` changes null, lists and mappings too.
    Other than there: a leaf takes the place of a mapping only with `++`; a key that holds dots is found, null can be removed, and one
    item of a list cannot (DVC ends with a TypeError).
    """
    placed = [(_file(trees, one, default), one) for one in overrides]
    _refuse_contradictions(placed)
    changed: dict[str, Tree] = {}
    for file, one in placed:
        changed[file] = _Place(file, {**trees, **changed}, one).apply()
    return changed


def _parse(word: str) -> Override:
    from exptrack.analysis.editing.hydrawords import read_assignment

    before = word.partition("=")[0]
    file, colon, text = word.partition(":") if ":" in before else ("", "", word)
    if colon and not file:
        _refuse(word, "names no file before the ':'")
    sign = text[: len(text) - len(text.lstrip("+~"))]
    if sign not in _ACTIONS:
        _refuse(word, f"begins with {sign!r}: only +, ++ and ~ mean something there")
    if "=" not in text and sign != "~":
        _refuse(word, "gives no value: write KEY=VALUE, or ~KEY to remove a parameter")
    try:
        key, value = read_assignment(text)
    except ValueError as error:
        _refuse(word, str(error))
    return Override(posixpath.normpath(file) if colon else None, tuple(key.split(".")), _ACTIONS[sign], value, word)


def _refuse(word: str, problem: str) -> NoReturn:
    raise ExptrackError(f"{word if len(word) < 200 else word[:199] + '…'!r} {problem}")


def _refuse_contradictions(placed: Iterable[tuple[str, Override]]) -> None:
    first: dict[tuple[str, tuple[str, ...]], Override] = {}
    for file, one in placed:
        if one.action is Action.remove:
            continue
        other = first.setdefault((file, one.key), one)
        mappings = isinstance(one.value, Mapping) and isinstance(other.value, Mapping)
        if not mappings and repr(other.value) != repr(one.value):
            _refuse(one.text, f"and {other.text!r} give one parameter two values: leave one out")


def _file(trees: Mapping[str, Tree], one: Override, default: str) -> str:
    file = default if one.file is None else one.file
    if file in trees:
        return file
    from difflib import get_close_matches

    near = get_close_matches(file, trees, n=1, cutoff=0.5) or list(trees)[: len(trees) == 1]
    if one.file is None:
        example = f"name another, such as {near[0]}:{one.text}" if near else "write one"
        raise ExptrackError(f"{one.text!r} needs {file}, which is no parameter file here: {example}")
    advice = f"did you mean {near[0]!r}?" if near else f"known are {', '.join(sorted(trees)) or 'none'}"
    return _refuse(one.text, f"names {file}, which is no parameter file here, {advice}")


class _Place:
    """Where an override stands: its file, in the trees as they are by then."""

    def __init__(self, file: str, trees: Mapping[str, Tree], one: Override) -> None:
        self.file = file
        self.trees = trees
        self.tree = trees[file]
        self.one = one

    def apply(self) -> Tree:
        path = _find(self.tree, self.one.key)
        if self.one.action is Action.remove:
            return self.removed(path)
        if path is None:
            return self.added()
        old, value = _get(self.tree, path), self.one.value
        if self.one.action is Action.add and old is not None and _is_leaf(value):
            _refuse(self.one.text, f"adds a parameter that {self.file} has: leave the + out to change it")
        return self.put(path, self.merged(old, value, path))

    def removed(self, path: tuple[str, ...] | None) -> Tree:
        if path is None:
            self.unknown(self.one.key)
        *above, last = path
        parent, wanted = _get(self.tree, above), self.one.value
        if not isinstance(parent, Mapping):
            _refuse(self.one.text, "removes an item of a list: give the whole list without it")
        if wanted is not None and repr(wanted) != repr(parent[last]):
            _refuse(
                self.one.text,
                f"removes another value than {self.file} has, {_brief(parent[last])}: leave the value out",
            )
        return self.put(above, {key: item for key, item in parent.items() if key != last})

    def added(self) -> Tree:
        key = self.one.key
        known = max(length for length in range(len(key)) if _find(self.tree, key[:length]) is not None)
        path = _find(self.tree, key[:known]) or ()
        above = _get(self.tree, path)
        if _is_list(above):
            count = len(above)  # type: ignore[arg-type]
            _refuse(
                self.one.text, f"names item {key[known]!r} of a list of {count}, counted from 0: give the whole list"
            )
        if self.one.action is Action.set:
            self.unknown(key)
        return self.put((*path, *key[known:]), self.one.value)

    def merged(self, old: Value, new: Value, path: Sequence[str]) -> Value:
        if (_is_list(old) and isinstance(new, Mapping)) or (isinstance(old, Mapping) and _is_list(new)):
            kinds = ("a list", "a mapping") if _is_list(old) else ("a mapping", "a list")
            _refuse(self.one.text, f"puts {kinds[1]} where {self.file} has {kinds[0]}: change that in the file")
        if not isinstance(old, Mapping) or not isinstance(new, Mapping):
            if isinstance(old, Mapping) and old and self.one.action is not Action.put:
                self.section(old, path)
            return new
        below = dict(old)
        for key, value in new.items():
            if key not in old and self.one.action is Action.set:
                self.unknown((*path, key))
            below[key] = self.merged(old.get(key), value, (*path, key))
        return below

    def put(self, path: Sequence[str], value: Value) -> Tree:
        return _put(self.tree, path, value)  # type: ignore[return-value]

    def section(self, old: Tree, path: Sequence[str]) -> NoReturn:
        """Refuse to put one value in the place of a whole section."""
        text, sign = self.one.text, _SIGNS[self.one.action]
        start = text.index(":") + 1 if self.one.file is not None else 0
        forced = f"{text[:start]}++{text[start:].removeprefix(sign)}"
        said = f"would replace all of {'.'.join(path)!r} in {self.file}, a section with {name_some(old)}"
        _refuse(text, f"{said}: name one of these, or force it with {forced!r}")

    def unknown(self, key: Sequence[str]) -> NoReturn:
        known = [(dotted, dotted) for dotted in list_keys(self.tree)]
        known += [
            (f"{file}:{dotted}", dotted)
            for file, tree in self.trees.items()
            if file != self.file
            for dotted in list_keys(tree)
        ]
        near = did_you_mean(".".join(key), known, self.within(key))
        said = f"names {'.'.join(key)!r}, which {self.file} does not have{near}"
        if self.one.action is Action.remove:
            _refuse(self.one.text, said + ("" if near else ": leave it out"))
        head, colon, rest = self.one.text.partition(":") if self.one.file is not None else ("", "", self.one.text)
        adding = f"{f'{head}{colon}+{rest}'!r} would add it"
        _refuse(self.one.text, f"{said} ({adding})" if near else f"{said}: {adding}")

    def within(self, key: Sequence[str]) -> tuple[str, Tree] | None:
        """The section in which an unknown key would stand: its dotted name, and what it holds; None for the file itself."""
        for length in range(len(key) - 1, 0, -1):
            path = _find(self.tree, key[:length])
            found = None if path is None else _get(self.tree, path)
            if found is not None:
                return (".".join(key[:length]), found) if isinstance(found, Mapping) else None
        return None


def _find(value: Value, key: Sequence[str]) -> tuple[str, ...] | None:
    """The path of a dotted key, parts of which may be one name that holds dots; None if there is nothing."""
    if not key:
        return ()
    if _is_list(value):
        items: Any = value
        found = _find(items[int(key[0])], key[1:]) if key[0].isdecimal() and int(key[0]) < len(items) else None
        return None if found is None else (key[0], *found)
    if isinstance(value, Mapping):
        for length in range(1, len(key) + 1):
            name = ".".join(key[:length])
            found = _find(value[name], key[length:]) if name in value else None
            if found is not None:
                return (name, *found)
    return None


def _get(value: Any, path: Sequence[str]) -> Value:
    for name in path:
        value = value[name] if isinstance(value, Mapping) else value[int(name)]
    found: Value = value
    return found


def _put(old: Value, path: Sequence[str], value: Value) -> Value:
    if not path:
        return value
    first, *rest = path
    if isinstance(old, Mapping):
        return {**old, first: _put(old.get(first), rest, value)}
    if _is_list(old):
        items: list[Value] = list(old)  # type: ignore[arg-type]
        items[int(first)] = _put(items[int(first)], rest, value)
        return items
    return {first: _put(None, rest, value)}


def _is_list(value: Value) -> bool:
    return isinstance(value, Sequence) and not isinstance(value, str)


def _is_leaf(value: Value) -> bool:
    return not isinstance(value, Mapping) and not _is_list(value)


def _brief(value: Value) -> str:
    said = repr(value)
    return said if len(said) < 60 else said[:59] + "…"
