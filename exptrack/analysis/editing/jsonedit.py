"""Change values in a JSON text and leave its layout alone."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import NamedTuple

from exptrack.analysis.fields import parse_json
from exptrack.analysis.same import is_same
from exptrack.model.tree import Tree, Value

_SPACE = re.compile(r"[ \t\r\n]*")
_SCALAR = re.compile(r'"(?:[^"\\]|\\.)*"|[^\s,\]}"]+', re.DOTALL)
_INDENTED = re.compile(r"\n([ \t]+)[^\s]")


class _Member(NamedTuple):
    """A value in its list or mapping; `lead` is the space before it or its key, `label` the key up to the value, `trail` the space up to a comma."""

    lead: str
    key: str
    label: str
    node: _Node
    trail: str


class _Node(NamedTuple):
    """A value as it is written; what it holds, if it is a list or a mapping that is not empty, and the space at its end."""

    text: str
    members: tuple[_Member, ...] = ()
    end: str = ""


def update_json(text: str, new: Tree) -> str:
    """`text` with the values of `new`: what has its value already stays as it is written. A text that is no mapping is written anew."""
    try:
        before = parse_json(text)
    except ValueError:
        before = None
    unit = found[1] if (found := _INDENTED.search(text)) else None
    if not isinstance(before, dict):
        return json.dumps(new, indent=2) + "\n"
    writer = _Writer(unit, ascii_only=text.isascii())
    start = len(_match(_SPACE, text, 0))
    node, end = _scan(text, start)
    return text[:start] + writer.write(node, before, new, "") + text[end:]


class _Writer:
    """Writes values in the manner of a text: `unit` is what it indents by, None if all stands in one line."""

    def __init__(self, unit: str | None, *, ascii_only: bool) -> None:
        self.unit = unit
        self.ascii_only = ascii_only

    def write(self, node: _Node, old: Value, new: Value, margin: str) -> str:
        if is_same(old, new):
            return node.text
        if node.members and isinstance(old, dict) and isinstance(new, Mapping) and new:
            return self.mapping(node, old, new, margin)
        if node.members and isinstance(old, list) and isinstance(new, list) and len(old) == len(new):
            values = zip(node.members, old, new, strict=True)
            parts = [one.lead + self.member(one, before, after, margin) for one, before, after in values]
            return f"[{','.join(parts)}{node.end}]"
        return self.anew(new, margin, flat=bool(node.members) and "\n" not in node.text)

    def mapping(self, node: _Node, old: Mapping[str, Value], new: Tree, margin: str) -> str:
        members = node.members
        # Of a key that stands twice the last one counts.
        counts = {one.key: one for one in members}
        parts: list[tuple[str, str]] = []
        for one in members:
            if one.key in new:
                before = old[one.key]
                after = new[one.key] if one is counts[one.key] else before
                parts.append((one.lead, self.member(one, before, after, margin)))
        lead = members[-1].lead if len(members) > 1 else members[0].lead or " "
        colon = members[0].label[len(_match(_SCALAR, members[0].label, 0)) :]
        for key in (key for key in new if key not in old):
            value = self.anew(new[key], _margin(lead, margin), flat="\n" not in lead)
            parts.append((lead, self.anew(key, "") + colon + value))
        # Whatever comes first now stands where the first one stood.
        parts[0] = (members[0].lead, parts[0][1])
        return f"{{{','.join(before + written for before, written in parts)}{node.end}}}"

    def member(self, one: _Member, old: Value, new: Value, margin: str) -> str:
        return one.label + self.write(one.node, old, new, _margin(one.lead, margin)) + one.trail

    def anew(self, value: Value, margin: str, *, flat: bool = False) -> str:
        indent = None if flat else self.unit
        text = json.dumps(value, indent=indent, ensure_ascii=self.ascii_only)
        return text.replace("\n", f"\n{margin}")


def _margin(lead: str, margin: str) -> str:
    """How far the line is indented on which something with this space before it stands."""
    return lead.rpartition("\n")[2] if "\n" in lead else margin


def _scan(text: str, start: int) -> tuple[_Node, int]:
    """The value that begins at `start` of a text that is JSON, and where it ends."""
    opened = text[start]
    if opened not in "[{":
        end = start + len(_match(_SCALAR, text, start))
        return _Node(text[start:end]), end
    members: list[_Member] = []
    end = start
    while text[end] not in "]}":
        begin = end + 1
        space = _match(_SPACE, text, begin)
        at = begin + len(space)
        if text[at] in "]}":
            return _Node(text[start : at + 1]), at + 1
        key, label = "", ""
        if opened == "{":
            written = _match(_SCALAR, text, at)
            after = at + len(written) + len(_match(_SPACE, text, at + len(written))) + 1
            key, label = json.loads(written), text[at : after + len(_match(_SPACE, text, after))]
        node, end = _scan(text, at + len(label))
        trail = _match(_SPACE, text, end)
        end += len(trail)
        members.append(_Member(space, key, label, node, trail))
    last = members[-1]
    return _Node(text[start : end + 1], (*members[:-1], last._replace(trail="")), last.trail), end + 1


def _match(pattern: re.Pattern[str], text: str, start: int) -> str:
    found = pattern.match(text, start)
    return found[0] if found else ""
