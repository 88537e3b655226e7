"""Hashes of files, remembered by path, inode, times and size, so that unchanged data is not read again."""

# Paths are strings: of 100,000 files a Path for each takes longer than its stat.
# ruff: noqa: PTH116, PTH123

from __future__ import annotations

import json
import os
import stat
import time
from contextlib import suppress
from hashlib import md5, sha256
from pathlib import Path
from typing import BinaryIO, Final

from exptrack.errors import DataError

CHUNK: Final = 1 << 20
_RACY: Final = 2_000_000_000  # ns: a file may change again within the grain of its own time stamp (2 s on FAT)
_DAYS: Final = 30
_ENTRIES: Final = 200_000
_VERSION: Final = 1

_Entry = list[int | str]  # inode, mtime_ns, ctime_ns, size, digest, day it was last seen


class StatCache:
    """Digests of files by `<algorithm> <path>`, in one JSON file that is read when first asked.

    It can be deleted at any time, and a broken one counts as empty. Several processes may use it: each writes a new file with what it
    has learnt on top of what is there, and the last rename wins. Besides the modification time the change time counts too, so that
    `touch -r`, `cp -p` and `tar -x` cannot hide a change.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._entries: dict[str, _Entry] | None = None
        self._learnt: dict[str, _Entry] = {}

    def find(self, path: str, status: os.stat_result, algorithm: str) -> str | None:
        """The digest of the file if it was seen in exactly this state."""
        if self._entries is None:
            self._entries = self._load()
        key = f"{algorithm} {path}"
        entry = self._entries.get(key)
        if entry is None or entry[:4] != identity(status):
            return None
        if entry[5] != (today := _today()):
            self._entries[key] = self._learnt[key] = [*entry[:5], today]
        return str(entry[4])

    def remember(self, path: str, status: os.stat_result, algorithm: str, digest: str, started: int) -> None:
        """Keep a digest. `started` (time.time_ns()) is when the reading began; a file that had just changed then is not kept."""
        if max(status.st_mtime_ns, status.st_ctime_ns) > started - _RACY:
            return
        if self._entries is None:
            self._entries = self._load()
        key = f"{algorithm} {path}"
        self._entries[key] = self._learnt[key] = [*identity(status), digest, _today()]

    def save(self) -> None:
        """Write what was learnt, if anything. What cannot be written is forgotten: it is only a cache."""
        if not self._learnt:
            return
        entries = self._load() | self._learnt
        oldest = _today() - _DAYS
        kept = [(key, entry) for key, entry in entries.items() if int(entry[5]) >= oldest]
        kept = sorted(kept, key=lambda item: int(item[1][5]))[-_ENTRIES:]
        new = self._path.with_name(f"{self._path.name}.{os.getpid()}-{time.time_ns()}")
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            new.write_text(json.dumps({"version": _VERSION, "entries": dict(kept)}, separators=(",", ":")), "ascii")
            new.replace(self._path)
        except OSError:
            with suppress(OSError):
                new.unlink()
        self._learnt = {}

    def _load(self) -> dict[str, _Entry]:
        try:
            content = json.loads(self._path.read_bytes())
            entries = content["entries"] if content["version"] == _VERSION else {}
            return {key: entry for key, entry in entries.items() if len(entry) == 6 and isinstance(entry[5], int)}
        except (OSError, ValueError, TypeError, KeyError, AttributeError, RecursionError):
            return {}


def identity(status: os.stat_result) -> _Entry:
    """What changes whenever a file's content does: inode, modification and change time, size."""
    return [status.st_ino, status.st_mtime_ns, status.st_ctime_ns, status.st_size]


def _today() -> int:
    return int(time.time()) // 86_400


def find_digest(path: str, status: os.stat_result, algorithm: str, known: StatCache) -> str:
    """The digest of a regular file as `md5`, `md5-dos2unix` (of DVC 2) or `sha256` give it, from the cache or its content.

    Raises OSError if it cannot be read.
    """
    if (found := known.find(path, status, algorithm)) is not None:
        return found
    started = time.time_ns()
    with open(path, "rb") as file:
        before = os.fstat(file.fileno())
        digest = digest_stream(file, algorithm)
        after = os.fstat(file.fileno())
    if identity(before) == identity(after):
        known.remember(path, before, algorithm, digest, started)
    return digest


def digest_stream(file: BinaryIO, algorithm: str) -> str:
    if algorithm == "md5-dos2unix":
        from dvc_data.hashfile.hash import fobj_md5

        return str(fobj_md5(file, name=algorithm))
    hasher = sha256() if algorithm == "sha256" else md5(usedforsecurity=False)
    while chunk := file.read(CHUNK):
        hasher.update(chunk)
    return hasher.hexdigest()


def hash_file(path: Path, known: StatCache) -> str:
    """`sha256:…` of a file's content. Raises DataError if it cannot be read or is no regular file."""
    name = os.path.normpath(path.absolute())
    try:
        status = os.stat(name)
        if not stat.S_ISREG(status.st_mode):
            raise DataError(f"{path} is no regular file, so it has no digest")
        return f"sha256:{find_digest(name, status, 'sha256', known)}"
    except OSError as error:
        raise DataError(f"cannot read {path}: {error.strerror}") from error
