from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
import time

import pytest

from exptrack.backends.dvc import StatCache, hash_file
from exptrack.errors import DataError

LONG_AGO = 10**9


@pytest.fixture
def store(tmp_path):
    return tmp_path / "cache" / "hashes.json"


def later():
    """A start of reading that lies well after every change."""
    return time.time_ns() + 10**10


def remember(known, path, digest, algorithm="md5"):
    known.remember(str(path), path.stat(), algorithm, digest, later())


def find(known, path, algorithm="md5"):
    return known.find(str(path), path.stat(), algorithm)


def test_what_was_saved_is_found_by_the_next_process(tmp_path, store):
    file = tmp_path / "größe \t\n.bin"
    file.write_bytes(b"x")
    known = StatCache(store)
    remember(known, file, "abc")
    known.save()
    assert find(StatCache(store), file) == "abc"
    assert find(StatCache(store), file, "sha256") is None


def test_a_name_that_is_not_utf8_is_found(tmp_path, store):
    file = tmp_path / os.fsdecode(b"caf\xe9")
    try:
        file.write_bytes(b"x")
    except OSError:
        pytest.skip("the file system wants UTF-8")
    known = StatCache(store)
    remember(known, file, "abc")
    known.save()
    assert find(StatCache(store), file) == "abc"


