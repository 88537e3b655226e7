"""Files between the stages. Each is written whole or not at all: nobody reads half a result."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

PIXELS = "data/digits.csv.gz"
PREPARED = "prepared.npz"
MODEL = "model.npz"
METRICS = "metrics.json"
CONFUSION = "confusion.csv"


@contextmanager
def replacing(path: str) -> Iterator[BinaryIO]:
    """A file to write to; it takes the place of `path` once all is written."""
    unfinished = Path(f"{path}.{os.getpid()}.tmp")
    try:
        with unfinished.open("wb") as file:
            yield file
        unfinished.replace(path)
    finally:
        unfinished.unlink(missing_ok=True)
