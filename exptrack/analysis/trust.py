"""What a run that came from somebody else may say: names, paths and digests that can be used without harm.

Who can push to a remote can make a run by hand. Nothing of it is believed before it was looked at here.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator
from datetime import UTC

from exptrack.analysis.names import is_name
from exptrack.errors import RecordError
from exptrack.model.data import Pointer
from exptrack.model.run import Record, Run

LARGEST_RECORD = 16 * 1024 * 1024  # bytes; 10,000 pointers take 2 MiB
LARGEST_FILE = 64 * 1024 * 1024  # bytes; of any other file that is read into memory

_REF = re.compile(r"refs/exptrack/runs/(\d{4}-(?:0[1-9]|1[0-2]))/([^/]+)", re.ASCII)
# At least one letter for the folder and two for the file; DVC knows other hashes than md5, too.
_DIGEST = re.compile(r"[0-9a-f]{3,128}(?:\.dir)?", re.ASCII)
_MD5 = re.compile(r"[0-9a-f]{32}(?:\.dir)?", re.ASCII)
# Only in such a path can a part be more than it looks: a quick answer for folders of 100,000 files.
_ODD = re.compile(r"(?:^|/)(?:\.|/|$)|[~\\\x00-\x1f\x7f]|[^\x00-\x7f]")
# Surrogates that stand for no byte: no file can be called so.
_UNWRITABLE = re.compile("[\ud800-\udc7f\udd00-\udfff]")
# What HFS+ leaves out of a name when it compares it, as in `is_hfs_dotgit` of git.
_IGNORED = dict.fromkeys([*range(0x200C, 0x2010), *range(0x202A, 0x202F), *range(0x206A, 0x2070), 0xFEFF])
_GIT = frozenset({".git", "git~1"})
_DATA = frozenset({"data", "outputs", "kept", "artifacts"})
_SETTINGS = _GIT | {".dvc", "dvc~1"}


def judge_ref(ref: str) -> str | None:
    """Why a ref cannot be that of a run; None if it can."""
    found = _REF.fullmatch(ref)
    if found is None:
        return "its ref is not refs/exptrack/runs/<yyyy-mm>/<name>"
    return None if is_name(found[2]) else "its name cannot name a run"


def judge_record(record: Record, ref: str) -> str | None:
    """Why the record of the run at `ref` (a good one) cannot be believed; None if it can."""
    found = _REF.fullmatch(ref)
    if found is None or record.name != found[2]:
        return "its record is that of another name"
    if f"{record.started.astimezone(UTC):%Y-%m}".zfill(7) != found[1]:
        return "its record is that of another month"
    for what, path in _places(record):
        if not is_inside(path, what in _DATA):
            return f"its record names a path that leads elsewhere, in `{what}`"
    if not all(map(is_sound, record.all_pointers)):
        return "its record names data by a digest that is none"
    return None


def check_run(run: Run) -> None:
    """Raise RecordError if the record of a run cannot be believed: it may have come by a plain `git fetch`, which looks at nothing."""
    if (reason := judge_record(run.record, run.ref)) is not None:
        raise RecordError(f"run '{run.name}' is not what exptrack makes, do not trust it: {reason}")


def is_inside(path: str, is_data: bool = False) -> bool:  # noqa: FBT001, FBT002 - asked for each of 100,000 paths
    """Whether a path, relative to a folder, stays in it, and out of what belongs to Git; of data also out of DVC's own folders.

    Names count that some file system takes for `.git`, as in git itself: `.GIT`, `git~1`, `.git.`, and those with letters that have no width.
    """
    if not _ODD.search(path):
        return True
    forbidden = _SETTINGS if is_data else _GIT
    return (
        "\0" not in path
        and not _UNWRITABLE.search(path)
        and {"", ".", ".."}.isdisjoint(path.split("/"))
        and all(_plain(part) not in forbidden for part in re.split(r"[/\\]", path))
    )


def is_digest(digest: str) -> bool:
    """Whether a digest can be part of a path in a cache or remote."""
    return _DIGEST.fullmatch(digest) is not None


def is_sound(pointer: Pointer) -> bool:
    """Whether a pointer leads to its data and to no other place: its path (see `is_inside`) and its digest."""
    shape = _MD5 if pointer.algorithm.startswith("md5") else _DIGEST
    return shape.fullmatch(pointer.digest) is not None and is_inside(pointer.path, is_data=True)


def _plain(part: str) -> str:
    """A part of a path as the most forgiving file system reads it."""
    return part.translate(_IGNORED).lower().partition(":")[0].rstrip(" .")


def _places(record: Record) -> Iterator[tuple[str, str]]:
    """The paths in a record, each with the key that it stands below; not the root."""
    from exptrack.analysis.arguments import ARGUMENTS  # with what it imports 5 ms, and caches ask for digests alone

    yield from (("project", path) for path in (record.project,) if path != ".")
    yield from (("directory", path) for path in (record.directory,) if path != ".")
    for source in record.params:
        if source != ARGUMENTS:
            yield "params", posixpath.normpath(posixpath.join(record.project, source))
    for what, pointers in (("data", record.data), ("outputs", record.outputs), ("kept", record.kept)):
        yield from ((what, path) for one in pointers for path in (one.path, one.source or one.path))
    for omission in record.not_captured:
        # What lies in DVC's own folder is ignored by Git, and named as such.
        yield "outputs" if omission.pointer else "not_captured", omission.path.removesuffix("/")
    yield from (("changed", path) for path in record.changed)
    yield from (("ambiguous", path) for path in record.ambiguous)
    yield from (("artifacts", path) for path in record.artifacts)
    for stage in record.stages or ():
        # Outside of the repository they are absolute, or URLs, and they are only compared. A parameter is <file>:<key>.
        own = [path for path in (*stage.deps, *stage.outs) if not path.startswith("/") and "://" not in path]
        yield from (("stages", path.partition(":")[0]) for path in own)
