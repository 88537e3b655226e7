"""Run a command through `process.run`; leave `pid`, `ticks`, `output.log` and `report.json` in a folder.

Usage: driver.py FOLDER OPTIONS COMMAND…, where the options are JSON.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
from pathlib import Path
from typing import Any

from exptrack.backends import process

folder, options, argv = Path(sys.argv[1]), json.loads(sys.argv[2]), sys.argv[3:]
log = bytearray()
report: dict[str, Any] = {}


class Gap(dict[str, str]):
    """An environment that sends us a signal when it is asked for PATH: after the handlers are there, before the command is."""

    def get(self, *arguments: Any) -> Any:
        os.kill(os.getpid(), options["gap"])
        return super().get(*arguments)


def write(name: str, content: bytes) -> None:
    """Write a file that is complete as soon as it is seen."""
    part = folder / f"{name}.part"
    part.write_bytes(content)
    part.rename(folder / name)


def output(chunk: bytes) -> None:
    log.extend(chunk)
    if options.get("broken"):
        raise ValueError("the journal is full")


def idle() -> None:
    with (folder / "ticks").open("a") as file:
        file.write(".")


def handlers() -> list[str]:
    numbers = signal.valid_signals() - {signal.SIGKILL, signal.SIGSTOP}
    return [str(signal.getsignal(number)) for number in sorted(numbers)]


def main() -> None:
    environ = Gap(os.environ) if "gap" in options else os.environ
    callbacks: dict[str, Any] = {"started": lambda pid: write("pid", b"%d" % pid), "idle": idle}
    if options.get("plain"):
        callbacks = {}
    try:
        ending = process.run(argv, directory=Path.cwd(), environ=environ, output=output, **callbacks)
        report["ending"] = [ending.exit_code, ending.signal, ending.interrupted]
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
