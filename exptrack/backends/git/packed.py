"""A look into the file of packed refs without git, which takes 2 ms for it, and without reading all of it: of 100,000 refs it has 8 MB."""

from __future__ import annotations

from pathlib import Path
from typing import BinaryIO

_CLOSE = 4096  # bytes that are read through line by line


def has_packed(common_dir: Path, prefix: str) -> bool:
    """Whether a ref that begins so is in the file; the refs of a reftable are not. One that was deleted is out of it."""
    wanted = prefix.encode()
    try:
        with (common_dir / "packed-refs").open("rb") as file:
            if b" sorted" not in file.readline():  # by a git before 2.18, or other software
                file.seek(0)
                return wanted in file.read()
            _approach(file, wanted)
            following = (ref for line in file if (ref := _find_ref(line)) >= wanted)
            return next(following, b"").startswith(wanted)
    except OSError:
        return False


def _approach(file: BinaryIO, wanted: bytes) -> None:
    """Go to the beginning of a line that is not far before the first ref that is not less."""
    low, high = file.tell(), file.seek(0, 2)
    while high - low > _CLOSE:
        middle = (low + high) // 2
        file.seek(middle)
        file.readline()  # what is left of one
        place, line = file.tell(), file.readline()
        while line.startswith(b"^"):  # what the tag before it points at
            place, line = file.tell(), file.readline()
        if line and _find_ref(line) < wanted:
            low = place
        else:
            high = middle
    file.seek(low)


def _find_ref(line: bytes) -> bytes:
    return line.partition(b" ")[2].rstrip(b"\n")
