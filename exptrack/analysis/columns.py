"""Which columns a table of runs has, and in which order."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from fnmatch import fnmatchcase
from itertools import zip_longest
from typing import NamedTuple

from exptrack.analysis.fieldnames import ALIASES, FIELDS, advise_name, shown
from exptrack.analysis.rows import Rows
from exptrack.errors import ExptrackError

# By default at most so many metrics, and so many parameters.
MOST = 6
_FIRST = ("name", "age", "status")
_WHERE_ANY = ("experiment", "tag", "reproduces", "parent", "resumes", "removed")
_LAST = ("seed", "duration", "started", "ended", "author", "host", "branch", "command", "commit", "note")


class Choice(NamedTuple):
    """Columns by name (a field, `age`, `metrics.KEY` or `params.KEY`), and how many more there are to see."""

    columns: tuple[str, ...]
    more: int = 0


def default_columns(rows: Rows, declared: Iterable[str] = (), asked: Iterable[str] = ()) -> Choice:
    """Name, age, status, experiment, tags, the runs that it goes back to and who removed it where there are any, metrics, parameters that differ.

    And the author, where there is more than one.

    Of metrics and parameters the first few: those that were `asked` for by a query or an order, which are never left out, then the
    `declared` metrics in their order, then those that most runs have.
    """
    wanted = tuple(dict.fromkeys(asked))
    metrics = _first(wanted, "metrics.", _metrics(rows, declared))
    params = _first(wanted, "params.", [f"params.{key}" for key in rows.varying()])
    kept = [[key for place, key in enumerate(keys) if place < MOST or key in wanted] for keys in (metrics, params)]
    more = len(metrics) + len(params) - sum(map(len, kept))
    authors = ("author",) if len({*rows.column("author")} - {None}) > 1 else ()
    return Choice((*_leading(rows), *authors, *kept[0], *kept[1]), more)


def rank_columns(columns: Sequence[str], asked: Iterable[str] = ()) -> tuple[str, ...]:
    """The same columns in the order in which a narrow terminal keeps them.

    Which runs these are and how they ended comes first, then what was `asked` for and the first metric, the runs that it goes back to, tags and
    experiment, then the metrics and the parameters in turn: a table that shows what came out and not why is of little use.
    """
    there = frozenset(columns)
    metrics, params = ([name for name in columns if name.startswith(area)] for area in ("metrics.", "params."))
    turns = (name for pair in zip_longest(metrics[1:], params) for name in pair if name)
    ranked = (*_FIRST, *asked, *metrics[:1], *reversed(_WHERE_ANY), *turns, *columns)
    return tuple(name for name in dict.fromkeys(ranked) if name in there)


def all_columns(rows: Rows, declared: Iterable[str] = ()) -> tuple[str, ...]:
    """Everything that a run has: the default columns first, those of them that were left out, and then the other fields."""
    params = (f"params.{key}" for key in rows.keys("params"))
    others = (name for name in _LAST if any(value is not None for value in rows.column(name)))
    return (*_leading(rows), *_metrics(rows, declared), *params, *others)


def data_columns(rows: Rows, declared: Iterable[str] = ()) -> tuple[str, ...]:
    """As `all_columns`, for other programs: fields are always there, and none changes with the clock."""
    params = (f"params.{key}" for key in rows.keys("params"))
    return ("name", "status", *_WHERE_ANY, *_LAST, *_metrics(rows, declared), *params)


def pick_columns(patterns: Iterable[str], known: Sequence[str]) -> tuple[str, ...]:
    """The columns that are asked for by name or glob, each once, in the order in which they are asked for.

    Raises ExptrackError, with the nearest name, for one that is not among the `known` and no field.
    """
    names = [
        "name",
        "age",
        *(name for name in FIELDS if name != "name"),
        *(name for name in known if name not in FIELDS),
    ]
    exact = {*names}
    picked: list[str] = []
    for pattern in patterns:
        asked = ALIASES.get(pattern, pattern)
        found = [asked] if asked in exact else [name for name in names if fnmatchcase(name, asked)]
        if not found:
            raise ExptrackError(f"no run has {shown(pattern)}: {advise_name(asked, names)}")
        picked += found
    return tuple(dict.fromkeys(picked))


def _leading(rows: Rows) -> tuple[str, ...]:
    return (*_FIRST, *(name for name in _WHERE_ANY if any(rows.column(name))))


def _first(asked: Iterable[str], area: str, names: Sequence[str]) -> list[str]:
    """Names of an area, those that were asked for first."""
    return list(dict.fromkeys([*(name for name in asked if name.startswith(area)), *names]))


def _metrics(rows: Rows, declared: Iterable[str]) -> list[str]:
    found = rows.keys("metrics")
    first = [key for key in declared if key in found]
    return [f"metrics.{key}" for key in dict.fromkeys([*first, *found])]
