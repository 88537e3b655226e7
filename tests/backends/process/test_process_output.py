"""What the user's command says and hears: relayed byte for byte, and kept."""

from __future__ import annotations

import fcntl
import os
import signal
import subprocess
import sys
import termios
import time
from pathlib import Path
from typing import IO

import pytest

ALTERNATING = """
import os
for _ in range(1000):
    os.write(1, b"out\\n")
    os.write(2, b"err\\n")
"""


def is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def lies_in(pipe: IO[bytes]) -> int:
    return int.from_bytes(fcntl.ioctl(pipe, termios.FIONREAD, bytes(4)), sys.byteorder)


def test_ten_megabytes_arrive_complete_and_in_order(bench):
    lines = b"".join(b"%09d\n" % number for number in range(1_000_000))
    (bench.folder / "data").write_bytes(lines)
    done = bench.drive("cat", "data")
    assert done.stdout == lines
    assert bench.log == lines


def test_ten_megabytes_arrive_although_a_background_process_holds_the_pipe(bench):
    done = bench.drive("sh", "-c", "sleep 1000 & echo $! > sleeper; head -c 10000000 /dev/zero", plain=True)
    assert len(done.stdout) == len(bench.log) == 10_000_000
    sleeper = int((bench.folder / "sleeper").read_text())
    assert is_alive(sleeper)
    os.kill(sleeper, signal.SIGKILL)


def test_a_background_process_that_never_stops_talking_is_not_waited_for(bench):
    done = bench.drive("sh", "-c", "yes & yes >&2 & echo done; exit 3")
    assert b"done\n" in done.stdout
    assert bench.ending == (3, None, False)


def test_stdout_and_stderr_stay_apart_and_are_both_heard(bench):
    done = bench.drive("sh", "-c", "echo out; echo err >&2")
    assert (done.stdout, done.stderr) == (b"out\n", b"err\n")
    assert sorted(bench.log.splitlines()) == [b"err", b"out"]


def test_stdout_and_stderr_keep_their_order_where_they_are_one(bench):
    done = bench.drive(sys.executable, "-c", ALTERNATING, streams={"stderr": subprocess.STDOUT})
    assert done.stdout == bench.log == b"out\nerr\n" * 1000


def test_stdin_is_passed_through(bench):
    done = bench.drive("cat", streams={"input": b"a\x00\xff\r\n" * 100_000})
    assert done.stdout == b"a\x00\xff\r\n" * 100_000


def test_output_comes_while_the_command_runs(bench):
    driver = bench.launch("sh", "-c", "echo hello; read line; exit 3")
    assert driver.stdout.readline() == b"hello\n"
    driver.communicate(b"go\n")
    assert bench.ending == (3, None, False)


def test_a_reader_that_leaves_ends_the_command_with_sigpipe(bench):
    driver = bench.launch("yes")
    assert driver.stdout.readline() == b"y\n"
    driver.stdout.close()
    assert driver.wait() == 0
    driver.stdin.close()
    assert bench.ending == (None, signal.SIGPIPE, False)


def test_a_command_that_does_not_mind_outlives_its_reader(bench):
    driver = bench.launch("sh", "-c", "trap '' PIPE; read line; echo hello; echo there >&2; exit 3")
    driver.stdout.close()
    driver.stdin.write(b"go\n")
    driver.stdin.close()
    assert driver.wait() == 0
    assert bench.ending == (3, None, False)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_a_full_disk_behind_stdout_is_felt_by_the_command(bench):
    with Path("/dev/full").open("wb") as full:
        bench.drive("yes", streams={"stdout": full})
    assert bench.ending == (None, signal.SIGPIPE, False)


def test_a_closed_stdout_does_no_harm(bench):
    driver = bench.launch("sh", "-c", "echo hello", shell="exec 2>/dev/null >&-")
    driver.communicate()
    assert bench.ending == (0, None, False)
    assert bench.log == b"hello\n"


def test_a_non_blocking_stdout_loses_nothing(bench):
    reader, writer = os.pipe()
    os.set_blocking(writer, False)
    driver = bench.launch("head", "-c", "1000000", "/dev/zero", stdout=writer)
    os.close(writer)
    bench.until(lambda: bench.pid > 0)
    with os.fdopen(reader, "rb") as file:
        assert len(file.read()) == 1_000_000
    driver.wait()
    assert bench.ending == (0, None, False)


def test_a_reader_that_does_not_read_holds_up_neither_us_nor_a_signal(bench):
    # The single byte sees to it that a large write would not fit into the pipe.
    driver = bench.launch("sh", "-c", "printf x; sleep 0.2; exec yes")
    pid = bench.pid
    bench.until(lambda: lies_in(driver.stdout) > 60_000)
    ticks = bench.ticks
    bench.until(lambda: bench.ticks >= ticks + 2)
    driver.send_signal(signal.SIGTERM)
    bench.until(lambda: not is_alive(pid))

    def gives_up() -> bool:
        driver.send_signal(signal.SIGTERM)
        return driver.poll() is not None

    bench.until(gives_up)
    driver.communicate()
    assert bench.ending == (None, signal.SIGTERM, False)


def test_a_slow_reader_gets_everything(bench):
    # The first part fills our pipe, the second is pending, the third waits in the command's pipe when that has ended long since.
    parts = (65536, 4096, 60000)
    driver = bench.launch("sh", "-c", "; sleep 0.3; ".join(f"head -c {part} /dev/zero" for part in parts))
    bench.until(lambda: bench.pid > 0)
    time.sleep(1.2)
    assert len(driver.communicate()[0]) == len(bench.log) == sum(parts)


def test_what_a_child_of_the_command_says_at_the_end_is_still_heard(bench):
    # As long as the command has not been waited for, it can be signalled.
    talking = "(while kill -0 $$ 2>/dev/null; do sleep 0.01; done; sleep 0.02; echo late) &"
    # On a busy machine it may take longer than we listen.
    assert any(b"late" in bench.drive("sh", "-c", talking).stdout for _ in range(20))


def test_a_broken_journal_does_not_stop_the_command(bench):
    done = bench.drive("sh", "-c", "echo one; sleep 0.2; echo two; echo three > done", broken=True)
    assert done.stdout == b"one\ntwo\n"
    assert (bench.folder / "done").exists()
    assert bench.report["error"] == "the journal is full"
