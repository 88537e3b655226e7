"""The artifacts of a run: from the folder of its journal to its commit, or the DVC cache."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from exptrack.analysis.artifacts import FOLDER, check_name, explain_homeless
from exptrack.analysis.secrets import looks_secret
from exptrack.analysis.selection import Candidate, choose
from exptrack.analysis.trust import LARGEST_FILE
from exptrack.analysis.wording import counted, name_few
from exptrack.errors import DataError, ExptrackError, explain
from exptrack.model.data import Pointer
from exptrack.operations.recording.keeping import keep
from exptrack.store.journal import ARTIFACTS
from exptrack.store.start import Start

_NAMED = 5


class Artifacts(NamedTuple):
    """What the record says of artifacts, and the files of the run commit: those that are small, and pointer files of the others."""

    names: tuple[str, ...] = ()
    files: Mapping[str, bytes] = {}
    kept: tuple[Pointer, ...] = ()
    problems: tuple[str, ...] = ()


def collect_artifacts(start: Start, folder: Path) -> Artifacts:
    """Those in the journal `folder`. What the limits let into Git goes there, smaller and earlier ones first; the rest into the DVC cache."""
    found = dict(_list_files(folder / ARTIFACTS))
    if not found:
        return Artifacts()
    secret = [name for name in found if looks_secret(name, start.secrets)]
    candidates = [Candidate(name, file.stat().st_size) for name, file in found.items() if name not in secret]
    taken, _ = choose(candidates, start.limits, ())
    small = {name: found[name].read_bytes() for name in taken}
    problems = [f"artifact '{name}' is not kept: it looks secret" for name in secret]
    large = {one.path: found[one.path] for one in candidates if one.path not in small}
    pointers, contents = _keep_large(start, large, small, problems)
    names = sorted([*small, *(pointer.path.removeprefix(FOLDER) for pointer in pointers)])
    files = {FOLDER + name: content for name, content in small.items()}
    return Artifacts(tuple(names), {**contents, **files}, tuple(pointers), tuple(problems))


def _list_files(place: Path) -> Iterator[tuple[str, Path]]:
    """Whatever lies there by a name that can be: the file of an artifact is there before the entry that tells of it."""
    for file in sorted(place.rglob("*")):
        if file.is_file() and not file.is_symlink():
            try:
                yield check_name(file.relative_to(place).as_posix()), file
            except ExptrackError:
                continue


def _keep_large(
    start: Start, files: Mapping[str, Path], small: dict[str, bytes], problems: list[str]
) -> tuple[list[Pointer], dict[str, bytes]]:
    """Pointers, and their files. What a broken or full cache does not take goes to the `small` ones, if it can be."""
    pointers, contents = [], {}
    homeless = []
    for name, file in files.items():
        try:
            kept = keep(start, file, FOLDER + name, is_final=True)
        except (DataError, OSError) as error:
            if file.stat().st_size > LARGEST_FILE:
                problems.append(f"artifact '{name}' is not kept: {explain(error)}")
                continue
            small[name] = file.read_bytes()
            problems.append(f"artifact '{name}' is in the run's commit, not in the DVC cache: {explain(error)}")
            continue
        if kept is None:
            homeless.append(name)
        else:
            pointers.append(kept.pointer)
            contents[kept.pointer.source] = kept.content
    problems += [explain_homeless(name) for name in homeless if files[name].stat().st_size > start.limits.file_size]
    if crowded := [name for name in homeless if files[name].stat().st_size <= start.limits.file_size]:
        problems.append(_explain_crowded(crowded))
    return pointers, contents


def _explain_crowded(names: Sequence[str]) -> str:
    return (
        f"{counted(len(names), 'artifact')} not kept ({name_few(names, _NAMED)}): all together they are too many or too large for Git "
        "(capture.limits), and there is no DVC project to keep them in; run `exptrack init`, or raise the limits"
    )
