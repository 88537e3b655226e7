"""The histories of a run: from the stream of its journal to the files of its commit."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from exptrack.analysis.history import Logged, format_history, gather, path_of
from exptrack.errors import DataError, explain
from exptrack.model.data import Pointer
from exptrack.store.journal import read_stream
from exptrack.store.start import Start

if TYPE_CHECKING:
    from exptrack.analysis.points import Points

FOLDER = ".exptrack/history/"


class Histories(NamedTuple):
    """What the record says of histories, and the files of the run commit that hold them."""

    files: Mapping[str, bytes]
    thinned: Mapping[str, int] = {}
    kept: tuple[Pointer, ...] = ()
    problems: tuple[str, ...] = ()


def read_logged(folder: Path) -> Logged:
    """All that a journal's stream says; read it once, a million entries take seconds."""
    return gather(read_stream(folder))


def compose_histories(start: Start, folder: Path, histories: Mapping[str, Points]) -> Histories:
    """Long ones are thinned, and kept whole in the DVC cache, or in the run commit where there is none. `folder` is the journal."""
    if not histories:
        return Histories({})
    from exptrack.analysis.thinning import thin

    files = {}
    long: dict[str, Points] = {}
    for metric, points in histories.items():
        some = thin(points)
        if some is not points:
            long[metric] = points
        files[FOLDER + path_of(metric)] = format_history(metric, some)
    if not long:
        return Histories(files)
    whole = _keep_whole(start, folder, long)
    return whole._replace(
        files={**files, **whole.files}, thinned={metric: len(points) for metric, points in long.items()}
    )


def _keep_whole(start: Start, folder: Path, long: Mapping[str, Points]) -> Histories:
    from exptrack.analysis.wholefile import encode_whole
    from exptrack.operations.recording.keeping import keep

    path, content = encode_whole(long)
    file = folder / path.rpartition("/")[2]
    problems: tuple[str, ...] = ()
    try:
        file.write_bytes(content)
        if kept := keep(start, file, path):
            return Histories({kept.pointer.source: kept.content}, kept=(kept.pointer,))
    except (DataError, OSError) as error:
        problems = (f"{path} is in the run's commit, not in the DVC cache: {explain(error)}",)
    finally:
        with suppress(OSError):
            file.unlink(missing_ok=True)
    return Histories({path: content}, problems=problems)
