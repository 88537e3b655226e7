"""A difference between two sides as JSON.

`schema` is 1 and rises only for breaks; readers ignore keys that they do not know. Keys stand in alphabetical order.

| key | holds |
|---|---|
| `old`, `new` | the sides: `name`, `kind` (`run`, `commit`, `work tree`), `oid` of the commit, `status` of a run; else null |
| `changes` | parameters, metrics, data and environment: `area`, `key` (path of keys), `kind` (`added`, `removed`, `changed`), `old` and `new` |
| | (null where there is nothing: `kind` tells), `delta` (new − old) and `relative` (the fraction of abs(old)) of metrics that are numbers |
| | on both sides, else null. Changes of data also have `old_size`, `new_size` (bytes), `old_files` and `new_files`, null if not known |
| `folders` | by path of a folder of data: `added`, `removed`, `changed` with `files` (how many) and their `old_size`, `new_size` (bytes of |
| | all; null if not all are known), and `files`: `path`, `kind`, `old_size`, `new_size` of each |
| `files` | of the code: `path`, `kind`, `added` and `removed` (lines; null of a binary file), `old_path` if it moved, else null, and |
| | `old_mode` and `new_mode` if they differ, else null |
| `patch` | git's own diff of these, if it was made |
| `skipped` | areas that were not compared, and why |
| `cautions` | lines about what cannot be told |

A number that is not finite is `"NaN"`, `"Infinity"` or `"-Infinity"`, as in the record.
"""  # noqa: RUF002 - a minus sign

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from exptrack.analysis import fields
from exptrack.model.change import Change, Kind
from exptrack.model.data import Pointer
from exptrack.model.difference import Area, DataFile, Difference, Side
from exptrack.render.datarows import total_sizes
from exptrack.render.deltas import find_delta
from exptrack.render.text import inert_json

SCHEMA = 1


def format_json(difference: Difference, areas: Sequence[Area] = tuple(Area)) -> str:
    """The difference in the schema above; only `areas`."""
    document: dict[str, Any] = {
        "schema": SCHEMA,
        "old": encode_side(difference.old),
        "new": encode_side(difference.new),
        "changes": [_change(difference, change) for change in difference.changes if change.area in areas],
        "folders": {path: _folder(files) for path, files in difference.folders.items()} if Area.DATA in areas else {},
        "files": [file._asdict() for file in difference.files] if Area.CODE in areas else [],
        "skipped": {area: why for area, why in difference.skipped.items() if area in areas},
        "cautions": difference.cautions,
    }
    if difference.patch and Area.CODE in areas:
        document["patch"] = difference.patch
    return inert_json(fields.format_json(fields.finite(document)))


def encode_side(side: Side) -> dict[str, Any]:
    """A side as a mapping."""
    return {"name": side.name, "kind": side.kind, "oid": side.oid, "status": side.run.status if side.run else None}


def _change(difference: Difference, change: Change) -> dict[str, Any]:
    return {
        **change._asdict(),
        **find_delta(change)._asdict(),
        **(_sizes(difference, change) if change.area == Area.DATA else {}),
    }


def _sizes(difference: Difference, change: Change) -> dict[str, int | None]:
    path = change.key[0]
    old = None if change.kind is Kind.ADDED else difference.old.pointers.get(path)
    new = None if change.kind is Kind.REMOVED else difference.new.pointers.get(path)
    return {
        f"{name}_{what}": _find(pointer, what)
        for name, pointer in (("old", old), ("new", new))
        for what in ("size", "files")
    }


def _find(pointer: Pointer | None, what: str) -> int | None:
    return getattr(pointer, what) if pointer else None


def _folder(files: Sequence[DataFile]) -> dict[str, Any]:
    sides = {Kind.ADDED: ["new_size"], Kind.REMOVED: ["old_size"], Kind.CHANGED: ["old_size", "new_size"]}
    kinds = {kind: [file for file in files if file.kind is kind] for kind in Kind}
    counts = {
        str(kind): {"files": len(some), **{side: total_sizes(some, side) for side in sides[kind]}}
        for kind, some in kinds.items()
    }
    return {**counts, "files": [file._asdict() for file in files]}
