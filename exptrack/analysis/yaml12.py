"""YAML 1.2, as DVC reads it, on PyYAML's C parser.

PyYAML alone reads YAML 1.1: `1e-5` a string, `on` true, `010` eight. Here the core schema of YAML 1.2 holds, and where PyYAML and
DVC's ruamel agree on more (`1_000` is a number, `0b11` too), so does this module. Dates stay the strings that they were written as.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from typing import TYPE_CHECKING, Any

from exptrack.analysis.fields import DEEPEST, LONGEST_NUMBER, is_deeper
from exptrack.model.tree import Tree, Value

if TYPE_CHECKING:
    import yaml

# An alias costs a word and may stand for much: ten lines can stand for 10^9 values, which no record could hold.
MOST_VALUES = 1_000_000

_WORDS: dict[str, Value] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL"), None),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
    **dict.fromkeys((".nan", ".NaN", ".NAN"), float("nan")),
    **{sign + word: float(sign + "inf") for sign in ("", "+", "-") for word in (".inf", ".Inf", ".INF")},
}
_INT = re.compile(
    r"[-+]?(?:0b[01_]*[01][01_]*|0o[0-7_]*[0-7][0-7_]*|0x[\da-fA-F_]*[\da-fA-F][\da-fA-F_]*|\d[\d_]*)", re.ASCII
)
_FLOAT = re.compile(r"[-+]?(?:\d[\d_]*(?:\.[\d_]*)?|\.\d[\d_]*)(?:[eE][-+]?\d+)?", re.ASCII)
_TYPES = {"int": int, "float": float, "bool": bool, "null": type(None)}
_BASES = {"b": 2, "o": 8, "x": 16}
_MERGE = "<<"
_TAG = "tag:yaml.org,2002:"


def parse_scalar(text: str) -> Value:
    """The value of a plain scalar: null, a boolean, an int, a float (also not finite), or the text itself."""
    if text in _WORDS:
        return _WORDS[text]
    if text[0] not in "-+.0123456789" or len(text) > LONGEST_NUMBER:
        return text
    return _number(text)


def load_yaml(text: str) -> Value:
    """The value of a document; None if it is empty. Keys become strings; numbers may be NaN or infinite.

    Raises ValueError, one line with the line's number: not YAML, more than one document, a key twice, a tag of an application.
    """
    import yaml

    loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    try:
        reader = loader(text)
        try:
            return _Builder(reader.get_event).document()
        finally:
            reader.dispose()
    except yaml.MarkedYAMLError as error:
        raise ValueError(_reason(error)) from None
    except (yaml.reader.ReaderError, UnicodeEncodeError):
        strange = yaml.reader.Reader.NON_PRINTABLE.search(text)
        line = text.count("\n", 0, strange.start() if strange else 0) + 1
        raise ValueError(f"line {line}: a character that YAML does not allow") from None


def dump_yaml(tree: Tree) -> str:
    """A tree as YAML that reads back equal under 1.2, and in PyYAML's 1.1 too, in the order of its keys.

    Strings that either would take for something else are quoted. A lone surrogate, which YAML cannot hold, becomes U+FFFD.
    """
    if not tree:
        return "{}\n"
    import yaml

    return str(
        yaml.dump(
            _plain(tree), Dumper=_dumper(), sort_keys=False, allow_unicode=True, default_flow_style=False, width=2**30
        )
    )


def _number(text: str) -> int | float | str:
    if _INT.fullmatch(text):
        return _integer(text)
    if _FLOAT.fullmatch(text):
        return float(text.replace("_", ""))
    return text


def _integer(text: str) -> int:
    digits = text.replace("_", "")
    unsigned = digits.lstrip("+-")
    base = _BASES.get(unsigned[1:2], 10)
    number = int(unsigned if base == 10 else unsigned[2:], base)
    return -number if digits[0] == "-" else number


def _reason(error: yaml.MarkedYAMLError) -> str:
    mark = error.problem_mark or error.context_mark
    where = f"line {mark.line + 1}: " if mark else ""
    words = [part for part in (error.context, error.problem) if part]
    return where + " ".join(", ".join(words).split())


class _Builder:
    """Builds values from the parser's events.

    Not from its nodes: those are made by recursion in C, which ends the process when a file is nested deeply enough.
    """

    def __init__(self, next_event: Callable[[], Any]) -> None:
        self.next_event = next_event
        self.anchored: dict[str, tuple[Value, int]] = {}
        self.open: set[str] = set()
        self.count = 0

    def document(self) -> Value:
        self.next_event()  # the stream starts
        first = self.next_event()
        if _is(first, "StreamEnd"):
            return None
        value = self.build(self.next_event(), 0)
        self.next_event()  # the document ends
        after = self.next_event()
        if not _is(after, "StreamEnd"):
            raise _error(after, "a second document begins here")
        if self.anchored and is_deeper(value):
            raise _error(first, f"nested more than {DEEPEST} deep")
        return value

    def build(self, event: Any, depth: int) -> Value:
        if depth > DEEPEST:
            raise _error(event, f"nested more than {DEEPEST} deep")
        if _is(event, "Alias"):
            return self.alias(event)
        before = self.count
        self.count_in(event, 1)
        anchor = event.anchor
        if anchor:
            self.open.add(anchor)
        value = self.build_new(event, depth)
        if anchor:
            self.open.discard(anchor)
            self.anchored[anchor] = (value, self.count - before)
        return value

    def build_new(self, event: Any, depth: int) -> Value:
        if _is(event, "Scalar"):
            return _scalar(event)
        tag = (event.tag or "!").removeprefix(_TAG)
        if _is(event, "SequenceStart") and tag in {"!", "seq"}:
            return self.sequence(depth)
        if _is(event, "MappingStart") and tag in {"!", "map", "set"}:
            return self.mapping(depth)
        raise _error(event, f"a tag that means nothing here: {event.tag}")

    def alias(self, event: Any) -> Value:
        if event.anchor in self.open:
            raise _error(event, "a value that contains itself")
        if event.anchor not in self.anchored:
            raise _error(event, f"alias *{event.anchor} stands for nothing")
        value, size = self.anchored[event.anchor]
        self.count_in(event, size)
        return value

    def count_in(self, event: Any, size: int) -> None:
        self.count += size
        if self.count > MOST_VALUES:
            raise _error(event, f"more than {MOST_VALUES:,} values")

    def sequence(self, depth: int) -> list[Value]:
        items: list[Value] = []
        while not _is(event := self.next_event(), "SequenceEnd"):
            items.append(self.build(event, depth + 1))
        return items

    def mapping(self, depth: int) -> dict[str, Value]:
        own: dict[str, Value] = {}
        merged: dict[str, Value] = {}
        lines: dict[tuple[str, bool], int] = {}
        while not _is(event := self.next_event(), "MappingEnd"):
            key = _key(event)
            merge = key == _MERGE and event.implicit[0]
            if (key, merge) in lines:
                raise _error(event, f"key {key!r} stands here a second time, first in line {lines[key, merge]}")
            lines[key, merge] = event.start_mark.line + 1
            value = self.build(self.next_event(), depth + 1)
            if merge:
                merged = _merged(event, value)
            else:
                own[key] = value
        # As ruamel and PyYAML do: own values win, of several merged mappings the first wins, and merged keys come first.
        return {**merged, **own} if merged else own


def _merged(event: Any, value: Value) -> dict[str, Value]:
    merged: dict[str, Value] = {}
    for part in reversed(value) if isinstance(value, list) else (value,):
        if not isinstance(part, dict):
            raise _error(event, "only a mapping or a list of mappings can be merged with '<<'")
        merged |= part
    return merged


def _scalar(event: Any) -> Value:
    text: str = event.value
    if event.tag in {None, "!"}:
        return parse_scalar(text) if event.implicit[0] else text
    kind = event.tag.removeprefix(_TAG)
    if kind in {"str", "timestamp", "binary"}:
        return text
    value = parse_scalar(text)
    if kind == "float" and type(value) is int:
        return float(value)
    if kind in _TYPES and type(value) is _TYPES[kind]:
        return value
    raise _error(event, f"a tag that means nothing here: {event.tag}")


def _key(event: Any) -> str:
    if not _is(event, "Scalar"):
        raise _error(event, "a key must be a word, not a list, a mapping or an alias")
    return str(event.value)


def _is(event: Any, name: str) -> bool:
    return type(event).__name__ == name + "Event"


def _error(event: Any, problem: str) -> ValueError:
    return ValueError(f"line {event.start_mark.line + 1}: {problem}")


def _plain(value: Any) -> Any:
    if isinstance(value, str):
        return str(value) if value.isascii() else value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    if isinstance(value, Mapping):
        return {_plain(str(key)): _plain(item) for key, item in value.items()}
    if isinstance(value, Sequence):
        return [_plain(item) for item in value]
    return value


@cache
def _dumper() -> Any:
    import yaml

    base: Any = getattr(yaml, "CSafeDumper", yaml.SafeDumper)
    dumper: Any = type("Dumper", (base,), {"ignore_aliases": lambda _self, _data: True})

    # What YAML 1.1 alone misreads; quoted when written, so that PyYAML's default reads our files right too.
    misread_in_1_1 = re.compile(
        r"[yYnN]|(?:yes|Yes|YES|no|No|NO|on|On|ON|off|Off|OFF)|=|<<|[-+]?[\d_][\d_]*(?::[0-5]?\d)+(?:\.[\d_]*)?|[-+]?[\d_.]+(?:[eE][-+]?\d+)?"
        r"|\d{4}-\d\d?-\d\d?(?:(?:[Tt]|[ \t]+)\d\d?:.*)?",
        re.ASCII,
    )

    def write_string(writer: Any, text: str) -> Any:
        misread = not isinstance(parse_scalar(text), str) or misread_in_1_1.fullmatch(text)
        return writer.represent_scalar(_TAG + "str", text, style="'" if misread else None)

    dumper.add_representer(str, write_string)
    return dumper