@pytest.mark.parametrize("how", ["content", "size", "time", "replaced", "time put back"])
def test_a_file_that_changed_is_not_found(tmp_path, store, how):
    file = tmp_path / "file"
    file.write_bytes(b"one")
    before = file.stat()
    known = StatCache(store)
    remember(known, file, "abc")
    time.sleep(0.02)
    match how:
        case "content":
            file.write_bytes(b"two")
        case "size":
            file.write_bytes(b"three")
        case "time":
            os.utime(file, (LONG_AGO, LONG_AGO))
        case "replaced":
            (tmp_path / "new").write_bytes(b"two")
            os.utime(tmp_path / "new", ns=(before.st_atime_ns, before.st_mtime_ns))
            (tmp_path / "new").replace(file)
        case "time put back":
            file.write_bytes(b"two")
            os.utime(file, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert find(known, file) is None


def test_a_file_that_just_changed_is_not_remembered(tmp_path, store):
    file = tmp_path / "file"
    file.write_bytes(b"x")
    known = StatCache(store)
    known.remember(str(file), file.stat(), "md5", "abc", file.stat().st_ctime_ns + 1_900_000_000)
    assert find(known, file) is None
    known.remember(str(file), file.stat(), "md5", "abc", file.stat().st_ctime_ns + 2_100_000_000)
    assert find(known, file) == "abc"


def test_nothing_is_written_without_news(store):
    StatCache(store).save()
    assert not store.parent.exists()


@pytest.mark.parametrize(
    "content",
    [
        "",
        "{",
        "[]",
        "null",
        '{"version": 2, "entries": {}}',
        '{"version": 1, "entries": [1]}',
        '{"version": 1}',
        "[" * 100_000,
    ],
)
def test_a_broken_store_counts_as_empty(tmp_path, store, content):
    store.parent.mkdir()
    store.write_text(content)
    file = tmp_path / "file"
    file.write_bytes(b"x")
    known = StatCache(store)
    assert find(known, file) is None
    remember(known, file, "abc")
    known.save()
    assert find(StatCache(store), file) == "abc"


@pytest.mark.parametrize("entry", [None, [], [1, 2, 3, 4, "abc", "today"], "123456", {"a": 1}])
def test_a_broken_entry_counts_as_unknown(tmp_path, store, entry):
    file = tmp_path / "file"
    file.write_bytes(b"x")
    store.parent.mkdir()
    store.write_text(json.dumps({"version": 1, "entries": {f"md5 {file}": entry}}))
    known = StatCache(store)
    assert find(known, file) is None
    remember(known, file, "abc")
    known.save()
    assert find(StatCache(store), file) == "abc"


def test_a_store_that_cannot_be_written_costs_nothing_else(tmp_path):
    (tmp_path / "file").write_bytes(b"x")
    known = StatCache(tmp_path / "file" / "hashes.json")
    remember(known, tmp_path / "file", "abc")
    known.save()
    assert find(known, tmp_path / "file") == "abc"


def test_two_processes_add_to_each_other(tmp_path, store):
    one, two = tmp_path / "one", tmp_path / "two"
    one.write_bytes(b"1")
    two.write_bytes(b"2")
    first, second = StatCache(store), StatCache(store)
    assert find(first, one) is find(second, two) is None
    remember(first, one, "aaa")
    remember(second, two, "bbb")
    first.save()
    second.save()
    known = StatCache(store)
    assert (find(known, one), find(known, two)) == ("aaa", "bbb")


def test_the_store_is_whole_whoever_writes(tmp_path, store):
    (tmp_path / "file").write_bytes(b"x")
    code = (
        "import os, sys, time, pathlib; from exptrack.backends.dvc import StatCache\n"
        "for number in range(40):\n"
        "    known = StatCache(pathlib.Path(sys.argv[1]))\n"
        "    known.remember(f'/{os.getpid()}/{number}', os.stat(sys.argv[2]), 'md5', 'a' * 32, time.time_ns() + 10**10)\n"
        "    known.save()\n"
    )
    writers = [subprocess.Popen([sys.executable, "-c", code, store, tmp_path / "file"]) for _ in range(3)]
    while any(writer.poll() is None for writer in writers):
        if store.exists():
            assert json.loads(store.read_text())["entries"]
    assert [writer.returncode for writer in writers] == [0, 0, 0]
    assert json.loads(store.read_text())["entries"]
    assert list(store.parent.iterdir()) == [store]


def test_what_was_not_seen_for_a_month_is_dropped(tmp_path, store):
    old, new = tmp_path / "old", tmp_path / "new"
    old.write_bytes(b"x")
    new.write_bytes(b"x")
    known = StatCache(store)
    remember(known, old, "aaa")
    remember(known, new, "bbb")
    known.save()
    content = json.loads(store.read_text())
    content["entries"][f"md5 {old}"][5] -= 31
    content["entries"][f"md5 {new}"][5] -= 29
    store.write_text(json.dumps(content))
    again = StatCache(store)
    assert find(again, new) == "bbb"
    again.save()
    third = StatCache(store)
    assert (find(third, old), find(third, new)) == (None, "bbb")
    assert json.loads(store.read_text())["entries"][f"md5 {new}"][5] == int(time.time()) // 86_400


def test_the_store_does_not_grow_without_bound(tmp_path, store):
    file = tmp_path / "file"
    file.touch()
    today = int(time.time()) // 86_400
    entries = {f"md5 /{number}": [number, 0, 0, 0, "abc", today - (number < 5)] for number in range(200_004)}
    store.parent.mkdir()
    store.write_text(json.dumps({"version": 1, "entries": entries}))
    known = StatCache(store)
    remember(known, file, "abc")
    known.save()
    kept = json.loads(store.read_text())["entries"]
    assert len(kept) == 200_000
    assert kept.keys() == {f"md5 {file}", *list(entries)[5:]}


def test_a_file_is_hashed_as_sha256(tmp_path, store):
    file = tmp_path / "file"
    file.write_bytes(b"x" * 3_000_000)
    assert hash_file(file, StatCache(store)) == "sha256:" + hashlib.sha256(b"x" * 3_000_000).hexdigest()


def test_a_file_that_is_known_is_not_read(tmp_path, store):
    file = tmp_path / "file"
    file.write_bytes(b"x")
    known = StatCache(store)
    remember(known, file, "abc", "sha256")
    assert hash_file(file, known) == "sha256:abc"


def test_what_cannot_be_hashed_is_named(tmp_path, store):
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(DataError, match="pipe is no regular file"):
        hash_file(tmp_path / "pipe", StatCache(store))
    with pytest.raises(DataError, match=r"cannot read .*missing: No such file or directory"):
        hash_file(tmp_path / "missing", StatCache(store))
