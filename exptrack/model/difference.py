"""What differs between two sides, and between several: values, apart from how they are shown."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import NamedTuple

from exptrack.model.change import Change, Kind
from exptrack.model.data import Pointer
from exptrack.model.run import Run
from exptrack.model.tree import Tree, Value


class Area(StrEnum):
    """What can differ, in the order in which it is shown."""

    PARAMS = "params"
    METRICS = "metrics"
    DATA = "data"
    ENVIRONMENT = "environment"
    CODE = "code"


class SideKind(StrEnum):
    """What stands on one side of a diff."""

    RUN = "run"
    COMMIT = "commit"
    WORK_TREE = "work tree"


class Side(NamedTuple):
    """One side of a diff.

    `name` is the name of the run, what was typed for a commit, or `work tree`. `oid` is the commit (of a run its own; none of a work
    tree), `code` the commit or tree that holds the code as it ran. `trees` has a tree for each area but code that is known; `unknown`
    says of the others why not. In the tree of data a path (one key) has its digest: `md5:…`, and ` modified` after it if the data was
    not what the pointer stands for; `pointers` has the same by path, with sizes. `read_by_value` are files whose content was read
    into the trees, `results` those that runs write; no change of either is one of code. `problems` are lines about what could not be read.
    """

    name: str
    kind: SideKind
    oid: str | None
    code: str
    trees: Mapping[str, Tree]
    unknown: Mapping[str, str] = {}
    pointers: Mapping[str, Pointer] = {}
    read_by_value: frozenset[str] = frozenset()
    results: frozenset[str] = frozenset()
    run: Run | None = None
    problems: tuple[str, ...] = ()


class FileChange(NamedTuple):
    """A file of the code that differs; `added` and `removed` count lines, None of a binary file. `old_path` is where it was, if it moved.

    `old_mode` and `new_mode` are git's (`100644`, `100755`, `120000`), None if they are the same, or it is on one side only.
    """

    path: str
    kind: Kind
    added: int | None = None
    removed: int | None = None
    old_path: str | None = None
    old_mode: str | None = None
    new_mode: str | None = None


class DataFile(NamedTuple):
    """A file in a folder of data that differs; sizes in bytes, None if it is not there, or its data is not in the DVC cache."""

    path: str
    kind: Kind
    old_size: int | None = None
    new_size: int | None = None


class Difference(NamedTuple):
    """What differs between two sides.

    `changes` are those of all areas but code, `files` those of the code, and `patch` is git's own diff of these, if it was asked for.
    `folders` has the files that differ for each folder of data of which both listings are in the DVC cache. `skipped` says which areas
    were not compared, and why; `cautions` are lines about what cannot be told.
    """

    old: Side
    new: Side
    changes: tuple[Change, ...] = ()
    files: tuple[FileChange, ...] = ()
    folders: Mapping[str, tuple[DataFile, ...]] = {}
    patch: str = ""
    skipped: Mapping[str, str] = {}
    cautions: tuple[str, ...] = ()

    @property
    def is_empty(self) -> bool:
        """Whether nothing differs in what was compared."""
        return not self.changes and not self.files


class Row(NamedTuple):
    """A key in which not all sides agree: the value of each side that has it, by the side's number from 0."""

    area: str
    key: tuple[str, ...]
    values: Mapping[int, Value]


class Overview(NamedTuple):
    """What differs between three sides or more. In the area of code a key is a path, its value the oid of its content, and its mode where that differs."""

    sides: tuple[Side, ...]
    rows: tuple[Row, ...] = ()
    skipped: Mapping[str, str] = {}
    cautions: tuple[str, ...] = ()
