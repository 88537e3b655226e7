"""A command whose time is over ends with all that it started."""

from __future__ import annotations

import os
import shutil
import signal
import sys
from pathlib import Path

import pytest

from exptrack.backends.process import limit

TIMED_OUT = [True, "failed", 124]
# A child that ignores SIGTERM, as also what it becomes.
STUBBORN = "(trap '' TERM; exec sleep 1000) & echo $! > stubborn; "
# The command's time is over when it has said that it is ready, however slow the machine is.
WHEN_READY = {"timeout": 0.1, "wait_for": "ready"}
IMPATIENT, PATIENT = {"mercy": 0.2}, {"mercy": 120}


def is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    state = Path(f"/proc/{pid}/stat")
    # In a container nobody may have reaped it.
    return not (state.exists() and state.read_bytes().rpartition(b")")[2].split()[0] == b"Z")


def pid_in(file: Path) -> int:
    return int(file.read_text())


def test_a_command_that_takes_too_long_is_ended(bench):
    bench.drive("sleep", "1000", timeout=0.1)
    assert bench.ending == (None, signal.SIGTERM, False)
    assert bench.report["timed_out"] == TIMED_OUT


def test_a_command_that_calls_its_end_a_success_has_failed(bench):
    done = bench.drive(
        "sh", "-c", "trap 'echo bye; exit 0' TERM; : > ready; while :; do sleep 0.01; done", **WHEN_READY, **PATIENT
    )
    assert bench.ending == (0, None, False)
    assert bench.report["timed_out"] == TIMED_OUT
    assert done.stdout == b"bye\n"


@pytest.mark.parametrize("options", [{}, {"is_apart": True}, {"thread": True}], ids=["group", "apart", "thread"])
def test_what_ignores_the_end_is_killed(bench, options):
    bench.drive("sh", "-c", STUBBORN + "trap '' TERM; : > ready; wait", **WHEN_READY, **IMPATIENT, **options)
    assert bench.ending == (None, signal.SIGKILL, False)
    assert bench.report["timed_out"] == TIMED_OUT
    assert not is_alive(pid_in(bench.folder / "stubborn"))


def test_a_child_that_outlives_the_command_is_killed(bench):
    bench.drive("sh", "-c", STUBBORN + ": > ready; wait", **WHEN_READY, **IMPATIENT)
    assert bench.report["timed_out"] == TIMED_OUT
    assert not is_alive(pid_in(bench.folder / "stubborn"))


def test_on_a_terminal_the_family_ends_and_nobody_else(bench, terminal):
    # There the command is in our own group, and must not take us along.
    terminal.run(bench.argv("sh", "-c", STUBBORN + ": > ready; wait", **WHEN_READY, **IMPATIENT))
    terminal.end()
    assert bench.report["timed_out"] == TIMED_OUT
    assert not is_alive(pid_in(bench.folder / "stubborn"))


def test_a_child_in_a_session_of_its_own_ends_too(bench):
    leaving = "import os, subprocess; child = subprocess.Popen(['sleep', '1000'], start_new_session=True)"
    telling = "open('stubborn', 'w').write(str(child.pid)); os.rename('stubborn', 'ready'); child.wait()"
    bench.drive(sys.executable, "-c", f"{leaving}; {telling}", **WHEN_READY, **PATIENT)
    assert bench.report["timed_out"] == TIMED_OUT
    assert not is_alive(pid_in(bench.folder / "ready"))


def test_a_child_that_was_left_by_its_parent_ends_too(bench):
    bench.drive("sh", "-c", f"({STUBBORN}); : > ready; exec sleep 1000", **WHEN_READY, **IMPATIENT)
    assert not is_alive(pid_in(bench.folder / "stubborn"))


def test_a_command_that_is_stopped_ends_too(bench):
    bench.drive("sh", "-c", ": > ready; kill -STOP $$", **WHEN_READY, **PATIENT)
    assert bench.ending == (None, signal.SIGTERM, False)


@pytest.mark.parametrize("late", [False, True], ids=["", "ends before we look"])
def test_who_ends_in_time_is_left_alone_with_what_he_started(bench, late):
    bench.drive("sh", "-c", "sleep 1000 & echo $! > sleeper; exit 3", timeout=1e12, plain=True, late=late)
    assert bench.ending == (3, None, False)
    assert bench.report["timed_out"] == [False, "failed", 3]
    sleeper = pid_in(bench.folder / "sleeper")
    assert is_alive(sleeper)
    os.kill(sleeper, signal.SIGKILL)


def test_ps_and_proc_list_the_same_processes():
    if sys.platform != "linux" or shutil.which("ps") is None:
        pytest.skip("needs /proc and ps")
    by_ps = {row[:4] for row in limit._ask_ps() if row.pid == os.getpid()}
    assert by_ps == {row[:4] for row in limit._read_proc() if row.pid == os.getpid()}
    assert len(by_ps) == 1
