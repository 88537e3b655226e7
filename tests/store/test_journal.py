"""The journal: a name is claimed once, nothing logged is lost, and the dead are told from the living by a lock alone."""

from __future__ import annotations

import contextlib
import json
import os
import resource
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from exptrack.errors import ExptrackError, NameTakenError
from exptrack.store import journal as journals
from exptrack.store.journal import (
    append_elsewhere,
    claim,
    folder_of,
    is_alive,
    is_command_running,
    is_dead,
    is_foreign,
    list_names,
    read_stream,
    seize,
)

PYTHON = sys.executable


@pytest.fixture
def shared(tmp_path: Path) -> Path:
    return tmp_path / "exptrack"


@pytest.fixture
def start(shared: Path):
    """Start a process that runs a piece of code with `shared`, and say when it has printed `ready`; ended with the test."""
    children: list[subprocess.Popen[str]] = []

    def call(code: str, *arguments: object) -> subprocess.Popen[str]:
        opening = f"import os, sys, time\nfrom pathlib import Path\nfrom exptrack.store.journal import *\nshared = Path({str(shared)!r})\n"
        child = subprocess.Popen(
            [PYTHON, "-c", opening + code, *map(str, arguments)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )  # fmt: skip
        children.append(child)
        assert child.stdout is not None
        assert child.stdout.readline() == "ready\n"
        return child

    yield call
    for child in children:
        child.kill()
        child.wait()
        for pipe in (child.stdin, child.stdout):
            if pipe is not None:
                pipe.close()


RECORDER = "journal = claim(shared, 'one'); journal.append('starting'); journal.append('metrics', values={'loss': 1}); "
WAIT = "print('ready', flush=True); time.sleep(600)"


def kinds(shared: Path, name: str = "one") -> list[object]:
    return [entry["kind"] for entry in read_stream(folder_of(shared, name))]


def test_a_name_is_claimed_once(shared):
    journal = claim(shared, "one")
    with pytest.raises(
        NameTakenError, match=r"^a run named 'one' is under way or waits for `exptrack recover`: choose another name$"
    ):
        claim(shared, "one")
    assert list_names(shared) == ["one"]
    assert [path.name for path in (shared / "active").iterdir()] == ["one"], "a lost claim leaves nothing behind"
    journal.remove()
    journal.close()
    claim(shared, "one").close()


def test_of_eight_processes_exactly_one_claims_a_name(shared, start):
    code = (
        "print('ready', flush=True); sys.stdin.read()\n"
        "try: claim(shared, 'one'); print('claimed', flush=True); time.sleep(600)\n"
        "except NameTakenError: print('taken', flush=True)\n"
    )
    children = [start(code) for _ in range(8)]
    for child in children:
        child.stdin.close()
    assert sorted(child.stdout.readline() for child in children) == ["claimed\n", *["taken\n"] * 7]
    assert list(path.name for path in (shared / "active").iterdir()) == ["one"]  # noqa: C400


def test_an_open_file_is_not_left_behind_by_a_lost_claim(shared):
    journal = claim(shared, "one")
    before = len(list(Path("/dev/fd").iterdir()))
    for _ in range(3):
        with pytest.raises(NameTakenError):
            claim(shared, "one")
    assert len(list(Path("/dev/fd").iterdir())) == before
    journal.close()


def test_a_folder_that_cannot_be_written_is_named(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(
        ExptrackError, match=rf"^cannot write below {tmp_path}/file/active: Not a directory; nothing was started$"
    ):
        claim(tmp_path / "file", "one")


def test_a_journal_is_seen_whole_or_not_at_all(shared, start):
    start(
        "print('ready', flush=True)\n"
        "for i in range(10**9): journal = claim(shared, f'run-{i}'); journal.remove(); journal.close()\n"
    )
    seen = 0
    while seen < 100:
        for name in list_names(shared):
            assert not name.startswith(".")
            assert not is_dead(shared, name), "it is made and removed by a process that lives"
            seen += 1


def test_without_a_journal_there_is_none(shared):
    assert list_names(shared) == []
    assert not is_alive(shared, "one")
    assert not is_dead(shared, "one")
    assert not is_command_running(shared, "one")
    assert list(read_stream(folder_of(shared, "one"))) == []
    with seize(shared, "one") as journal:
        assert journal is None
    append_elsewhere(shared, "one", "concurrent", name="two")
    assert list_names(shared) == []


def test_what_lives_cannot_be_seized_and_what_died_can_once(shared, start):
    recorder = start(RECORDER + WAIT)
    assert is_alive(shared, "one")
    assert not is_dead(shared, "one")
    with seize(shared, "one") as journal:
        assert journal is None
    os.kill(recorder.pid, signal.SIGKILL)
    recorder.wait()
    assert not is_alive(shared, "one")
    assert is_dead(shared, "one")
    with seize(shared, "one") as journal:
        assert journal is not None
        assert is_alive(shared, "one"), "who recovers it holds its lock"
        with seize(shared, "one") as other:
            assert other is None
        journal.append("recovered")
    assert kinds(shared) == ["starting", "metrics", "recovered"]
    assert is_dead(shared, "one")


def test_who_asks_is_not_taken_for_who_holds(shared, start):
    recorder = start(RECORDER + WAIT)
    for _ in range(3):
        start("print('ready', flush=True)\nwhile True: is_alive(shared, 'one')\n")
    os.kill(recorder.pid, signal.SIGKILL)
    recorder.wait()
    for _ in range(20):
        with seize(shared, "one") as journal:
            assert journal is not None


def test_a_journal_that_was_removed_meanwhile_is_not_seized(shared, start, monkeypatch):
    recorder = start(RECORDER + WAIT)
    os.kill(recorder.pid, signal.SIGKILL)
    recorder.wait()
    first = seize(shared, "one")
    journal = first.__enter__()
    opened = os.open(folder_of(shared, "one") / "lock", os.O_RDWR)
    journal.remove()
    first.__exit__(None, None, None)
    new = claim(shared, "one")
    assert not journals.locks.lies_at(opened, folder_of(shared, "one") / "lock"), "the lock of the old one"
    with seize(shared, "one") as other:
        assert other is None
    os.close(opened)
    new.close()


def test_a_command_that_outlives_its_recorder_is_known(shared, start):
    code = (
        "import subprocess\n" + RECORDER + "lock = journal.lock_command()\n"
        "child = subprocess.Popen([sys.executable, '-c', 'import sys; sys.stdin.read()'], stdin=subprocess.PIPE, pass_fds=[lock])\n"
        "(shared / 'pid').write_text(str(child.pid))\n" + WAIT
    )
    assert not is_command_running(shared, "one")
    recorder = start(code)
    assert is_command_running(shared, "one")
    os.kill(recorder.pid, signal.SIGSTOP)
    command = int((shared / "pid").read_text())
    os.kill(command, signal.SIGSTOP)  # so that it does not end with its recorder's pipe
    os.kill(recorder.pid, signal.SIGKILL)
    recorder.wait()
    assert is_dead(shared, "one")
    assert is_command_running(shared, "one")
    os.kill(command, signal.SIGKILL)
    _wait_for(lambda: not is_command_running(shared, "one"))


def _wait_for(condition) -> None:
    while not condition():
        time.sleep(0.01)


def test_a_run_of_another_host_is_dead_after_ten_minutes_of_silence_and_seized_by_force_alone(shared):
    claim(shared, "one").close()
    lock = folder_of(shared, "one") / "lock"
    assert not is_foreign(shared, "one")
    lock.write_text(json.dumps({"host": "elsewhere", "pid": 1}))
    assert is_foreign(shared, "one")
    assert is_alive(shared, "one")
    os.utime(lock, (time.time() - 599, time.time() - 599))
    assert is_alive(shared, "one")
    os.utime(lock, (time.time() - 601, time.time() - 601))
    assert not is_alive(shared, "one")
    assert is_dead(shared, "one")
    with seize(shared, "one") as journal:
        assert journal is None
    with seize(shared, "one", force=True) as journal:
        assert journal is not None


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"\xff", b"\0" * 100])
def test_a_lock_that_says_nothing_is_nobodys_we_know(shared, content):
    claim(shared, "one").close()
    (folder_of(shared, "one") / "lock").write_bytes(content)
    assert is_foreign(shared, "one")


