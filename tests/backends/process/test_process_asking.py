"""A command that is asked to end ends with all that it started, and is asked more firmly each time."""

from __future__ import annotations

import signal
import subprocess
import sys

import pytest

from exptrack.backends.process.limit import Asking

CHILD = "import time; print(1, flush=True); time.sleep(1000)"
STUBBORN = (
    "import signal, time\n"
    "signal.signal(signal.SIGINT, lambda *_: print('int', flush=True))\n"
    "signal.signal(signal.SIGTERM, lambda *_: print('term', flush=True))\n"
    "print('ready', flush=True)\n"
    "while True: time.sleep(1)"
)


@pytest.mark.parametrize("leads", [True, False])
def test_a_shell_does_not_go_on_with_its_next_command(leads):
    words = ["sh", "-c", f'{sys.executable} -c "$0"; echo next', CHILD]
    with subprocess.Popen(
        words, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, process_group=0 if leads else None
    ) as process:
        assert process.stdout.readline() == b"1\n"
        Asking(process.pid)("a reason")
        assert process.stdout.read() == b""
        assert process.wait() == -signal.SIGINT


def test_who_goes_on_is_asked_more_firmly():
    with subprocess.Popen([sys.executable, "-c", STUBBORN], stdout=subprocess.PIPE, process_group=0) as process:
        ask = Asking(process.pid)
        for said in (b"ready\n", b"int\n", b"term\n"):
            assert process.stdout.readline() == said
            ask("a reason")
        assert process.wait() == -signal.SIGKILL
    ask("nobody is there any more")
