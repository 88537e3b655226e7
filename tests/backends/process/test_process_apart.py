"""A command in a session of its own: it can ask nobody, and its output and our signals go their way."""

from __future__ import annotations

import signal
import sys

import pytest

ASKING = """
import getpass, os, sys
print(repr(sys.stdin.read()), os.getsid(0) == os.getpid(), os.isatty(1), flush=True)
try:
    os.open("/dev/tty", os.O_RDWR)
except OSError:
    print("no terminal", flush=True)
getpass.getpass()
"""


def test_who_asks_for_a_password_fails_at_once(bench, terminal):
    terminal.run(bench.argv(sys.executable, "-W", "ignore", "-c", ASKING, is_apart=True))
    terminal.expect(b"'' True True\r\nno terminal\r\n")
    terminal.expect(b"EOFError")
    terminal.end()
    assert bench.ending == (1, None, False)


def test_its_output_comes_live_and_is_heard(bench, terminal):
    terminal.run(bench.argv("sh", "-c", "echo hello; until test -e go; do sleep 0.01; done", is_apart=True))
    terminal.expect(b"hello\r\n")
    (bench.folder / "go").touch()
    terminal.end()
    assert bench.ending == (0, None, False)
    assert bench.log == b"hello\n"


def test_ctrl_c_reaches_its_group_exactly_once(bench, terminal):
    terminal.run(bench.argv(*bench.listener("SIGINT", "parent"), is_apart=True))
    terminal.expect(b"ready")
    terminal.type(b"\x03")
    said = terminal.end()
    assert (said.count(b"child got 1"), said.count(b"parent got 1"), said.count(b"got")) == (1, 1, 2)
    assert bench.ending == (5, None, True)


def test_a_terminal_that_hangs_up_ends_it(bench, terminal):
    terminal.run(bench.argv("sh", "-c", "echo ready; exec sleep 1000", is_apart=True))
    terminal.expect(b"ready")
    terminal.hang_up()
    assert bench.ending == (None, signal.SIGHUP, False)


@pytest.mark.parametrize("kind", ["SIGTERM", "SIGINT"])
def test_without_a_terminal_a_signal_goes_to_its_group(bench, kind):
    driver = bench.launch(*bench.listener(kind, "parent"), is_apart=True)
    assert driver.stdout.readline() == b"ready\n"
    driver.send_signal(getattr(signal, kind))
    said, _ = driver.communicate()
    assert sorted(said.splitlines()) == [b"child got 1", b"parent got 1"]
    assert bench.ending == (5, None, kind == "SIGINT")
