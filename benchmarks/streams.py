"""Commits in great number through one `git fast-import`, piece by piece: nothing but the piece at hand is held in memory."""

from __future__ import annotations

import subprocess
from collections.abc import Iterable, Mapping
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

from benchmarks.measure import BenchmarkError
from benchmarks.worlds import call


class Commit(NamedTuple):
    """A commit to import. `mark` is its number in the stream, `parent` a mark (`:5`) or an oid, `changes` fast-import's own lines."""

    ref: str
    mark: int
    author: str
    time: datetime
    message: str
    parent: str | None
    changes: bytes


def format_commit(commit: Commit) -> bytes:
    """The commands that store a commit and point its ref at it."""
    person = f"{commit.author} {int(commit.time.timestamp())} +0000"
    text = commit.message.encode()
    head = f"commit {commit.ref}\nmark :{commit.mark}\nauthor {person}\ncommitter {person}\ndata {len(text)}\n"
    parent = f"from {commit.parent}\n" if commit.parent else ""
    return b"".join([head.encode(), text, b"\n", parent.encode(), commit.changes, b"\n"])


def format_blob(mark: int, data: bytes) -> bytes:
    """The commands that store content which several commits share."""
    return b"blob\nmark :%d\ndata %d\n%s\n" % (mark, len(data), data)


def format_shared(path: str, mark: int) -> bytes:
    """The command that puts such content into a tree."""
    return f"M 100644 :{mark} {path}\n".encode()


def import_stream(folder: Path, environ: Mapping[str, str], pieces: Iterable[bytes]) -> None:
    """Feed it to `git fast-import`; raises BenchmarkError if that fails."""
    argv = ("git", "fast-import", "--quiet", "--done")
    with subprocess.Popen(argv, cwd=folder, env=environ, stdin=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdin is not None
        assert process.stderr is not None
        with suppress(BrokenPipeError):
            process.stdin.writelines(pieces)
            process.stdin.write(b"done\n")
            process.stdin.close()
        said = process.stderr.read().decode(errors="replace").strip()
    if process.returncode:
        raise BenchmarkError(f"'{' '.join(argv)}' gave {process.returncode}: {said.partition(chr(10))[0]}")


def pack(folder: Path, environ: Mapping[str, str]) -> None:
    """All refs in one file and all objects in one pack with deltas of its own making, as after `git gc` and a clone."""
    call(folder, environ, "git", "pack-refs", "--all")
    call(folder, environ, "git", "repack", "-a", "-d", "-f", "-q")
