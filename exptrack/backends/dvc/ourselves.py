"""The driver's own process between exptrack and the stages: signals, and files that are handed on."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager, suppress

_STDERR = 2
_ENDING = (signal.SIGTERM, signal.SIGHUP)


def die(number: int) -> None:
    """End as the signal would have ended us."""
    signal.signal(number, signal.SIG_DFL)
    os.kill(os.getpid(), number)


def inherited_files() -> tuple[int, ...]:
    """Descriptors that we were started with."""
    with suppress(OSError):
        return tuple(number for name in os.listdir("/dev/fd") if (number := int(name)) > _STDERR and _is_given(number))  # noqa: PTH208 - a folder of numbers
    return ()


def _is_given(descriptor: int) -> bool:
    try:
        return os.get_inheritable(descriptor)
    except OSError:  # that of the listing itself
        return False


@contextmanager
def passing_on(descriptors: tuple[int, ...]) -> Iterator[None]:
    """Stages get these descriptors, too."""
    from dvc.stage import run

    prepare = run.prepare_kwargs
    run.prepare_kwargs = lambda *words, **options: {**prepare(*words, **options), "pass_fds": descriptors}
    try:
        yield
    finally:
        run.prepare_kwargs = prepare


@contextmanager
def attentive(stop: list[int]) -> Iterator[None]:
    """Survive what is to end or to tell the running stage, as DVC survives Ctrl-C, and put what is to end us into `stop`.

    With a terminal a signal comes to us alone, and is passed on; else we lead a group of our own, and the stage has it already.
    """
    from gc import get_objects
    from subprocess import Popen

    def receive(number: int, _frame: object) -> None:
        # DVC keeps the stage's process to itself.
        running = [child for child in get_objects() if type(child) is Popen and child.returncode is None]
        if os.getpgrp() != os.getpid():
            for child in running:
                child.send_signal(number)
        if number in _ENDING:
            stop.append(number)
            if not running:
                die(number)

    numbers = (*_ENDING, signal.SIGUSR1, signal.SIGUSR2)
    outer = {number: signal.signal(number, receive) for number in numbers if signal.getsignal(number) == signal.SIG_DFL}
    try:
        yield
    finally:
        for number, handler in outer.items():
            signal.signal(number, handler)
