"""Starts `python -m exptrack`, `python -m dvc` and `python -c` for tests: most of what a start costs is imports, and one process did them.

`run` is `subprocess.run`. Where it may, it lets `scripts/forking.py`, one for each worker of pytest-xdist, fork a child for the call
instead of starting an interpreter: a process of its own, with the arguments, folder, environment and standard streams that were asked
for. Anything else is a new interpreter: other programs, prefixes, options of the interpreter, input, environments with other
variables that Python or the loader reads when it starts, and folders with modules that the imports could find.
A test that changes what a process inherits otherwise (umask, limits) uses `subprocess`. EXPTRACK_TESTS_FORK=0 turns forking off.
"""

from __future__ import annotations

import io
import json
import os
import selectors
import signal
import socket
import struct
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import exptrack

__all__ = ["run"]

ROOT = Path(exptrack.__file__).resolve().parents[1]
SERVER = Path(__file__).parent / "scripts" / "forking.py"
# macOS's libraries do not bear a fork without an exec.
IS_ON = sys.platform == "linux" and os.environ.get("EXPTRACK_TESTS_FORK") != "0"
MODULES = {"exptrack", "dvc"}
OPTIONS = {"cwd", "env", "text", "capture_output", "check", "timeout", "stdin"}
READ_AT_START = ("PYTHON", "LC_", "LANG", "LD_", "MALLOC_", "GLIBC_", "OMP_", "OPENBLAS_", "COVERAGE_", "FSSPEC_", "TZ")


def run(command: Sequence[str | Path], **options: Any) -> subprocess.CompletedProcess[Any]:
    """As `subprocess.run` does."""
    words = [os.fspath(word) for word in command]
    directory, environ = options.get("cwd") or Path.cwd(), options.get("env") or os.environ
    if not _may_fork(words, options) or not _BUSY.acquire(blocking=False):
        return subprocess.run(command, **options)  # noqa: PLW1510
    try:
        server = _server()
        if not server.suits(Path(directory), environ):
            return subprocess.run(command, **options)  # noqa: PLW1510
        request = {"words": words[1:], "directory": os.fspath(directory), "environ": dict(environ)}
        status, out, err = server.call(request, options)
    finally:
        _BUSY.release()
    done = subprocess.CompletedProcess(command, status, out, err)
    if options.get("check"):
        done.check_returncode()
    return done


def _may_fork(words: Sequence[str], options: Mapping[str, Any]) -> bool:
    how = words[2:4] if words[1:2] == ["-P"] else words[1:3]
    return (
        IS_ON
        and words[0] == sys.executable
        and (how[:1] == ["-c"] or (how[:1] == ["-m"] and how[1] in MODULES))
        and set(options) <= OPTIONS
        and options.get("stdin", subprocess.DEVNULL) == subprocess.DEVNULL
    )


class _Server:
    """The process that forks, and who speaks with it."""

    def __init__(self) -> None:
        self.environ = _read_at_start(os.environ)
        self.connection, theirs = socket.socketpair()
        with theirs:
            subprocess.run(
                [sys.executable, SERVER, str(theirs.fileno())],
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                # One thread only: others would be missing from a child.
                env={**os.environ, "OPENBLAS_NUM_THREADS": "1"},
                check=True,
            )
        self.names = set(json.loads(self._receive(self._number()))) | sys.stdlib_module_names

    def suits(self, directory: Path, environ: Mapping[str, str]) -> bool:
        """Whether a new interpreter would start as this one did, and import the same."""
        if _read_at_start(environ) != self.environ:
            return False
        try:
            with os.scandir(directory) as entries:
                found = {entry.name.partition(".")[0] for entry in entries if _is_module(entry)}
        except OSError:
            return False
        if directory.resolve() == ROOT:
            found.discard("exptrack")  # the one that is imported anyway
        return not found & self.names

    def call(self, request: Mapping[str, Any], options: Mapping[str, Any]) -> tuple[int, Any, Any]:
        """The exit status, and what the process wrote, if that is asked for; raises subprocess.TimeoutExpired."""
        end = time.monotonic() + options["timeout"] if options.get("timeout") else None
        pipes = [os.pipe(), os.pipe()] if options.get("capture_output") else []
        try:
            child = self._start(request, is_deaf="stdin" in options, outputs=[write for _, write in pipes])
            try:
                written = _read_all([read for read, _ in pipes], end)
                _wait_for(self.connection, end)
            except BaseException:
                os.kill(child, signal.SIGKILL)
                raise
            status = self._number()
        except BaseException as error:
            self.stop()  # it is not known what was said
            if isinstance(error, TimeoutError):
                raise subprocess.TimeoutExpired(request["words"], options["timeout"]) from None
            raise
        finally:
            for read, _ in pipes:
                os.close(read)
        texts = [_as_text(one) for one in written] if options.get("text") else written
        return status, *(texts or (None, None))

    def _start(self, request: Mapping[str, Any], *, is_deaf: bool, outputs: Sequence[int]) -> int:
        data = json.dumps(request).encode()
        try:
            with Path(os.devnull).open() as null:
                given = [null.fileno() if is_deaf else 0, *(outputs or (1, 2))]
                socket.send_fds(self.connection, [struct.pack("q", len(data))], given)
        finally:
            for output in outputs:
                os.close(output)
        self.connection.sendall(data)
        return self._number()

    def stop(self) -> None:
        """Let it end, and the next call start another."""
        self.connection.close()
        _SERVERS.clear()

    def _number(self) -> int:
        [number] = struct.unpack("q", self._receive(8))
        return int(number)

    def _receive(self, length: int) -> bytes:
        data = b""
        while len(data) < length:
            more = self.connection.recv(length - len(data))
            if not more:
                raise RuntimeError(f"{SERVER} has ended; EXPTRACK_TESTS_FORK=0 goes without it")
            data += more
        return data


_BUSY = threading.Lock()  # a second call at the same time starts an interpreter
_SERVERS: list[_Server] = []


def _server() -> _Server:
    if not _SERVERS:
        _SERVERS.append(_Server())
    return _SERVERS[0]


def _read_at_start(environ: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in environ.items() if name.startswith(READ_AT_START)}


def _is_module(entry: os.DirEntry[str]) -> bool:
    if entry.is_dir():
        return Path(entry, "__init__.py").exists()
    return entry.name.endswith((".py", ".pyc", ".so"))


def _read_all(pipes: Sequence[int], end: float | None) -> list[bytes]:
    """All that comes from each until its end; raises TimeoutError."""
    found: dict[int, list[bytes]] = {pipe: [] for pipe in pipes}
    with selectors.DefaultSelector() as selector:
        for pipe in pipes:
            selector.register(pipe, selectors.EVENT_READ)
        while selector.get_map():
            ready = selector.select(_left(end))
            if not ready:
                raise TimeoutError
            for key, _ in ready:
                more = os.read(key.fd, 65536)
                found[key.fd].append(more)
                if not more:
                    selector.unregister(key.fd)
    return [b"".join(parts) for parts in found.values()]


def _wait_for(connection: socket.socket, end: float | None) -> None:
    with selectors.DefaultSelector() as selector:
        selector.register(connection, selectors.EVENT_READ)
        if not selector.select(_left(end)):
            raise TimeoutError


def _left(end: float | None) -> float | None:
    return None if end is None else max(0.0, end - time.monotonic())


def _as_text(data: bytes) -> str:
    return io.TextIOWrapper(io.BytesIO(data), encoding="locale").read()
