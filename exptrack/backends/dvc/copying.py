"""A file copied between a cache and a local remote, and hashed on the way."""

from __future__ import annotations

from hashlib import md5
from pathlib import Path

from exptrack.backends.dvc.objects import CLONE_FROM, clone
from exptrack.backends.dvc.parallel import Transfer
from exptrack.backends.dvc.state import CHUNK, digest_stream


def duplicate(source: Path, new: Path, algorithm: str, transfer: Transfer) -> str:
    """The hash of a copy of `source`, made at `new`, which shares its blocks where that saves time. Raises OSError."""
    hasher = md5(usedforsecurity=False)
    is_cloned = source.stat().st_size >= CLONE_FROM and clone(str(source), new)
    with (new if is_cloned else source).open("rb") as reader, new.open("ab") as writer:
        while chunk := reader.read(CHUNK):
            if not is_cloned:
                writer.write(chunk)
            hasher.update(chunk)
            transfer.add(len(chunk))
    if algorithm == "md5":
        return hasher.hexdigest()
    with new.open("rb") as reader:
        return digest_stream(reader, algorithm)
