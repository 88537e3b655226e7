"""Signals that come while the user's command runs, without a terminal (CI, cron, nohup)."""

from __future__ import annotations

import signal
import sys

import pytest


@pytest.mark.parametrize("kind", ["SIGTERM", "SIGHUP", "SIGINT", "SIGQUIT", "SIGUSR1", "SIGUSR2"])
def test_without_a_terminal_a_signal_goes_to_the_whole_group(bench, kind):
    driver = bench.launch(*bench.listener(kind, "parent"))
    assert driver.stdout.readline() == b"ready\n"
    driver.send_signal(getattr(signal, kind))
    said, _ = driver.communicate()
    assert sorted(said.splitlines()) == [b"child got 1", b"parent got 1"]
    assert driver.returncode == 0
    assert bench.ending == (5, None, kind == "SIGINT")


def test_an_interrupt_that_the_command_handles_is_told_with_its_exit_code(bench):
    driver = bench.launch("sh", "-c", "trap 'exit 0' INT; echo ready; while :; do sleep 0.01; done")
    assert driver.stdout.readline() == b"ready\n"
    driver.send_signal(signal.SIGINT)
    driver.communicate()
    assert bench.ending == (0, None, True)


def test_a_command_that_dies_by_an_interrupt_of_its_own_was_interrupted(bench):
    bench.drive("sh", "-c", "kill -INT $$")
    assert bench.ending == (None, signal.SIGINT, True)


@pytest.mark.parametrize(("number", "interrupted"), [(signal.SIGTERM, False), (signal.SIGINT, True)])
def test_a_signal_that_comes_before_the_command_is_there_is_passed_on(bench, number, interrupted):
    bench.drive("sleep", "1000", gap=int(number))
    assert bench.ending == (None, number, interrupted)


def test_what_nohup_ignores_stays_ignored(bench):
    asking = "import signal; print(signal.getsignal(signal.SIGHUP), flush=True); input()"
    driver = bench.launch(sys.executable, "-c", asking, shell="trap '' HUP")
    assert driver.stdout.readline() == b"1\n"  # SIG_IGN, as Python prints it
    driver.send_signal(signal.SIGHUP)
    driver.communicate(b"go\n")
    assert bench.ending == (0, None, False)
