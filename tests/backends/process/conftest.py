"""A bench on which commands run through `process.run`, seen from outside, and a terminal to run them in."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import termios
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

import pytest

SCRIPTS = Path(__file__).parent / "scripts"
PATIENCE = 120  # seconds until a test gives up on what must happen at some time


def until(is_so: Callable[[], bool]) -> None:
    end = time.monotonic() + PATIENCE
    while not is_so():
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.01)


@dataclass(frozen=True)
class Bench:
    """A folder in which the driver runs commands and leaves its reports."""

    folder: Path
    launched: list[subprocess.Popen[bytes]] = field(default_factory=list)

    def argv(self, *command: str | Path, **options: Any) -> list[str]:
        return [sys.executable, str(SCRIPTS / "driver.py"), str(self.folder), json.dumps(options), *map(str, command)]

    def listener(self, kind: str, mode: str) -> list[str]:
        return [sys.executable, str(SCRIPTS / "listener.py"), kind, mode]

    def drive(
        self, *command: str | Path, streams: dict[str, Any] | None = None, **options: Any
    ) -> subprocess.CompletedProcess[bytes]:
        """Run a command through the driver, without a controlling terminal, to its end."""
        streams = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, **(streams or {})}
        argv = self.argv(*command, **options)
        return subprocess.run(argv, cwd=self.folder, start_new_session=True, check=True, timeout=PATIENCE, **streams)

    def launch(
        self, *command: str | Path, shell: str = "", stdout: int = subprocess.PIPE, **options: Any
    ) -> subprocess.Popen[bytes]:
        """Start the driver without a controlling terminal; `shell` is a line of sh to be run first."""
        argv = ["sh", "-c", f'{shell}\nexec "$@"', "sh", *self.argv(*command, **options)]
        driver = subprocess.Popen(argv, cwd=self.folder, start_new_session=True, stdin=subprocess.PIPE, stdout=stdout)
        self.launched.append(driver)
        return driver

    def clear(self) -> None:
        for driver in self.launched:
            driver.kill()
            driver.wait()
            for pipe in (driver.stdin, driver.stdout):
                if pipe is not None:
                    pipe.close()
        if (self.folder / "pid").exists() and not (self.folder / "report.json").exists():  # the test failed
            with suppress(ProcessLookupError):
                os.kill(self.pid, signal.SIGKILL)

    until = staticmethod(until)

    @property
    def report(self) -> dict[str, Any]:
        until((self.folder / "report.json").exists)
        report: dict[str, Any] = json.loads((self.folder / "report.json").read_text())
        return report

    @property
    def ending(self) -> tuple[int | None, int | None, bool]:
        return tuple(self.report["ending"])

    @property
    def log(self) -> bytes:
        return (self.folder / "output.log").read_bytes()

    @property
    def ticks(self) -> int:
        """How often `idle` was called."""
        ticks = self.folder / "ticks"
        return ticks.stat().st_size if ticks.exists() else 0

    @property
    def pid(self) -> int:
        """The command's process id, as soon as it has one."""
        until((self.folder / "pid").exists)
        return int((self.folder / "pid").read_text())


class Terminal:
    """A terminal with a shell in it, seen from the keyboard and the screen."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.screen = b""
        self.seen = 0
        self.keyboard, self.line = os.openpty()
        os.set_blocking(self.keyboard, False)
        self.resize(31, 71)
        self.session: subprocess.Popen[bytes] | None = None

    def run(self, argv: list[str], *, how: str = "foreground", stderr: IO[bytes] | None = None) -> None:
        self.session = subprocess.Popen(
            [sys.executable, str(SCRIPTS / "shell.py"), how, *argv],
            cwd=self.folder,
            stdin=self.line,
            stdout=self.line,
            stderr=stderr or self.line,
            start_new_session=True,
        )

    def resize(self, rows: int, columns: int) -> None:
        termios.tcsetwinsize(self.keyboard, (rows, columns))

    def type(self, keys: bytes) -> None:
        os.write(self.keyboard, keys)

    def look(self) -> bytes:
        with suppress(OSError):  # nothing more for now, or at all
            while chunk := os.read(self.keyboard, 65536):
                self.screen += chunk
        return self.screen

    def expect(self, text: bytes) -> None:
        """Wait until `text` is on the screen, after what was expected before."""
        until(lambda: text in self.look()[self.seen :])
        self.seen = self.screen.index(text, self.seen) + len(text)

    def end(self) -> bytes:
        """Wait for the end of the job, and give all that was ever on the screen."""
        until(lambda: self.look() is not None and self.session.poll() is not None)
        return self.look()

    def hang_up(self) -> None:
        for end in (self.line, self.keyboard):
            if end >= 0:
                os.close(end)
        self.line = self.keyboard = -1

    def clear(self) -> None:
        self.hang_up()
        if self.session is not None:
            self.session.kill()
            self.session.wait()


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    bench = Bench(tmp_path)
    yield bench
    bench.clear()


@pytest.fixture
def terminal(tmp_path: Path) -> Iterator[Terminal]:
    terminal = Terminal(tmp_path)
    yield terminal
    terminal.clear()
