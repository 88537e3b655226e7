"""The output of a run under way, read while it is written."""

from __future__ import annotations

import random
import re
from pathlib import Path

import pytest

from exptrack.store.outputlog import OutputLog
from exptrack.store.outputtail import OutputReader


def test_each_line_is_given_once_and_what_has_no_end_waits(tmp_path: Path) -> None:
    log, reader = OutputLog(tmp_path), OutputReader(tmp_path)
    assert reader.read() == b""
    log.add(b"one\ntwo\n 10%")
    assert (reader.read(), reader.pending) == (b"one\ntwo\n", b" 10%")
    log.add(b"\r 20%")
    assert (reader.read(), reader.pending) == (b"", b" 20%")
    log.add(b"\rdone\nthree")
    assert (reader.read(), reader.pending) == (b"done\n", b"three")
    reader.close()


@pytest.mark.parametrize("seed", range(4))
def test_all_lines_come_in_order_however_the_files_move_on(tmp_path: Path, seed: int) -> None:
    chance = random.Random(seed)
    log, reader = OutputLog(tmp_path), OutputReader(tmp_path)
    given, found = b"", b""
    while len(given) < 5_000_000:
        chunk = b"".join(b"%d %s\n" % (chance.random() * 1e9, b"x" * chance.randrange(400)) for _ in range(200))
        cut = chance.randrange(len(chunk))
        for piece in (chunk[:cut], chunk[cut:]):
            log.add(piece)
            if chance.random() < 0.5:
                found += reader.read()
        given += chunk
    found += reader.read()
    assert (found, reader.pending) == (given, b"")
    reader.close()


def test_who_comes_late_hears_how_much_is_left_out(tmp_path: Path) -> None:
    log, reader = OutputLog(tmp_path), OutputReader(tmp_path)
    lines = [b"%07d %s\n" % (number, b"y" * 92) for number in range(30_000)]
    for number in range(0, len(lines), 100):
        log.add(b"".join(lines[number : number + 100]))
    head, said, tail = re.split(rb"(\[[^\]]*\]\n)", reader.read())
    assert b"".join(lines).startswith(head[:1000])
    assert b"".join(lines).endswith(tail)
    assert tail[:7].isdigit()
    [left_out] = re.findall(rb"([\d,]+) bytes", said)
    assert abs(int(left_out.replace(b",", b"")) + len(head) + len(tail) - 30_000 * 101) <= 2 * 101
    reader.close()


def test_of_what_is_there_at_first_only_the_newest_may_be_read(tmp_path: Path) -> None:
    log, reader = OutputLog(tmp_path), OutputReader(tmp_path, 20)
    log.add(b"".join(b"line %d\n" % number for number in range(100)))
    assert reader.read() == b"line 98\nline 99\n"
    log.add(b"more\n")
    assert reader.read() == b"more\n"
    reader.close()


def test_what_was_written_before_the_folder_went_is_read(tmp_path: Path) -> None:
    folder = tmp_path / "journal"
    folder.mkdir()
    log, reader = OutputLog(folder), OutputReader(folder)
    log.add(b"one\n")
    assert reader.read() == b"one\n"
    log.add(b"two\n")
    (folder / "output-head").unlink()
    folder.rmdir()
    assert reader.read() == b"two\n"
    reader.close()
