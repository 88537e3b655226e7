"""The folder that is exported to: a repository's files come into it whole, or not at all."""

from __future__ import annotations

import fcntl
import os
import shutil
from collections.abc import Collection, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import mkdtemp

from exptrack.operations.exporting.formats import FORMATS
from exptrack.store.locks import opened, try_lock

TABLES = ("runs", "history")
_PART = ".part"


def path_of(table: str, month: str, repository: str, form: str) -> str:
    """Where a table of a month of a repository lies: in partitions as Hive names them."""
    return f"{table}/month={month}/{repository}.{form}"


@contextmanager
def set_aside(folder: Path, repository: str) -> Iterator[Path]:
    """A folder inside of `folder` (which is made) for files that are being written; it goes at the end of the block, and with it what was not put in place.

    What an export that was killed left there goes, too. Raises OSError.
    """
    made = [one for one in (folder, *folder.parents) if not one.exists()]
    folder.mkdir(parents=True, exist_ok=True)
    _sweep(folder, repository)
    aside = Path(mkdtemp(_PART, f".{repository}.", folder))
    try:
        with opened(aside) as lock:
            if lock is not None:
                try_lock(lock, fcntl.LOCK_EX)
            yield aside
    finally:
        shutil.rmtree(aside, ignore_errors=True)
        with suppress(OSError):  # those that got nothing
            for one in made:
                one.rmdir()


def put_in_place(aside: Path, folder: Path, repository: str, paths: Collection[str]) -> None:
    """Move what was written to its place, file by file, and take away what else this repository has there from earlier exports. Raises OSError."""
    for path in paths:
        target = folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        (aside / path).replace(target)
    for table in TABLES:
        for form in FORMATS:
            for old in (folder / table).glob(f"month=*/{repository}.{form}"):
                if old.relative_to(folder).as_posix() not in paths:
                    old.unlink(missing_ok=True)
                    with suppress(OSError):  # another repository has files there
                        old.parent.rmdir()
        with suppress(OSError):
            (folder / table).rmdir()


def ignore(folder: Path, top: Path) -> None:
    """Keep a new folder inside of the work tree out of Git, and so out of the snapshots of runs. Raises OSError."""
    if folder.resolve().is_relative_to(top.resolve()):
        (folder / ".gitignore").write_text("# Made by exptrack export.\n*\n")


def _sweep(folder: Path, repository: str) -> None:
    for left in folder.glob(f".{repository}.*{_PART}"):
        with opened(left) as lock:
            if lock is not None and try_lock(lock, fcntl.LOCK_EX) and os.access(left, os.W_OK):
                shutil.rmtree(left, ignore_errors=True)
