"""Change a YAML text only where its values change, by the places that a parser gave for them."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from itertools import pairwise
from typing import Any, NamedTuple

from exptrack.analysis.same import is_same
from exptrack.analysis.yaml12 import dump_yaml
from exptrack.model.tree import Tree, Value

_COMMENT = re.compile(r"([ \t]+)#")
# In brackets these end a plain word.
_SPECIAL = re.compile(r"[,\[\]{}\n]")


class _Edit(NamedTuple):
    start: int
    end: int
    text: str


def splice(text: str, node: Any, before: Tree, new: Tree) -> str:
    """`text`, whose root `node` (of ruamel) reads as `before`, with the values of `new`; nothing else in it changes.

    ValueError where that takes more: anchors and aliases, merged mappings, keys that do not begin their line. Whether the text then
    reads as `new` is for the caller to check.
    """
    splicer = _Splicer(text)
    splicer.mapping(node, before, new)
    # Where an insertion and another edit begin at one place, the insertion stands before it.
    edits = sorted(splicer.edits, key=lambda edit: (edit.start, edit.end > edit.start))
    if any(one.end > after.start for one, after in pairwise(edits)):
        raise ValueError("two edits of one place")
    for edit in reversed(edits):
        text = text[: edit.start] + edit.text + text[edit.end :]
    return text


class _Splicer:
    def __init__(self, text: str) -> None:
        self.text = text
        self.edits: list[_Edit] = []

    def mapping(self, node: Any, old: Mapping[str, Value], new: Tree) -> None:
        pairs = {str(key.value): (key, value) for key, value in node.value}
        if len(pairs) < len(node.value) or any(key not in pairs for key in old if key not in new):
            raise ValueError("keys from elsewhere")
        if not any(key in new for key in pairs):
            raise ValueError("nothing stays")
        for number, (key, (name, item)) in enumerate(pairs.items()):
            if key not in new:
                self.remove(node, number, number < len(pairs) - 1)
            elif not is_same(old[key], new[key]):
                self.value(name, item, old[key], new[key])
        kept = [pair for key, pair in pairs.items() if key in new]
        if added := {key: value for key, value in new.items() if key not in pairs}:
            if node.flow_style:
                self.insert(
                    self.end(*kept[-1]), "".join(f", {_flow(key)}: {_flow(value)}" for key, value in added.items())
                )
            else:
                self.append(node, kept[-1], added)

    def value(self, name: Any, item: Any, old: Value, new: Value) -> None:
        start = self.start(name, item)
        if isinstance(old, dict) and isinstance(new, Mapping) and old and new:
            self.mapping(item, old, new)
        elif isinstance(old, list) and isinstance(new, list) and old and len(old) == len(new):
            self.items(item, old, new)
        elif isinstance(old, list) and old and isinstance(new, list) and new and not item.flow_style:
            margin = "\n" + " " * item.start_mark.column + "- "
            self.replace(start, self.line_end(name, item), "- " + margin.join(map(_flow, new)))
        elif isinstance(old, dict | list) and old and not item.flow_style:
            # What stood on lines of its own comes behind the key, before the comment there.
            self.insert(self.colon(name), " " + _flow(new))
            self.replace(self.text.rindex("\n", 0, start), self.line_end(name, item), "")
        else:
            self.scalar(item, start, self.end(name, item), new)

    def items(self, node: Any, old: list[Value], new: list[Value]) -> None:
        place = node
        for item, before, after in zip(node.value, old, new, strict=True):
            if not is_same(before, after):
                self.value(place, item, before, after)

    def scalar(self, item: Any, start: int, end: int, new: Value) -> None:
        said = _flow(new, getattr(item, "style", None))
        if start == end:
            self.insert(start, " " + said)
            return
        comment = _COMMENT.match(self.text, end)
        # A comment stays in its column, where there is room.
        space = max(1, end - start + len(comment[1]) - len(said)) if comment else 0
        self.replace(start, end + len(comment[1]) if comment else end, said + " " * space)

    def remove(self, node: Any, number: int, has_next: bool) -> None:  # noqa: FBT001
        name, item = node.value[number]
        end = self.end(name, item)
        if node.flow_style:
            if number:
                self.replace(self.end(*node.value[number - 1]), end, "")
            elif has_next:
                self.replace(name.start_mark.index, node.value[1][0].start_mark.index, "")
            return
        begin = self.text.rfind("\n", 0, name.start_mark.index) + 1
        if self.text[begin : name.start_mark.index].strip(" "):
            raise ValueError("does not begin its line")
        self.replace(begin, min(self.line_end(name, item) + 1, len(self.text)), "")

    def append(self, node: Any, last: tuple[Any, Any], added: Tree) -> None:
        margin = " " * node.value[0][0].start_mark.column
        lines = "".join(f"{margin}{line}\n" for line in dump_yaml(added).splitlines())
        line_end = self.line_end(*last)
        if line_end == len(self.text):
            self.insert(line_end, f"\n{lines[:-1]}")
        else:
            self.insert(line_end + 1, lines)

    def start(self, name: Any, item: Any) -> int:
        """Where a value begins; one that is not written, behind the colon of its key."""
        if item.anchor or item.start_mark.index < name.start_mark.index:
            raise ValueError("an anchor or an alias")
        start: int = item.start_mark.index
        return self.colon(name) if start == item.end_mark.index else start

    def colon(self, name: Any) -> int:
        if isinstance(name.value, list):
            raise ValueError("an item of a list, or a key that is one")  # noqa: TRY004
        return self.text.index(":", name.end_mark.index) + 1

    def end(self, name: Any, item: Any) -> int:
        """Where a value ends, without what follows on its last line."""
        start = self.start(name, item)
        if hasattr(item, "flow_style") and isinstance(item.value, list) and item.value and not item.flow_style:
            last = item.value[-1]
            return self.end(*last) if isinstance(last, tuple) else self.end(item, last)
        if item.start_mark.index == item.end_mark.index:
            return start
        return start + len(self.text[start : item.end_mark.index].rstrip())

    def line_end(self, name: Any, item: Any) -> int:
        """Where the last line of a value ends, with what stands behind it."""
        found = self.text.find("\n", self.end(name, item))
        return len(self.text) if found < 0 else found

    def insert(self, at: int, text: str) -> None:
        self.edits.append(_Edit(at, at, text))

    def replace(self, start: int, end: int, text: str) -> None:
        self.edits.append(_Edit(start, end, text))


def _flow(value: Value, quote: str | None = None) -> str:
    """A value in one line, also in brackets; a text in the quotes that stood there."""
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{_flow(key)}: {_flow(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(map(_flow, value)) + "]"
    if isinstance(value, str) and (quote == '"' or not value.isprintable() or _SPECIAL.search(value)):
        return json.dumps(value, ensure_ascii=not value.isprintable())
    if isinstance(value, str) and quote == "'":
        return "'" + value.replace("'", "''") + "'"
    return dump_yaml({"k": value})[3:-1]
