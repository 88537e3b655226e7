"""The artifacts of a run: from the folder of its journal to its commit, or the DVC cache."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from exptrack.analysis.artifacts import FOLDER, check_name, explain_homeless
from exptrack.analysis.secrets import looks_secret
from exptrack.analysis.selection import Candidate, choose
from exptrack.analysis.trust import LARGEST_FILE
from exptrack.analysis.wording import name_few
from exptrack.backends.git.importing import store_files
from exptrack.backends.git.repository import Repository
from exptrack.errors import DataError, ExptrackError, explain
from exptrack.model.data import Pointer
from exptrack.operations.recording.keeping import keep
from exptrack.store.journal import ARTIFACTS
from exptrack.store.start import Start

_NAMED = 5


class Artifacts(NamedTuple):
    """What the record says of artifacts, and the files of the run commit: artifacts (large ones as the oid of a blob) and pointer files."""

    names: tuple[str, ...] = ()
    files: Mapping[str, bytes | str] = {}
    kept: tuple[Pointer, ...] = ()
    problems: tuple[str, ...] = ()


def collect_artifacts(repository: Repository, start: Start, folder: Path) -> Artifacts:
    """Those in the journal `folder`. What the limits let into Git goes there, smaller and earlier ones first; the rest into the DVC cache.

    What no cache takes goes to Git as well, if it is not over 64 MiB.
    """
    found = dict(_list_files(folder / ARTIFACTS))
    if not found:
        return Artifacts()
    secret = [name for name in found if looks_secret(name, start.secrets)]
    candidates = [Candidate(name, file.stat().st_size) for name, file in found.items() if name not in secret]
    taken, _ = choose(candidates, start.limits, ())
    small = {name: found[name].read_bytes() for name in taken}
    problems = [f"artifact '{name}' is not kept: it looks secret" for name in secret]
    pointers, contents, left = _cache(start, {one.path: found[one.path] for one in candidates if one.path not in small})
    large = _keep_without_cache(left, {one.path: one.size for one in candidates}, problems)
    oids = store_files(repository, [found[name] for name in large]) if large else []
    kept: dict[str, bytes | str] = {**small, **dict(zip(large, oids, strict=True))}
    names = sorted([*kept, *(pointer.path.removeprefix(FOLDER) for pointer in pointers)])
    files = {FOLDER + name: content for name, content in kept.items()}
    return Artifacts(tuple(names), {**contents, **files}, tuple(pointers), tuple(problems))


def _list_files(place: Path) -> Iterator[tuple[str, Path]]:
    """Whatever lies there by a name that can be: the file of an artifact is there before the entry that tells of it."""
    for file in sorted(place.rglob("*")):
        if file.is_file() and not file.is_symlink():
            try:
                yield check_name(file.relative_to(place).as_posix()), file
            except ExptrackError:
                continue


def _cache(
    start: Start, files: Mapping[str, Path]
) -> tuple[list[Pointer], dict[str, bytes], dict[str, DataError | OSError | None]]:
    """Pointers and their files; and what the cache did not take, with the reason: None if there is no DVC project."""
    pointers, contents = [], {}
    left: dict[str, DataError | OSError | None] = {}
    for name, file in files.items():
        try:
            kept = keep(start, file, FOLDER + name, is_final=True)
        except (DataError, OSError) as error:
            left[name] = error
            continue
        if kept is None:
            left[name] = None
        else:
            pointers.append(kept.pointer)
            contents[kept.pointer.source] = kept.content
    return pointers, contents, left


def _keep_without_cache(
    left: Mapping[str, DataError | OSError | None], sizes: Mapping[str, int], problems: list[str]
) -> list[str]:
    """Which of what is left can be a blob; each that cannot is a problem, and so is a broken or full cache."""
    for name, error in left.items():
        if sizes[name] > LARGEST_FILE:
            problems.append(
                explain_homeless(name) if error is None else f"artifact '{name}' is not kept: {explain(error)}"
            )
        elif error is not None:
            problems.append(f"artifact '{name}' is in the run's commit, not in the DVC cache: {explain(error)}")
    large = [name for name in left if sizes[name] <= LARGEST_FILE]
    if advised := [name for name in large if left[name] is None]:
        problems.append(_advise(advised))
    return large


def _advise(names: Sequence[str]) -> str:
    return f"large artifacts are in the run's commit ({name_few(names, _NAMED)}): `exptrack init` keeps large files out of Git"
