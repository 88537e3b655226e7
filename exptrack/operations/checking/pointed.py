"""Which data it is whose hash differs in a pointer file that changed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from posixpath import dirname, join
from typing import Any

from exptrack.analysis.dvcfiles import parse_pointers
from exptrack.analysis.dvcyaml import find_inside, load_file, parse_pipeline
from exptrack.backends.git import objects
from exptrack.backends.git.diffs import Changed
from exptrack.errors import DataError
from exptrack.operations.context import Context
from exptrack.store import runs
from exptrack.store.private_index import is_dvc_file

_LOCK = "dvc.lock"
# What an entry of a lock says besides of where the data is, and how it is known.
_SIDELINES = frozenset({"path", "size", "nfiles", "isexec", "hash"})


def name_data(context: Context, changed: Iterable[Changed], commit: str) -> dict[str, tuple[str, ...]]:
    """By pointer file (`.dvc` or `dvc.lock`) the paths whose hashes differ: outs, and of a lock the dependencies too.

    `commit` has the new side. A file that cannot be read, or whose hashes are the same, is not among them.
    """
    found = [one for one in changed if is_dvc_file(one.path) and not one.path.endswith(".yaml")]
    # What is on one side only has an oid of zeros on the other, which a partial clone would ask its remote for.
    oids = [oid for one in found for oid in (one.old_oid, one.new_oid) if oid.strip("0")]
    contents = dict(zip(oids, objects.read_many(context.repository, oids), strict=True)) if oids else {}
    named = {}
    for one in found:
        try:
            old, new = (_read(context, one.path, contents.get(oid), commit) for oid in (one.old_oid, one.new_oid))
        except (DataError, UnicodeDecodeError):
            continue
        paths = {path for path in {**old, **new} if old.get(path) != new.get(path)}
        if paths:
            named[one.path] = tuple(sorted(paths))
    return named


def _read(context: Context, path: str, content: bytes | None, commit: str) -> Mapping[str, object]:
    """Hashes by path; none of a file that is not there."""
    if content is None:
        return {}
    text = content.decode()
    if path.rpartition("/")[2] == _LOCK:
        return _read_lock(context, path, text, commit)
    return {one.path: (one.algorithm, one.digest) for one in parse_pointers(path, text, load=context.yaml.load)}


def _read_lock(context: Context, path: str, text: str, commit: str) -> dict[str, object]:
    stages = load_file(path, text, context.yaml.load).get("stages")
    folders = _find_folders(context, path, commit)
    found: dict[str, object] = {}
    for name, stage in stages.items() if isinstance(stages, dict) else ():
        folder = folders.get(name) or folders.get(str(name).partition("@")[0]) or dirname(path)
        for kind in ("deps", "outs"):
            for entry in _entries(stage, kind):
                # An out of one stage is a dependency of the next: each counts, and the path is named once.
                known = found.setdefault(find_inside(folder, entry["path"]) or entry["path"], {})
                known[name, kind] = {key: value for key, value in entry.items() if key not in _SIDELINES}  # type: ignore[index]
    return found


def _entries(stage: Any, kind: str) -> Sequence[dict[str, Any]]:
    entries = stage.get(kind) if isinstance(stage, dict) else None
    found = entries if isinstance(entries, list) else []
    return [entry for entry in found if isinstance(entry, dict) and isinstance(entry.get("path"), str)]


def _find_folders(context: Context, path: str, commit: str) -> dict[str, str]:
    """The folder that each stage runs in, by its name, as far as the `dvc.yaml` beside the lock says it."""
    beside = join(dirname(path), "dvc.yaml")
    content = runs.read_files(context.repository, commit, [beside]).get(beside)
    try:
        folders = parse_pipeline(beside, content.decode(), context.yaml.load).folders if content else {}
    except (DataError, UnicodeDecodeError):
        return {}
    return {stage.removeprefix(f"{beside}:"): folder for stage, folder in folders.items()}
