"""Runs for other programs."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from datetime import datetime
from math import isfinite
from typing import Any

from exptrack.analysis.codec import encode_record, finite
from exptrack.analysis.fields import format_time
from exptrack.analysis.query import Fact
from exptrack.analysis.rows import Rows
from exptrack.model.annotation import Annotation, AnnotationKind
from exptrack.model.run import Run
from exptrack.render.text import inert

_SHORT = frozenset({AnnotationKind.TAG, AnnotationKind.NOTE})  # in lists of their own
_TITLES = {"tag": "tags", "note": "notes"}
_FORMULA = ("=", "+", "-", "@", "\t")
_KEPT = re.compile(r"([\n\t])")


def write_records(runs: Iterable[Run]) -> Iterator[str]:
    """A JSON list, piece by piece, one mapping a run: `oid`, `ref`, what its record holds, and `tags`, `notes` and other annotations as they stand now.

    Values are written as in the record; everything that is not ASCII is an escape, so that no terminal obeys it.
    """
    gap = "["
    for run in runs:
        yield gap + json.dumps([list_fields(run)], indent=2, allow_nan=False).removeprefix("[").removesuffix("\n]")
        gap = ","
    yield "[]" if gap == "[" else "\n]"


def list_fields(run: Run) -> dict[str, Any]:
    """What `write_records` says of a run."""
    fields = json.loads(encode_record(run.record))
    others = [_encode(one) for one in run.annotations if one.kind not in _SHORT]
    return {"oid": run.oid, "ref": run.ref, **fields, "tags": run.tags, "notes": run.notes, "annotations": others}


def _encode(one: Annotation) -> dict[str, Any]:
    fields = {"id": one.id, "kind": one.kind.value, "time": format_time(one.time), "author": one.author}
    return fields if one.value is None else fields | {"value": finite(one.value)}


class _Handed:
    """A file for `csv.writer`, whose `writerow` then gives the line."""

    def write(self, line: str) -> str:
        return line


def write_csv(rows: Rows, columns: Iterable[str]) -> Iterator[str]:
    """A table by RFC 4180, line by line, with a header; numbers in full precision; `age` becomes `started`.

    A text that a spreadsheet would take for a formula gets an apostrophe before it; control characters other than the end of a line
    and the tab are shown as escapes. What is missing is an empty cell.
    """
    import csv

    names = tuple(dict.fromkeys("started" if name == "age" else name for name in columns))
    write = csv.writer(_Handed()).writerow
    yield write(_inert(_TITLES.get(name, name)) for name in names)
    yield from map(write, zip(*(map(_cell, rows.column(name)) for name in names), strict=True))


def _cell(value: Fact) -> str:
    if type(value) is int or (type(value) is float and isfinite(value)):
        return repr(value)  # as JSON has it; most cells are numbers
    if isinstance(value, str | tuple):
        text = _inert(value if isinstance(value, str) else " ".join(map(str, value)))
        return f"'{text}" if text.startswith(_FORMULA) else text
    if isinstance(value, datetime):
        return format_time(value)
    if value is None:
        return ""
    known = finite(value)
    return known if isinstance(known, str) else json.dumps(known)


def _inert(text: str) -> str:
    """Every line of it inert; tabs and ends of lines are the reader's."""
    if text.isprintable():
        return text
    return "".join(part if part in {"\n", "\t"} else inert(part) for part in _KEPT.split(text))
