"""Files, copied as they are now."""

from __future__ import annotations

import errno
import os
from pathlib import Path
from typing import BinaryIO

_CHUNK = 1 << 20
_CLONE_FROM = 64 << 20  # bytes; below, a copy is as quick


def copy_file(reader: BinaryIO, source: str, new: Path) -> None:
    """Make `new` of an open file: as one that shares its blocks where the file system can, else as a copy, holes as holes."""
    status = os.fstat(reader.fileno())
    if status.st_size >= _CLONE_FROM and _clone(source, new):
        return
    with new.open("xb", buffering=0) as writer:
        _copy_data(reader.fileno(), writer.fileno(), status.st_size)


def _clone(source: str, new: Path) -> bool:
    from exptrack.backends.dvc.objects import clone

    return clone(source, new)


def _copy_data(reader: int, writer: int, size: int) -> None:
    place = 0
    while place < size:
        start, end = _find_data(reader, place, size)
        place = start
        while place < end:
            chunk = os.pread(reader, min(_CHUNK, end - place), place)
            if not chunk:  # somebody has cut it off meanwhile
                return
            written = os.pwrite(writer, chunk, place)
            if not written:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            place += written
    os.ftruncate(writer, size)


def _find_data(reader: int, place: int, size: int) -> tuple[int, int]:
    """Where the next data of a file begins and ends; what lies before it is a hole."""
    try:
        start = os.lseek(reader, place, os.SEEK_DATA)
        return start, min(os.lseek(reader, start, os.SEEK_HOLE), size)
    except OSError as error:
        return (size, size) if error.errno == errno.ENXIO else (place, size)
