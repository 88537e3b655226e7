"""The log holds the beginning and the end of any output, and says exactly how much lies between."""

from __future__ import annotations

import re
import resource
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from exptrack.analysis.output import Collapser
from exptrack.store.outputlog import HALF, OutputLog, read_output

MIB = 1024 * 1024
# Chunks of all sizes up to beyond the window, made of few bytes that matter: ends of lines, returns, escapes, what is not UTF-8.
PIECES = st.sampled_from(
    [b"line\n", b"\r50%", b"\r\n", b"\x1b[31mred\x1b[0m", b"\xff\xc3", "ü".encode(), b"no end", b"\0", b"\n" * 7]
)
CHUNKS = st.lists(
    st.builds(lambda piece, times: piece * times, PIECES, st.sampled_from([1, 3, 1000, HALF // 8, HALF // 5 + 1, MIB // 9])), max_size=9
)  # fmt: skip


def whole(chunks: list[bytes]) -> bytes:
    """What all chunks together give, with nothing left out."""
    collapser = Collapser()
    return b"".join(map(collapser.feed, chunks)) + collapser.pending


def cut(text: bytes) -> bytes:
    """As the docstrings say: 128 KiB of the beginning, as much of the end, and between them a line with the number of bytes left out."""
    if len(text) <= 2 * HALF:
        return text
    head = text[:HALF]
    newline = b"" if head.endswith(b"\n") else b"\n"
    return head + newline + f"[… {len(text) - 2 * HALF:,} bytes left out …]\n".encode() + text[-HALF:]


@settings(max_examples=40, deadline=None)
@given(CHUNKS)
def test_the_log_is_the_collapsed_whole_with_its_middle_cut_out(chunks):
    with tempfile.TemporaryDirectory() as folder:
        log = OutputLog(Path(folder))
        lines = b""
        for chunk in chunks:
            lines += log.add(chunk)
            assert read_output(Path(folder)) == cut(lines + log.pending), "at every moment, not only in the end"
        assert lines + log.pending == whole(chunks)
        log.close()
        assert log.failure is None


@settings(max_examples=30, deadline=None)
@given(st.integers(-3, 3), st.booleans(), st.integers(1, 5))
def test_every_byte_around_the_cut_is_counted(offset, ended, parts):
    text = b"x" * 1000 + b"\n"
    text = (text * (2 * HALF // len(text) + 1))[: 2 * HALF + offset - ended] + b"\n" * ended
    size = len(text) // parts + 1
    chunks = [text[at : at + size] for at in range(0, len(text), size)]
    with tempfile.TemporaryDirectory() as folder:
        log = OutputLog(Path(folder))
        for chunk in chunks:
            log.add(chunk)
        log.close()
        assert read_output(Path(folder)) == cut(whole(chunks))


def test_twenty_megabytes_take_little_more_than_one_on_disk(tmp_path):
    log = OutputLog(tmp_path)
    line = b"a line of output that is repeated until twenty megabytes are full\n"
    chunk = line * (64 * 1024 // len(line))
    total = most = 0
    while total < 20 * MIB:
        log.add(chunk)
        total += len(chunk)
        most = max(most, sum(path.stat().st_size for path in tmp_path.iterdir()))
    log.close()
    assert most < 1.5 * MIB
    assert len(list(tmp_path.iterdir())) == 2
    said = re.search(rb"\[\xe2\x80\xa6 ([\d,]+) bytes left out \xe2\x80\xa6\]\n", read_output(tmp_path))
    assert said is not None
    assert int(said[1].replace(b",", b"")) == total - 2 * HALF


def test_a_progress_line_counts_in_its_last_state_only(tmp_path):
    log = OutputLog(tmp_path)
    log.add(b"start\n")
    for percent in range(100):
        assert log.add(b"\r%d%% of a bar" % percent) == b""
    assert read_output(tmp_path) == b"start\n99% of a bar"
    assert log.add(b"\r100%\nend") == b"100%\n"
    assert log.pending == b"end"
    assert read_output(tmp_path) == b"start\n100%\nend"


def test_a_line_that_gets_shorter_leaves_nothing_of_the_longer_one(tmp_path):
    log = OutputLog(tmp_path)
    log.add(b"x" * 5000)
    log.add(b"\rshort")
    assert read_output(tmp_path) == b"short"


def test_without_output_there_is_none(tmp_path):
    assert read_output(tmp_path) == b""
    OutputLog(tmp_path).close()
    assert read_output(tmp_path) == b""


def test_a_new_window_appears_whole_or_not_at_all(tmp_path):
    """As after a kill between writing the new window and taking the old one away, and before it has its name."""
    log = OutputLog(tmp_path)
    chunk = b"0123456789abcde\n" * 1024
    for _ in range(60):
        log.add(chunk)
    [old] = tmp_path.glob("output-tail-*")
    before = read_output(tmp_path)
    (tmp_path / ".output-tail").write_bytes(b"half of a window")
    assert read_output(tmp_path) == before
    content = old.read_bytes()
    begin = int(old.name.removeprefix("output-tail-"))
    (tmp_path / f"output-tail-{begin + len(content) - HALF}").write_bytes(content[-HALF:])
    assert read_output(tmp_path) == before


FULL_DISK = """
import resource, signal, sys
from pathlib import Path
from exptrack.store.outputlog import OutputLog, read_output
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
folder = Path(sys.argv[1])
log = OutputLog(folder)
log.add(b"kept\\n")
resource.setrlimit(resource.RLIMIT_FSIZE, (3000, resource.RLIM_INFINITY))
assert log.add(b"x" * 4999 + b"\\n") == b"x" * 4999 + b"\\n", "the lines are given all the same"
assert log.failure is not None
assert read_output(folder).startswith(b"kept\\n")
resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
log.add(b"there is room again\\n")
log.add(b"\\x1b[0m\\rprogress")
log.close()
assert read_output(folder) == b"kept\\nthere is room again\\nprogress", read_output(folder)[:100]
assert log.failure.strerror == "File too large"
"""


def test_what_the_disk_does_not_take_is_remembered_and_harms_nothing_else(tmp_path):
    if resource.getrlimit(resource.RLIMIT_FSIZE)[1] != resource.RLIM_INFINITY:
        pytest.skip("the size of files is limited here")
    done = subprocess.run([sys.executable, "-c", FULL_DISK, str(tmp_path)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
