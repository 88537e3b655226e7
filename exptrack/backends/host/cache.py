"""Answers kept on disk, each with the files that it was read from, so that a stale one is noticed."""

from __future__ import annotations

import json
import os
import time
import zlib
from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple, TypeAlias

# Raise it when the shape of any value changes: entries of another version are ignored.
_VERSION = 1

# A file that changed this recently may change again within one tick of its file system's clock, and look the same.
_SETTLED = 2.0

# A question that failed after this time may hang each time; the failure is kept so long, so that not every run waits for it.
_SLOW = 1.0
_FAILURE_KEPT = 10 * 60.0

# Time of change in ns, size and inode; None for what is not there.
Stamp: TypeAlias = "list[int] | None"


class Slot(NamedTuple):
    """Where one answer is kept: a file below `folder`, named after `kind` and `key`.

    The answer is valid for one `state` (JSON values, as the key): a later state takes the place of an earlier one.
    """

    folder: Path
    kind: str
    key: Any
    state: Any = None

    @property
    def path(self) -> Path:
        return self.folder / f"{self.kind}-{zlib.crc32(json.dumps(self.key).encode()):08x}.json"

    @property
    def identity(self) -> str:
        return json.dumps([_VERSION, self.kind, self.key, self.state])


def stamp(path: str | Path) -> Stamp:
    """What tells whether a file or folder changed."""
    try:
        status = Path(path).stat()
    except (OSError, ValueError):
        return None
    return [status.st_mtime_ns, status.st_size, status.st_ino]


def stamps(paths: Iterable[str | Path]) -> dict[str, Stamp]:
    """The stamps of several paths; take them before the files are read, so that a change in between is not missed."""
    return {str(path): stamp(path) for path in paths}


def recall(slot: Slot) -> Any | None:
    """The answer that `remember` kept, or None: not there, broken, too old, or one of the files that it watches changed."""
    try:
        checksum, _, body = slot.path.read_bytes().partition(b"\n")
        if int(checksum) != zlib.crc32(body):
            return None
        entry = json.loads(body)
    except (OSError, ValueError):
        return None
    if entry["identity"] != slot.identity or not _is_young(entry["made"], entry["seconds"]):
        return None
    return entry["value"] if all(stamp(path) == known for path, known in entry["watch"].items()) else None


def remember(slot: Slot, value: Any, *, watch: Mapping[str, Stamp], seconds: float | None = None) -> None:
    """Keep an answer until a file of `watch` changes, at most for `seconds`. Where nothing can be written, nothing is kept."""
    now = time.time()
    if any(known and known[0] > (now - _SETTLED) * 1e9 for known in watch.values()):
        return
    entry = {"identity": slot.identity, "made": now, "seconds": seconds, "watch": dict(watch), "value": value}
    body = json.dumps(entry).encode()
    temporary = slot.folder / f".{slot.kind}-{os.urandom(6).hex()}"
    try:
        slot.folder.mkdir(parents=True, exist_ok=True)
        temporary.write_bytes(b"%d\n%s" % (zlib.crc32(body), body))
        temporary.replace(slot.path)
    except OSError:
        with suppress(OSError):
            temporary.unlink()


def remember_failure(slot: Slot, value: Any, *, watch: Mapping[str, Stamp], began: float) -> None:
    """Keep for ten minutes that a question had no answer, if it took long to learn that; `began` is of `time.monotonic`."""
    if time.monotonic() - began >= _SLOW:
        remember(slot, value, watch=watch, seconds=_FAILURE_KEPT)


def _is_young(made: float, seconds: float | None) -> bool:
    # A clock that was set back makes an entry of the future, which would never end.
    return seconds is None or 0 <= time.time() - made < seconds
