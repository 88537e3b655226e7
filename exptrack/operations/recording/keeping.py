"""What exptrack itself puts into the DVC cache for a run: whole histories, large artifacts. It goes where the run goes, and never into a work tree."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from exptrack.backends import dvc
from exptrack.model.data import Pointer
from exptrack.store.start import Start


class Kept(NamedTuple):
    """The pointer for `kept` of the record, and the content of the pointer file, which goes into the run commit at `pointer.source`."""

    pointer: Pointer
    content: bytes


def keep(start: Start, file: Path, path: str, *, is_final: bool = False) -> Kept | None:
    """Put a file into the DVC cache as what the run has at `path`, below `.exptrack/`; None where there is no DVC project.

    `is_final`: nobody will write to the file any more, so that it can be linked. Raises DataError if that cannot be.
    """
    top = Path(start.top)
    root = dvc.find_root(top / start.record.project, top)  # as `needs.list_kept` says
    if root is None:
        return None
    from exptrack.backends.dvc.config import find_cache
    from exptrack.backends.dvc.objects import put_file, reading, sweep, take_file

    cache = find_cache(root)
    sweep(cache)
    if is_final:
        digest, size = take_file(cache, file)
    else:
        with reading(file):
            status = file.stat()
        digest, size = put_file(cache, str(file), status, None)
    pointer = Pointer(path, digest, size=size, source=f"{path}.dvc")
    return Kept(pointer, dvc.dvc_file_text(pointer).encode(errors="surrogateescape"))
