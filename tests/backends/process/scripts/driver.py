"""Run a command through `process.run`; leave `pid`, `ticks`, `output.log` and `report.json` in a folder.

Usage: driver.py FOLDER OPTIONS COMMAND…, where the options are JSON.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
import time
from pathlib import Path
from typing import Any

from exptrack.backends import process
from exptrack.backends.process import limit

folder, options, argv = Path(sys.argv[1]), json.loads(sys.argv[2]), sys.argv[3:]
log = bytearray()
report: dict[str, Any] = {}


class Gap(dict[str, str]):
    """An environment that sends us a signal when it is asked for PATH: after the handlers are there, before the command is."""

    def get(self, *arguments: Any) -> Any:
        os.kill(os.getpid(), options["gap"])
        return super().get(*arguments)


class Late(limit.Limit):
    """What is made right after the command was started: here not before the command has ended."""

    def __init__(self, pid: int, *arguments: Any, **options: Any) -> None:
        os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)
        super().__init__(pid, *arguments, **options)


def write(name: str, content: bytes) -> None:
    """Write a file that is complete as soon as it is seen."""
    part = folder / f"{name}.part"
    part.write_bytes(content)
    part.rename(folder / name)


def output(chunk: bytes) -> None:
    log.extend(chunk)
    if options.get("broken"):
        raise ValueError("the journal is full")


def started(pid: int) -> None:
    write("pid", b"%d" % pid)
    end = time.monotonic() + 120
    while "wait_for" in options and not (folder / options["wait_for"]).exists() and time.monotonic() < end:
        time.sleep(0.01)


def idle() -> None:
    with (folder / "ticks").open("a") as file:
        file.write(".")


def handlers() -> list[str]:
    numbers = signal.valid_signals() - {signal.SIGKILL, signal.SIGSTOP}
    return [str(signal.getsignal(number)) for number in sorted(numbers)]


def main() -> None:
    environ = Gap(os.environ) if "gap" in options else os.environ
    callbacks: dict[str, Any] = {"started": started, "idle": idle}
    if options.get("plain"):
        callbacks = {}
    how = {key: options[key] for key in ("timeout", "is_apart") if key in options}
    limit.MERCY = options.get("mercy", limit.MERCY)
    if options.get("late"):
        process.Limit = Late  # type: ignore[misc]
    try:
        ending = process.run(argv, directory=Path.cwd(), environ=environ, output=output, **callbacks, **how)
        report["ending"] = [ending.exit_code, ending.signal, ending.interrupted]
        report["timed_out"] = [ending.timed_out, ending.status, ending.shell_code]
    except ValueError as error:
        report["error"] = str(error)


before = handlers()
if options.get("thread"):
    thread = threading.Thread(target=main)
    thread.start()
    thread.join()
else:
    main()
report["handlers_restored"] = handlers() == before and signal.set_wakeup_fd(-1) == -1
write("output.log", bytes(log))
write("report.json", json.dumps(report).encode())
