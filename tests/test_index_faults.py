"""The index is a cache: whatever becomes of its file, and whoever else is at work, no answer changes."""

from __future__ import annotations

import csv
import io
import os
import shutil
import subprocess
import threading
import time
from pathlib import Path

import pytest
from witness import PATIENCE, argv

from benchmarks.populate import make_runs

RUNS = 120
COLUMNS = "--columns=name,status,tag,metrics.*,params.*"
QUESTIONS = (
    ["ls", "--csv"],
    ["ls", "-n", "7", COLUMNS],
    ["ls", "--sort=-metrics.accuracy", "metrics.accuracy > 0.6 and params.model.depth <= 4", COLUMNS],
    ["ls", "--sort", "tag", "not tag = figure-1", COLUMNS, "--all-columns"],
    ["ls", "metrics.nothing > 1"],
    ["log", "--oneline", "-n", "9"],
    ["show", "figure-2", "--json"],
    ["experiments", "--json"],
)


def overwrite(path: Path, data: bytes, start: int = 0) -> None:
    with path.open("r+b") as file:
        file.seek(start)
        file.write(data)


def replace_with_older(path: Path) -> None:
    """A backup that came back, with its times."""
    shutil.copy2(path.with_name("older.sqlite"), path)


DAMAGES = {
    "deleted": Path.unlink,
    "empty": lambda path: path.write_bytes(b""),
    "cut": lambda path: os.truncate(path, path.stat().st_size // 2),
    "cut by one byte": lambda path: os.truncate(path, path.stat().st_size - 1),
    "noise": lambda path: path.write_bytes(os.urandom(path.stat().st_size)),
    "noise amid": lambda path: overwrite(path, os.urandom(4096), path.stat().st_size // 2),
    "text": lambda path: path.write_text("no database\n"),
    "older": replace_with_older,
    "a folder": lambda path: (path.unlink(), path.mkdir()),
}


@pytest.fixture
def many(tmp_path, exptrack):
    folder = tmp_path / "many"
    make_runs(folder, RUNS, dict(os.environ))

    def ask(*words, **environ):
        done = exptrack(*words, cwd=folder, env={**os.environ, **environ})
        return done.returncode, done.stdout, done.stderr

    ask.folder = folder
    return ask


def test_no_damage_to_the_index_between_any_two_commands_changes_an_answer(many):
    index = many.folder / ".git" / "exptrack" / "index.sqlite"
    right = [many(*words, EXPTRACK_NO_INDEX="1") for words in QUESTIONS]
    assert not index.exists()
    assert [status for status, _, _ in right].count(0) == len(QUESTIONS) - 1
    assert [many(*words) for words in QUESTIONS] == right
    shutil.copy2(index, index.with_name("older.sqlite"))
    subprocess.run([*argv(), "tag", "talk", "figure-2"], cwd=many.folder, check=True, capture_output=True)
    right = [many(*words, EXPTRACK_NO_INDEX="1") for words in QUESTIONS]
    for name, damage in DAMAGES.items():
        for words, wanted in zip(QUESTIONS, right, strict=True):
            if index.is_file():
                damage(index)
            assert many(*words) == wanted, (name, words)
            if index.is_dir():
                index.rmdir()
                assert many(*words) == wanted, words
            assert index.is_file(), (name, words)


def test_what_becomes_of_the_index_is_told_to_who_asks(many, tmp_path):
    shared = many.folder / ".git" / "exptrack"
    index = shared / "index.sqlite"

    def told(**environ):
        status, _, err = many("--verbose", "ls", "--columns", "name", **environ)
        assert status == 0
        return err.replace(str(many.folder), "DIR")

    assert told() == ""
    assert told() == ""
    for damage in ("empty", "cut", "noise"):
        DAMAGES[damage](index)
        assert told() == "exptrack: the index is damaged, of another version, or another user's: it is built anew\n"
        assert told() == ""
    assert told(EXPTRACK_NO_INDEX="1") == "exptrack: the index is not used: EXPTRACK_NO_INDEX is set\n"
    assert told(EXPTRACK_NO_INDEX="0") == ""
    (shared / "runs.lock").unlink()
    (shared / "runs.lock").mkdir()
    assert told() == "exptrack: the index is not used: DIR/.git/exptrack/runs.lock is a folder: remove it\n"
    shutil.rmtree(shared)
    shared.touch()
    assert told() == "exptrack: the index is not used: DIR/.git/exptrack is no folder: remove it\n"


LISTERS = RECORDERS = 10
EACH = 3  # runs of a recorder


class Moments:
    """What was recorded when, and what listings said meanwhile."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.began: dict[str, float] = {}
        self.ended: dict[str, float] = {}
        self.listed: list[tuple[float, float, dict[str, str]]] = []
        self.failed: list[object] = []
        self.is_over = threading.Event()

    def call(self, *words: str) -> str:
        done = subprocess.run(
            [*argv(), *words], cwd=self.folder, capture_output=True, text=True, check=False, timeout=PATIENCE
        )
        if done.returncode or (done.stderr and words[0] == "ls"):
            self.failed.append((words, done.returncode, done.stderr))
        return done.stdout

    def record(self, number: int) -> None:
        for place in range(EACH):
            name = f"run-{number}-{place}"
            self.began[name] = time.monotonic()
            self.call("run", "--name", name, "--", "echo", f"mine={number}.{place}")
            self.ended[name] = time.monotonic()

    def list(self) -> None:
        while not self.is_over.is_set():
            begin = time.monotonic()
            text = self.call("ls", "--csv", "--columns", "name,metrics.mine", "name ~ 'run-*'")
            rows = {row["name"]: row["metrics.mine"] for row in csv.DictReader(io.StringIO(text))}
            self.listed.append((begin, time.monotonic(), rows))

    def delete(self) -> None:
        while not self.is_over.is_set():
            (self.folder / ".git" / "exptrack" / "index.sqlite").unlink(missing_ok=True)
            time.sleep(0.05)


@pytest.mark.timeout(900)
def test_ten_listing_while_ten_record_and_one_deletes_the_index_are_all_right_for_some_moment(repository):
    (repository / "exptrack.yaml").write_text("capture:\n  patterns: ['mine=(?P<mine>\\S+)']\n")
    moments = Moments(repository)
    moments.record(99)
    recorders = [threading.Thread(target=moments.record, args=(number,)) for number in range(RECORDERS)]
    others = [threading.Thread(target=work) for work in [*[moments.list] * LISTERS, moments.delete]]
    for thread in (*recorders, *others):
        thread.start()
    for thread in recorders:
        thread.join()
    moments.is_over.set()
    for thread in others:
        thread.join()
    assert moments.failed == []
    assert len(moments.ended) == (RECORDERS + 1) * EACH
    assert len(moments.listed) >= LISTERS
    for begin, end, rows in moments.listed:
        assert {name for name, time_ in moments.ended.items() if time_ <= begin} <= rows.keys()
        assert rows.keys() <= {name for name, time_ in moments.began.items() if time_ <= end}
        assert rows == {name: name.removeprefix("run-").replace("-", ".") for name in rows}
    assert len({len(rows) for _, _, rows in moments.listed}) > 1
