"""What is known of a run before its command starts (`start.json` in the journal)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from stat import S_ISDIR
from types import MappingProxyType
from typing import NamedTuple

from exptrack.analysis.codec import decode_record, encode_record
from exptrack.errors import RecordError
from exptrack.model.run import Record
from exptrack.model.settings import SECRET_PATTERNS, Limits


class Start(NamedTuple):
    """What is known before the command starts: the record as it would be if all ended now, and what to look at in the end.

    `stamps` holds the state of metric files, pointer files and wanted outputs at the start, by path relative to the repository's root.
    `outs` are those that DVC answers for already. `primary` names the metric that matters most. `params_text` is `params.yaml` in the
    snapshot; `is_overridden`: the command line gave other values than the files. `author` and `committer` are those of the run commit,
    `is_signing`: the user's Git signs commits. `is_isolated`: `top` is a slot, with `links` into the user's work tree.
    `limits` and `secrets` say what of the files that the command makes may be kept.

    `holdouts` are names of metrics that are sealed, `patterns` those by which metrics are read from the output.

    Of a pipeline, `own` are the outs of its stages, `plain` outs and plots that Git may hold, `unversioned` dependencies that neither Git nor DVC has.
    `live` are folders in which DVCLive writes, if the command uses it. `seed_name` is the parameter that `exptrack.yaml` says is the seed.
    """

    record: Record
    snapshot: str
    top: str
    git_dir: str
    metric_files: tuple[str, ...] = ()
    pointer_files: tuple[str, ...] = ()
    outputs: tuple[str, ...] = ()
    outs: tuple[str, ...] = ()
    stamps: Mapping[str, str] = MappingProxyType({})
    primary: str | None = None
    params_text: str | None = None
    is_overridden: bool = False
    author: str = ""
    committer: str = ""
    is_signing: bool = False
    is_isolated: bool = False
    links: tuple[str, ...] = ()
    limits: Limits = Limits()
    secrets: tuple[str, ...] = SECRET_PATTERNS
    holdouts: tuple[str, ...] = ()
    patterns: tuple[str, ...] = ()
    own: tuple[str, ...] = ()
    plain: tuple[str, ...] = ()
    unversioned: tuple[str, ...] = ()
    live: tuple[str, ...] = ()
    seed_name: str | None = None


def encode_start(start: Start) -> bytes:
    """As JSON."""
    fields = {name: getattr(start, name) for name in Start._fields if name != "record"}
    return json.dumps(
        {**fields, "stamps": dict(start.stamps), "record": json.loads(encode_record(start.record))}
    ).encode()


def read_start(folder: Path) -> Start | None:
    """What was known before the command started; None if the run died before that was written."""
    try:
        fields = json.loads((folder / "start.json").read_bytes())
        record = decode_record(json.dumps(fields.pop("record")).encode())
        known = {name: value for name, value in fields.items() if name in Start._fields}
        lists = {name: tuple(value) for name, value in known.items() if isinstance(value, list)}
        limits = Limits(*lists.pop("limits", ()))
        return Start(**{**known, **lists, "limits": limits, "record": record})
    except (OSError, ValueError, TypeError, KeyError, RecordError):
        return None


def stamp(path: Path) -> str:
    """The state of a file, or of all files below a folder, as far as the file system tells; empty if there is nothing.

    Of a link it is that of the link and of what it leads to; of a folder that cannot be listed that of the folder alone.
    """
    own = _stamp(path)
    return f"{own}>{_stamp(path.resolve())}" if path.is_symlink() else own


def _stamp(path: Path) -> str:
    try:
        status = path.lstat()
    except OSError:
        return ""
    own = f"{status.st_ino}-{status.st_size}-{status.st_mtime_ns}-{status.st_ctime_ns}"
    if not S_ISDIR(status.st_mode):
        return own
    try:
        children = sorted(path.iterdir())
    except OSError:
        return own
    return "|".join([str(status.st_ino), *(f"{child.name}:{_stamp(child)}" for child in children)])


def last_written(path: Path) -> float:
    """When a file, or the latest one below a folder, was written (Unix time); 0 if there is nothing."""
    try:
        own = path.stat().st_mtime
        return max([own, *(last_written(child) for child in path.iterdir())]) if path.is_dir() else own
    except OSError:
        return 0.0


def is_written(start: Start, path: str) -> bool:
    """Whether a file or folder is there and no longer as it was at the start."""
    return stamp(Path(start.top) / path) not in {"", start.stamps.get(path, "")}
