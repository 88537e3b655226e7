"""Outputs: what `-o` names, kept through DVC."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path, PurePosixPath

from exptrack.backends import dvc
from exptrack.backends.git import index as git_index
from exptrack.backends.git.repository import Repository
from exptrack.errors import DataError, explain
from exptrack.model.data import Pointer
from exptrack.operations.context import Context
from exptrack.store import runs
from exptrack.store.start import Start, is_written


def check_outputs(context: Context, directory: Path, asked: Sequence[str], root: Path | None) -> tuple[str, ...]:
    """The paths of `-o`, seen from `directory`, and those of `capture.outputs`, relative to the repository's root.

    Raises DataError for what could not be kept afterwards; `root` is that of the DVC project.
    """
    paths = [(path, context.folder / path) for path in context.settings.capture.outputs]
    paths += [(path, directory.resolve() / path) for path in asked]
    if paths and root is None:
        raise DataError("`-o` needs a DVC project to keep data in: run `exptrack init` first")
    return tuple(
        dict.fromkeys(_check(context.repository, typed, path, root) for typed, path in paths if root is not None)
    )


def _check(repository: Repository, typed: str, path: Path, root: Path) -> str:
    # A slot is never named: what is `typed` is seen from the user's work tree.
    inside = path.parent.resolve() / path.name if path.name not in {"", ".."} else path.resolve()
    if not inside.is_relative_to(root) or inside == root:
        raise DataError(f"-o {typed}: lies outside the DVC project; name a path inside it")
    relative = inside.relative_to(repository.top).as_posix()
    if git_index.is_tracked(repository, relative):
        raise DataError(
            f"-o {typed}: is tracked by Git; run `git rm --cached {relative}` first, so that DVC can keep it"
        )
    return relative


def keep_output(start: Start, path: str, problems: list[str]) -> Pointer | None:
    """Put what `-o` names into the DVC cache, if this run wrote it."""
    top = Path(start.top)
    if not is_written(start, path):
        said = "was not written by this run" if (top / path).exists() else "is not there"
        problems.append(f"-o {path}: {said}; nothing was kept of it")
        return None
    root = dvc.find_root(top / start.record.project, top)
    if root is None:
        problems.append(f"-o {path}: the DVC project is gone; nothing was kept of it")
        return None
    try:
        return dvc.add_to_cache(root, top / path, top)._replace(source=f"{path}.dvc")
    except (DataError, OSError) as error:
        problems.append(f"-o {path}: {explain(error)}")
        return None


def pointer_files(
    repository: Repository, snapshot: str, pointer: Pointer, files: Mapping[str, bytes]
) -> dict[str, bytes]:
    """A `.dvc` file, and `.gitignore` with the line that keeps the data itself out of Git."""
    path = PurePosixPath(pointer.path)
    ignore = str(path.with_name(".gitignore"))
    before = files.get(ignore)
    if before is None:
        before = runs.read_files(repository, snapshot, [ignore]).get(ignore, b"")
    line = dvc.ignore_line(path.name).encode(errors="surrogateescape")
    named = {pointer.source: dvc.dvc_file_text(pointer).encode(errors="surrogateescape")}
    if line in before.splitlines():
        return named
    return named | {ignore: before + (b"\n" if before and not before.endswith(b"\n") else b"") + line + b"\n"}
