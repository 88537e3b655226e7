"""Runs made in a moment, and whether an index says of them what Git says."""

from __future__ import annotations

import subprocess
from datetime import UTC, datetime, timedelta
from typing import Any

from exptrack.analysis.codec import encode_record
from exptrack.analysis.facts import Facts
from exptrack.backends.git.objects import resolve
from exptrack.backends.git.repository import Repository
from exptrack.model.run import BrokenRun, Record, Run, Status
from exptrack.store import annotation, runs
from exptrack.store.index.file import Opened, opened
from exptrack.store.index.schema import FIELDS
from exptrack.store.index.values import decode_fact, decode_text, decode_time

START = datetime(2026, 1, 31, 12, tzinfo=UTC)
_PEOPLE = b"author Ada <ada@example.com> 1769860800 +0000\ncommitter Ada <ada@example.com> 1769860800 +0000\n"


def save(repository: Repository, name: str, content: bytes | None = None, **fields: Any) -> tuple[str, str]:
    """Record a run with these fields of its record (or this for its record); gives ref and oid."""
    started = fields.setdefault("started", START)
    if content is None:
        content = encode_record(Record(name, fields.pop("status", Status.COMPLETED), **fields))
    [head] = resolve(repository, ["HEAD"])
    assert head is not None
    oid = runs.write_run(repository, head, {runs.RECORD: content}, f"{name}\n", _PEOPLE)
    point(repository, ref := runs.ref_of(name, started), oid)
    return ref, oid


def save_many(repository: Repository, number: int, prefix: str = "run") -> list[tuple[str, str]]:
    return [
        save(
            repository, f"{prefix}-{place}", started=START + timedelta(minutes=place),
            metrics={"accuracy": place / 8}, params={"params.yaml": {"lr": 0.1, "layers": [place, 2]}},
        )
        for place in range(number)
    ]  # fmt: skip


def point(repository: Repository, ref: str, oid: str | None) -> None:
    """Move a ref, or delete it."""
    words = ["-d", ref] if oid is None else [ref, oid]
    subprocess.run(["git", "update-ref", *words], cwd=repository.top, check=True)


class Look:
    """What an opening gave: whether an index was used, made anew or changed, and what was told."""

    def __init__(self, repository: Repository) -> None:
        self.told: list[str] = []
        self.tasks: list[tuple[str, int | None]] = []
        self.ended = self.done = 0
        with opened(repository, self, self.told.append) as index:
            self.is_used = index is not None
            if index is not None:
                self.path, self.seal = index.path, index.seal
                self.seals = {seal for (seal,) in index.connection.execute("SELECT seal FROM seals")}
                self.inode = index.path.stat().st_ino
                self.broken, self.lost = index.broken, index.lost
                check(repository, index)

    def begin(self, task: str, total: int | None = None, *, is_bytes: bool = False) -> None:
        self.tasks.append((task, total))

    def advance(self, done: int) -> None:
        self.done += done

    def end(self) -> None:
        self.ended += 1


def check(repository: Repository, index: Opened) -> None:
    """Hold every table of an index against what is read from Git."""
    refs = runs.list_run_refs(repository)
    read = list(runs.read_runs(repository, refs))
    lost: set[str] = set()
    whole = annotation.read(repository, None, lost)
    whole = {oid: lines for oid, lines in whole.items() if oid not in lost}
    found = [
        one._replace(annotations=annotation.standing(one, whole.get(one.oid, ())))
        for one in read
        if isinstance(one, Run)
    ]
    assert index.among == len(refs)
    assert index.broken == tuple(one for one in read if isinstance(one, BrokenRun))
    assert index.lost == lost.intersection(run.oid for run in found)
    index.connection.text_factory = decode_text
    held = _read(index)
    assert held == {run.ref: _describe(run) for run in found}
    [(whole_file,)] = index.connection.execute("PRAGMA integrity_check")
    assert whole_file == "ok"


def _describe(run: Run) -> dict[str, Any]:
    facts = Facts(run)
    return {
        "commit": run.oid, "started": run.started, "ended": run.record.ended, **{name: facts.get(name) for name in FIELDS},
        "tag": run.tags, "listed": sorted(run.tags), "notes": run.notes, "removed": run.removed_by,
        "keys": (tuple(facts.metrics), tuple(facts.params)), "sealed": set(run.record.sealed),
        "facts": {
            **{f"metrics.{key}": repr(value) for key, value in facts.metrics.items()},
            **{f"params.{key}": repr(value) for key, value in facts.params.items()},
            **{name: repr(facts.get(name)) for name in ("seed", "duration") if facts.get(name) is not None},
        },
    }  # fmt: skip


def _read(index: Opened) -> dict[str, dict[str, Any]]:
    import json

    rows = index.connection.execute(
        f"SELECT r.id, ref, oid, started, ended, {', '.join(FIELDS)}, tags, notes, removed, s.metrics, s.params FROM runs r JOIN shapes s ON s.id = shape"
    )
    listed: dict[int, list[str]] = {}
    for tag, run in index.connection.execute("SELECT tag, run FROM tags"):
        listed.setdefault(run, []).append(tag)
    facts: dict[int, dict[str, str]] = {}
    for name, run, kind, value in index.connection.execute(
        "SELECT name, run, kind, value FROM facts JOIN keys ON id = key"
    ):
        facts.setdefault(run, {})[name] = repr(decode_fact(kind, value))
    sealed: dict[int, set[str]] = {}
    for name, run in index.connection.execute("SELECT name, run FROM sealed JOIN keys ON id = key"):
        sealed.setdefault(run, set()).add(name.removeprefix("metrics."))
    found = {}
    for id_, ref, oid, started, ended, *more in rows:
        *texts, tags, notes, removed, metrics, params = more
        found[ref] = {
            "commit": oid, "started": decode_time(started), "ended": None if ended is None else decode_time(ended),
            **dict(zip(FIELDS, texts, strict=True)),
            "tag": tuple(json.loads(tags or "[]")), "listed": sorted(listed.pop(id_, [])), "notes": tuple(json.loads(notes or "[]")), "removed": removed,
            "keys": (tuple(json.loads(metrics)), tuple(json.loads(params))), "sealed": sealed.pop(id_, set()), "facts": facts.pop(id_, {}),
        }  # fmt: skip
    assert not listed
    assert not facts
    assert not sealed, "no row is left of a run that is gone"
    return found
