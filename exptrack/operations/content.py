"""One file or folder of a run: as its commit holds it, or, where that has only a pointer, out of the DVC cache or remote."""

from __future__ import annotations

import posixpath
import shlex
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from exptrack.backends import dvc
from exptrack.backends.dvc.config import find_cache
from exptrack.backends.dvc.folder import read_listing
from exptrack.backends.git import objects
from exptrack.backends.git.browse import Entry, find_entry, list_entries, list_paths
from exptrack.errors import DataError, ExptrackError
from exptrack.model.data import Omission, Pointer, Reason
from exptrack.model.run import Run
from exptrack.operations.context import Context
from exptrack.operations.files import Committed
from exptrack.operations.recording.needs import list_kept
from exptrack.operations.sources import Reader
from exptrack.store.holdout import HOLDOUT

_COMPARED = 5000  # paths, for the nearest one
_ADVICE = {
    Reason.IGNORED: "keep it with `exptrack run -o {0}`, or take it out of .gitignore",
    Reason.TOO_LARGE: "keep it with `exptrack run -o {0}`, or raise capture.limits in exptrack.yaml",
    Reason.TOO_MANY: "keep it with `exptrack run -o {0}`, or raise capture.limits in exptrack.yaml",
    Reason.SECRET: "let it through with capture.secrets in exptrack.yaml",
}


class Content(NamedTuple):
    """What lies at a path: of a folder `names`, folders with a slash; of a file `data`, or `file`, in the DVC cache."""

    path: str
    names: tuple[str, ...] | None = None
    data: bytes = b""
    file: Path | None = None


def find_content(context: Context, run: Run, path: str) -> Content:
    """What a run has at a path, seen from the root of the repository.

    Raises ExptrackError, with the nearest path, if there is nothing; DataError if it is data, and neither in the DVC cache nor to be
    had from the DVC remote; of a folder no more is fetched than was asked for.
    """
    clean = posixpath.normpath(path) if path else "."
    if clean.startswith(("/", "../")) or clean == "..":
        raise ExptrackError(
            f"'{path}' is outside of the repository: give a path as seen from its root, or './…' as seen from here"
        )
    clean = "" if clean == "." else clean
    if clean == HOLDOUT and run.record.sealed:
        raise ExptrackError(
            f"the holdout of '{run.name}' is sealed: `exptrack unseal` shows it once the choice is made"
        )
    entry = find_entry(context.repository, run.oid, clean)
    if entry is not None:
        return _read(context, run, entry)
    for pointer in _pointers(context, run, clean):
        if clean == pointer.path or (pointer.is_folder and clean.startswith(f"{pointer.path}/")):
            found = _find_data(context, pointer, clean)
            if pointer.modified:
                context.notice(
                    f"'{pointer.path}' was modified when '{run.name}' used it: this is what its pointer stands for"
                )
            return found
    for omission in run.record.not_captured:
        if _covers(omission, clean):
            raise ExptrackError(f"run '{run.name}' did not keep {_explain(omission)}")
    raise ExptrackError(f"run '{run.name}' has no '{clean}'{_advise(context, run, clean)}")


def _read(context: Context, run: Run, entry: Entry) -> Content:
    if entry.kind == "tree":
        entries = list_entries(context.repository, entry.oid)
        return Content(entry.path, tuple(one.path + ("/" if one.kind == "tree" else "") for one in entries))
    if entry.kind == "commit":
        raise ExptrackError(
            f"'{entry.path}' is a submodule: run '{run.name}' has its commit {entry.oid}, and no file of it"
        )
    data = objects.read(context.repository, entry.oid)
    if data is None:
        raise ExptrackError(f"'{entry.path}' of run '{run.name}' is missing from the repository; `git fsck` tells more")
    return Content(entry.path, data=data)


def _pointers(context: Context, run: Run, path: str) -> Iterator[Pointer]:
    """The pointers of the record; of a file that was too large for Git, that of the `.dvc` file beside it in the run's commit."""
    yield from (*run.record.pointers, *list_kept(run.record))
    if any(one.pointer and one.path == path for one in run.record.not_captured):
        yield from Reader(Committed(context.repository, run.oid), context.project, context.yaml.load).pointers(
            f"{path}.dvc"
        )


def _covers(omission: Omission, path: str) -> bool:
    return omission.path.rstrip("/") == path or (omission.path.endswith("/") and path.startswith(omission.path))


def _explain(omission: Omission) -> str:
    """What was not kept, why, and how to keep it next time."""
    why = f"{omission.reason}, {omission.digest}" if omission.digest else str(omission.reason)
    advice = _ADVICE.get(omission.reason, "").format(shlex.quote(omission.path.rstrip("/")))
    return f"'{omission.path}' ({why})" + (f"; next time {advice}" if advice else "")


def _find_data(context: Context, pointer: Pointer, path: str) -> Content:
    top = context.repository.top
    root = dvc.find_root((top / (pointer.source or pointer.path)).parent, top)
    if root is None:
        raise DataError(
            f"'{path}' is data, and there is no DVC project here whose cache could hold it; `exptrack init` makes one"
        )
    if not pointer.is_folder:
        return Content(path, file=_bring(root, pointer))
    listing = _bring_listing(root, pointer)
    inner = path[len(pointer.path) + 1 :]
    if inner in listing:
        one = Pointer(path, listing[inner], pointer.algorithm, source=pointer.source, remote=pointer.remote)
        return Content(path, file=_bring(root, one))
    names = _list_folder(list(listing), inner)
    if not names:
        raise ExptrackError(f"'{pointer.path}' holds no '{inner}'{_near(inner, list(listing))}")
    return Content(path, names)


def _bring(root: Path, pointer: Pointer) -> Path:
    """The file in the DVC cache; what is not there comes from the DVC remote."""
    file = find_cache(root).object(pointer.digest, pointer.algorithm)
    if not file.is_file():
        dvc.fetch(root, [pointer])
    return file


def _bring_listing(root: Path, pointer: Pointer) -> dict[str, str]:
    place = find_cache(root).object(pointer.digest, pointer.algorithm)
    listing = read_listing(place)
    if listing is None:
        dvc.fetch_listing(root, pointer)
        listing = read_listing(place)
    if listing is None:
        raise DataError(f"the listing of '{pointer.path}' in the DVC remote is broken: push the folder anew")
    return listing


def _list_folder(paths: Sequence[str], folder: str) -> tuple[str, ...]:
    """What lies in a folder of a listing."""
    prefix = f"{folder}/" if folder else ""
    below = (path[len(prefix) :].partition("/") for path in sorted(paths) if path.startswith(prefix))
    return tuple(dict.fromkeys(name + slash for name, slash, _ in below))


def _advise(context: Context, run: Run, path: str) -> str:
    record = run.record
    pointers = [*(one.path for one in record.all_pointers), *(one.path for one in record.not_captured)]
    return _near(path, [*pointers, *list_paths(context.repository, run.oid)])


def _near(path: str, known: Sequence[str]) -> str:
    """The path that was meant, if one can be guessed: one of the same name in another folder, or one that is spelt alike."""
    from difflib import get_close_matches

    name = posixpath.basename(path)
    others = [one for one in known if one != path]
    same = [one for one in others if posixpath.basename(one) == name]
    near = get_close_matches(path, same or others[:_COMPARED], n=1, cutoff=0.0 if same else 0.6)
    return f", did you mean '{near[0]}'?" if near else ""
