"""The user's command on a terminal, with a shell that has job control."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import termios
import time

import pytest

ASKING = "import os; print(*(os.isatty(fd) for fd in (0, 1, 2)), *{})"
SIZES = "[os.get_terminal_size(fd) for fd in (1, 2) if os.isatty(fd)]"
WATCHING = """
import os, signal, sys
def tell(*_):
    os.write(1, b"%d by %d\\n" % os.get_terminal_size(1))
signal.signal(signal.SIGWINCH, tell)
os.write(1, b"ready\\n")
sys.stdin.readline()
"""
ALTERNATING = """
import os
for _ in range(1000):
    os.write(1, b"out\\n")
    os.write(2, b"err\\n")
"""


def ps(pid: int, column: str) -> str:
    if shutil.which("ps") is None:
        pytest.skip("needs ps")
    argv = ["ps", "-o", f"{column}=", "-p", str(pid)]
    return subprocess.run(argv, capture_output=True, text=True, check=False).stdout.strip()


def test_on_a_terminal_the_command_writes_to_one_of_the_same_size(bench, terminal):
    terminal.run(bench.argv(sys.executable, "-c", ASKING.format(SIZES)))
    size = b"os.terminal_size(columns=71, lines=31)"
    assert terminal.end() == b"True True True " + size + b" " + size + b"\r\n"
    assert bench.log == terminal.screen.replace(b"\r", b"")


def test_where_only_stdout_is_a_terminal_stderr_is_none(bench, terminal):
    with (bench.folder / "err").open("wb") as err:
        terminal.run(bench.argv("sh", "-c", "test -t 1 && test ! -t 2 && echo out && echo err >&2"), stderr=err)
        assert terminal.end() == b"out\r\n"
    assert (bench.folder / "err").read_bytes() == b"err\n"
    assert bench.ending == (0, None, False)


def test_a_terminal_gets_every_byte_as_it_was_written(bench, terminal):
    # Without ONLCR of the outer terminal what arrives is what was written.
    attributes = termios.tcgetattr(terminal.line)
    attributes[1] &= ~termios.OPOST
    termios.tcsetattr(terminal.line, termios.TCSANOW, attributes)
    data = bytes(range(256)) * 8000
    (bench.folder / "data").write_bytes(data)
    terminal.run(bench.argv("cat", "data"))
    assert terminal.end() == data == bench.log


def test_stdout_and_stderr_keep_their_order_on_a_terminal(bench, terminal):
    terminal.run(bench.argv(sys.executable, "-c", ALTERNATING))
    assert terminal.end() == b"out\r\nerr\r\n" * 1000


def test_a_new_window_size_reaches_the_command(bench, terminal):
    terminal.run(bench.argv(sys.executable, "-c", WATCHING))
    terminal.expect(b"ready")
    terminal.resize(40, 132)
    terminal.expect(b"132 by 40")
    terminal.resize(41, 133)
    terminal.expect(b"133 by 41")
    terminal.type(b"\n")
    terminal.end()
    assert bench.ending == (0, None, False)


@pytest.mark.parametrize(("key", "kind"), [(b"\x03", "SIGINT"), (b"\x1c", "SIGQUIT")])
def test_a_key_reaches_the_command_exactly_once_each_time(bench, terminal, key, kind):
    terminal.run(bench.argv(*bench.listener(kind, "count")))
    terminal.expect(b"ready")
    for number in (1, 2, 3):
        terminal.type(key)
        terminal.expect(b"got %d" % number)
        time.sleep(0.1)  # a second one would come about now
    terminal.type(b"\n")
    terminal.expect(b"in all 3\r\n")
    terminal.end()
    assert bench.ending == (5, None, kind == "SIGINT")


def test_ctrl_c_ends_a_command_that_does_not_handle_it(bench, terminal):
    terminal.run(bench.argv("sh", "-c", "echo ready; exec sleep 1000"))
    terminal.expect(b"ready")
    terminal.type(b"\x03")
    terminal.end()
    assert bench.ending == (None, signal.SIGINT, True)


def test_a_ctrl_c_that_comes_before_the_command_is_there_is_passed_on(bench, terminal):
    terminal.run(bench.argv("sleep", "1000", gap=int(signal.SIGINT)))
    terminal.end()
    assert bench.ending == (None, signal.SIGINT, True)


def test_in_the_background_an_interrupt_is_passed_on(bench, terminal):
    terminal.run(bench.argv(*bench.listener("SIGINT", "once")), how="background")
    terminal.expect(b"ready")
    os.kill(int(ps(bench.pid, "ppid")), signal.SIGINT)
    terminal.expect(b"once got 1")
    terminal.end()
    assert bench.ending == (5, None, True)


@pytest.mark.parametrize("kind", ["SIGTERM", "SIGHUP", "SIGUSR1", "SIGUSR2"])
def test_on_a_terminal_a_signal_is_passed_on(bench, terminal, kind):
    terminal.run(bench.argv(*bench.listener(kind, "once")))
    terminal.expect(b"ready")
    os.kill(int(ps(bench.pid, "ppid")), getattr(signal, kind))
    terminal.expect(b"once got 1")
    terminal.end()
    assert bench.ending == (5, None, False)


def test_ctrl_z_stops_the_command_and_fg_goes_on_in_the_new_window(bench, terminal):
    terminal.run(bench.argv(sys.executable, "-c", WATCHING))
    terminal.expect(b"ready")
    terminal.type(b"\x1a")
    terminal.expect(b"[stopped]")
    bench.until(lambda: "T" in ps(bench.pid, "state"))
    terminal.resize(42, 134)
    terminal.type(b"fg\n")
    terminal.expect(b"134 by 42")
    terminal.type(b"\n")
    terminal.end()
    assert bench.ending == (0, None, False)


def test_a_terminal_that_hangs_up_ends_the_run(bench, terminal):
    terminal.run(bench.argv("sh", "-c", "echo ready; exec sleep 1000"))
    terminal.expect(b"ready")
    terminal.hang_up()
    assert bench.ending == (None, signal.SIGHUP, False)