def test_the_heartbeat_is_renewed_while_the_run_lives(shared):
    journal = claim(shared, "one")
    lock = folder_of(shared, "one") / "lock"
    os.utime(lock, (1, 1))
    journal.start_syncing()
    _wait_for(lambda: lock.stat().st_mtime > 1)
    journal.stop_syncing()
    journal.close()


def test_entries_come_back_in_order_with_any_value(shared):
    journal = claim(shared, "one")
    values = [1, 1.5, "two\nlines", None, True, [1, {"a": "ü\udcff"}], {"nan": "nan"}]
    for value in values:
        journal.append("entry", value=value)
    entries = list(read_stream(journal.folder))
    assert [entry["value"] for entry in entries] == values
    assert [entry["time"] for entry in entries] == sorted(entry["time"] for entry in entries)
    assert (journal.folder / "stream").read_bytes().count(b"\n") == len(values)
    journal.close()


def test_entries_of_many_processes_and_threads_do_not_mix(shared, start):
    journal = claim(shared, "one")
    code = "print('ready', flush=True)\nfor i in range(200): append_elsewhere(shared, 'one', 'other', i=i, text='x' * 3000)\nprint('done', flush=True)"
    children = [start(code) for _ in range(2)]

    def write(number: int) -> None:
        for i in range(200):
            journal.append(f"thread-{number}", i=i, text="y" * 3000)

    threads = [threading.Thread(target=write, args=(number,)) for number in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [child.stdout.readline() for child in children] == ["done\n"] * 2
    assert sorted(kinds(shared)) == sorted([*["other"] * 400, *(f"thread-{n}" for n in range(3) for _ in range(200))])
    journal.close()


@pytest.mark.parametrize("cut", range(2, 50, 7))
def test_a_line_that_was_torn_by_a_kill_costs_only_itself(shared, cut):
    journal = claim(shared, "one")
    journal.append("first")
    journal.append("second", text="ü" * 5)
    journal.close()
    stream = folder_of(shared, "one") / "stream"
    stream.write_bytes(stream.read_bytes()[:-cut])
    assert kinds(shared) == ["first"]
    append_elsewhere(shared, "one", "third")
    assert kinds(shared) == ["first", "third"]


@pytest.mark.parametrize("line", [b"[]", b"1", b"null", b"{}", b'{"kind": "x"}', b"\xff\xfe", b"{" * 5000, b""])
def test_what_is_no_entry_is_skipped(shared, line):
    journal = claim(shared, "one")
    journal.append("first")
    with (journal.folder / "stream").open("ab") as file:
        file.write(line + b"\n")
    journal.append("second")
    assert kinds(shared) == ["first", "second"]
    journal.close()


TORN = """
import resource, signal
journal = claim(shared, 'one')
journal.append('first')
size = (journal.folder / 'stream').stat().st_size
resource.setrlimit(resource.RLIMIT_FSIZE, (size + 20, resource.RLIM_INFINITY))
journal.append('torn', text='x' * 100)
journal.append('lost')
assert journal.failure.strerror == 'File too large', journal.failure
resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
journal.append('ended')
journal.append('more')
print('ready', flush=True)
"""


def test_an_entry_that_did_not_fit_does_not_take_the_next_one_with_it(shared, start):
    if resource.getrlimit(resource.RLIMIT_FSIZE)[1] != resource.RLIM_INFINITY:
        pytest.skip("the size of files is limited here")
    start(TORN)
    assert kinds(shared) == ["first", "ended", "more"]


def _fill(folder: Path, block: int = 4096) -> None:
    with (folder / "filler").open("ab", buffering=0) as file, contextlib.suppress(OSError):
        while True:
            file.write(bytes(block))


def test_on_a_full_disk_the_reserve_takes_the_last_entries(small_disk):
    disk = small_disk(1)
    journal = claim(disk, "one")
    (journal.folder / "reserve").write_bytes(bytes(64 * 1024))  # as save_start does
    journal.append("first", text="x" * 3000)
    _fill(disk)
    journal.append("second", text="y" * 3000)
    journal.append("ended", text="z" * 3000)
    assert journal.failure is None
    assert not (journal.folder / "reserve").exists()
    _fill(disk)
    for _ in range(3):
        journal.append("lost", text="z" * 3000)
    assert journal.failure is not None
    assert journal.failure.strerror == "No space left on device"
    (disk / "filler").unlink()
    journal.append("room")
    journal.close()
    seen = kinds(disk)
    assert (seen[:3], seen[-1]) == (["first", "second", "ended"], "room")


def test_on_a_full_disk_nothing_is_claimed(small_disk):
    disk = small_disk(1)
    claim(disk, "one").close()
    _fill(disk)
    with pytest.raises(ExptrackError) as caught:
        _claim_many(disk)
    assert str(caught.value) == f"cannot write below {disk}/active: No space left on device; nothing was started"
    assert all((folder_of(disk, name) / "lock").stat().st_size for name in list_names(disk))
    assert not any(path.name.startswith(".") for path in (disk / "active").iterdir())


def _claim_many(folder: Path) -> None:
    """A folder may still find room where a file's content does not."""
    for number in range(10_000):
        claim(folder, f"more-{number}").close()


def test_a_file_is_saved_whole_or_not_at_all(shared):
    journal = claim(shared, "one")
    journal.save("found-record.json", b"old")
    (journal.folder / ".found-record.json.partial").write_bytes(b"ne")
    assert (journal.folder / "found-record.json").read_bytes() == b"old"
    journal.save("found-record.json", b"new")
    assert (journal.folder / "found-record.json").read_bytes() == b"new"
    assert not (journal.folder / ".found-record.json.partial").exists()
    journal.close()


def test_what_a_kill_left_half_made_or_half_removed_is_swept_away_and_nothing_else(shared, start):
    recorder = start(RECORDER + WAIT)
    for name in (".one.abcd.new", ".gone.abcd.gone"):
        (shared / "active" / name).mkdir()
        (shared / "active" / name / "lock").touch()
    (shared / "active" / ".DS_Store").touch()
    journals.sweep(shared)
    assert {path.name for path in (shared / "active").iterdir()} - {".DS_Store"} == {"one"}
    assert is_alive(shared, "one")
    os.kill(recorder.pid, signal.SIGKILL)
    recorder.wait()
    journals.sweep(shared)
    assert is_dead(shared, "one"), "the dead wait for recovery"
    journals.sweep(shared / "nowhere")
