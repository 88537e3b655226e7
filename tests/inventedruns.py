"""Runs and questions by chance, in which everything that an index could get wrong is common."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from hashlib import sha1
from random import Random
from typing import Any

from exptrack.analysis.codec import decode_record, encode_record
from exptrack.analysis.facts import Facts
from exptrack.analysis.query import Comparison, Joined, Operand, Query
from exptrack.model.annotation import Annotation, AnnotationKind
from exptrack.model.run import Links, Record, Run, Status
from exptrack.store.annotation import standing
from exptrack.store.catalog import Asked
from exptrack.store.runs import ref_of

KEYS = ("a", "b", "c", "d.e", "d", "odd \udcff\0'\"?")
NAMES = (*(f"{area}.{key}" for area in ("metrics", "params") for key in (*KEYS, "c.0", "c.e", "none")), "other.a")
FIELDS = (
    "name", "status", "experiment", "tag", "note", "author", "host", "branch", "command", "commit", "reproduces", "parent", "resumes",
    "removed", "seed", "duration", "started", "ended",
)  # fmt: skip
TEXTS = (
    "", "a", "b", "B", "ab", "1", "true", "nan", "é", "\U0001f600", "\uffff", "\ud800", "\udcff", "a\0b", "a\nb", "a*", "[a]", "a'b\"", "a\0",
)  # fmt: skip
_GLOBS = (
    "*",
    "?",
    "a?b",
    "[ab]*",
    "*\n*",
    "*\0*",
    "[!a]",
    "1*",
    "*e*",
    "-0.0",
    "inf",
    "false",
    "nan",
    "\udcff*",
    "sealed",
)
_NUMBERS = (
    0,
    1,
    -1,
    2,
    2**53,
    2**53 + 1,
    2**63 - 1,
    -(2**63),
    0.0,
    -0.0,
    1.0,
    0.5,
    1e-7,
    2.0**53,
    2.0**63,
    float("inf"),
    float("-inf"),
)
LARGE = (2**63, -(2**70), 10**40)
_FIRST = datetime(2026, 1, 31, tzinfo=UTC)
_AFTER = ((0, 0), (0, 1), (0, 86_399_999_999), (1, 0), (1, 5), (29, 0), (40, 7), (-30_000, 0), (-30_000, 3))
_MOMENTS = tuple(_FIRST + timedelta(days=days, microseconds=micro) for days, micro in _AFTER)
_SIGNS = ("=", "!=", "<", "<=", ">", ">=", "~")


def invent_records(random: Random, number: int, large: float = 0.02) -> list[Record]:
    """Records of which many are alike in something; with the chance `large` a parameter has more than 64 bits."""
    return [_record(random, f"{random.choice('abc')}-{place}", large) for place in range(number)]


def invent_lines(random: Random) -> list[Annotation]:
    """Up to three lines of a note."""
    kinds = (AnnotationKind.TAG, AnnotationKind.NOTE, AnnotationKind.TOMBSTONE, AnnotationKind.REMOVAL)
    return [_line(random, random.choice(kinds)) for _ in range(random.choice((0, 0, 1, 3)))]


def invent_runs(random: Random, number: int, large: float = 0.02) -> list[Run]:
    """Runs with annotations, in the order of refs, that lie in no repository."""
    runs = []
    for record in invent_records(random, number, large):
        oid = sha1(record.name.encode(), usedforsecurity=False).hexdigest()
        run = Run(decode_record(encode_record(record)), oid, ref_of(record.name, record.started))
        runs.append(run._replace(annotations=standing(run, invent_lines(random))))
    return sorted(runs, key=lambda run: run.ref)


def invent_asked(random: Random, runs: Sequence[Run]) -> Asked:
    """A question, about values that the runs have more often than not."""
    facts = [Facts(run) for run in runs]
    return Asked(
        query=_query(random, facts, 3) if random.random() < 0.7 else None,
        since=random.choice(_MOMENTS) if random.random() < 0.2 else None,
        sort=_name(random) if random.random() < 0.7 else None,
        is_descending=random.random() < 0.5,
        number=random.randrange(9) if random.random() < 0.3 else None,
    )


def _record(random: Random, name: str, large: float) -> Record:
    def text() -> str:
        return random.choice(TEXTS)

    def maybe() -> str | None:
        return random.choice((None, text()))

    few = random.sample(("params.yaml", "args", "b"), random.choice((0, 1, 1, 2)))
    return Record(
        name=name,
        status=random.choice(tuple(Status)),
        started=random.choice(_MOMENTS),
        ended=random.choice((None, *_MOMENTS)),
        duration=random.choice((None, 0.0, 1.5, 7.0)),
        author=text(),
        host=text(),
        command=tuple(text() for _ in range(random.randrange(3))),
        branch=maybe(),
        experiment=maybe(),
        seed=random.choice((None, random.randrange(3), text())),
        note=maybe(),
        tags=tuple(text() for _ in range(random.randrange(3))),
        params={source: _tree(random, _param, large) for source in few},
        metrics=_tree(random, _metric, 0),
        sealed=tuple(random.sample(("a", "b", "d.e"), random.choice((0, 0, 1, 2)))),
        links=Links(reproduces=maybe(), parent=maybe(), resumes=maybe()),
        stages=random.choice((None, None, None, ())),
    )


def _tree(random: Random, value: Any, large: float) -> dict[str, Any]:
    keys = [key for key in KEYS if random.random() < 0.7]
    return {key: random.choice(LARGE) if random.random() < large else value(random) for key in keys}


def _metric(random: Random) -> Any:
    return random.choice((*_NUMBERS, float("nan"), float("nan"), True, False, [], {}, [1, 2], {"e": 1.0}))


def _param(random: Random) -> Any:
    return random.choice((None, random.choice(TEXTS), _metric(random), 1, 1.0, True))


def _line(random: Random, kind: AnnotationKind) -> Annotation:
    texts = random.sample(TEXTS, 3)
    removes = tuple(f"start:tag:{text}" for text in texts) if kind is AnnotationKind.REMOVAL else ()
    value = None if removes else random.choice((*texts, *texts, 7))
    return Annotation(str(random.randrange(99)), kind, random.choice(_MOMENTS), texts[0], value, removes)


def _name(random: Random) -> str:
    return random.choice((*NAMES, *FIELDS)) if random.random() < 0.9 else random.choice(("age", "tags", "unknown"))


def _query(random: Random, facts: Sequence[Facts], depth: int) -> Query:
    kind = random.random()
    if depth == 0 or kind < 0.5:
        return _comparison(random, facts)
    if kind < 0.65:
        return Joined("not", (_query(random, facts, depth - 1),))
    terms = tuple(_query(random, facts, depth - 1) for _ in range(random.randint(2, 4)))
    return Joined(random.choice(("and", "or")), terms)


def _comparison(random: Random, facts: Sequence[Facts]) -> Comparison:
    field, sign = _name(random), random.choice(_SIGNS)
    values = [value for row in facts if (value := row.get(field)) not in (None, (), [], {})]
    value = (
        random.choice(values)
        if values and random.random() < 0.8
        else random.choice((*TEXTS, *_NUMBERS, True, False, *_MOMENTS))
    )
    if isinstance(value, tuple):
        value = random.choice(value)
    if sign == "~":
        return Comparison(field, sign, Operand("text", str(value) if random.random() < 0.4 else random.choice(_GLOBS)))
    if isinstance(value, datetime):
        is_day = random.random() < 0.4
        return Comparison(
            field,
            sign,
            Operand("day", value.replace(hour=0, minute=0, second=0, microsecond=0))
            if is_day
            else Operand("time", value),
        )
    if value != value:  # noqa: PLR0124 - NaN
        value = 1.0
    kind = "boolean" if isinstance(value, bool) else "text" if isinstance(value, str) else "number"
    if random.random() < 0.02:
        kind, value = "number", random.choice(LARGE)
    return Comparison(field, sign, Operand(kind, value))
