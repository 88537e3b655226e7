"""What scripts log besides numbers: files, texts, figures, images, tables.

Each is a whole file in the journal before the call returns: it is written under a name of the moment, and renamed. Threads and forked
processes may log at the same time; of one name the later content stays.
"""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Callable
from contextlib import suppress
from functools import partial, wraps
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, Concatenate, ParamSpec

from exptrack.errors import ExptrackError
from exptrack.tracking.values import as_text

if TYPE_CHECKING:
    from exptrack.tracking.run import ActiveRun

_PARTIAL = "partial"
_FULL = frozenset({errno.ENOSPC, errno.EDQUOT})
_CLASH = (NotADirectoryError, FileExistsError, IsADirectoryError)
_P = ParamSpec("_P")


def _go_on(log: Callable[Concatenate[ActiveRun, _P], None]) -> Callable[Concatenate[ActiveRun, _P], None]:
    """Where not even our own modules can be read, since too many files are open, that is told, as all that the disk does."""

    @wraps(log)
    def tell(run: ActiveRun, /, *given: _P.args, **named: _P.kwargs) -> None:
        try:
            log(run, *given, **named)
        except OSError as error:
            run.warn(f"{log.__name__} could keep nothing: {error.strerror}")

    return tell


@_go_on
def log_artifact(run: ActiveRun, path: str | Path, name: str | None = None) -> None:
    """A file, as it is now, under its own name or `name`, which may have folders; one that ends in a slash is that of a folder.

    What was logged under this name before is replaced. A folder is logged as by `log_artifacts`. What cannot be read, looks secret by its
    name, or has a name that cannot be, is told by an `ExptrackWarning` and named in the record; the script goes on.
    """
    source = _as_path(run, path)
    if source is None:
        return
    if source.is_dir():
        log_artifacts(run, source, name)
        return
    asked = source.name if name is None else name
    checked = _check_name(run, f"{asked}{source.name}" if str(asked).endswith("/") else asked)
    if checked is None:
        return
    if _looks_secret(run, source.name):
        run.warn(f"artifact '{path}' looks secret: it is not kept; capture.secrets in exptrack.yaml can let it through")
        return
    _put_file(run, checked, source)


@_go_on
def log_artifacts(run: ActiveRun, folder: str | Path, name: str | None = None) -> None:
    """All files below a folder, as they are now, below the folder's own name, or `name` (`.`: below none).

    Links are followed if they stay inside of the folder. What is left out is named: links that leave it, what looks secret, what is no
    regular file.
    """
    source = _as_path(run, folder)
    if source is None:
        return
    if not source.is_dir():
        run.warn(
            f"artifacts of '{folder}' are not kept: {'it is a file' if source.exists() else 'there is no such folder'}"
        )
        return
    from exptrack.analysis.artifacts import check_name
    from exptrack.analysis.wording import name_few
    from exptrack.tracking.folders import list_files

    asked = source.resolve().name if name is None else name
    above = "" if asked in {".", "./"} else _check_name(run, asked)
    if above is None:
        return
    found, left = list_files(source)
    for inside in sorted(found):
        if _looks_secret(run, inside):
            left[inside] = "looks secret"
            continue
        try:
            checked = check_name(f"{above}/{inside}" if above else inside)
        except ExptrackError:
            left[ascii(inside)[1:-1]] = "has a name that an artifact cannot have"
            continue
        _put_file(run, checked, found[inside])
    if left:
        told = name_few([f"{inside} ({reason})" for inside, reason in sorted(left.items())], 10)
        run.warn(f"artifacts of '{folder}' left out: {told}")


@_go_on
def log_text(run: ActiveRun, text: object, name: str) -> None:
    """A text as a file, in UTF-8; of anything else what `str` says of it, and bytes as they are."""
    data = text if isinstance(text, bytes) else as_text(text).encode(errors="surrogatepass")
    _log_bytes(run, name, lambda _: (data, ""))


@_go_on
def log_figure(run: ActiveRun, figure: object, name: str) -> None:
    """A figure of matplotlib or plotly; the suffix of `name` says the format.

    matplotlib writes what it can (png, svg, pdf, …; png without a suffix), plotly html and json (html without a suffix; it loads
    plotly.js from the net), and images where kaleido is installed.
    """
    from exptrack.tracking.drawing import encode_figure

    _log_bytes(run, name, partial(encode_figure, figure))


@_go_on
def log_image(run: ActiveRun, image: object, name: str) -> None:
    """An image of Pillow, or an array: height x width, or with 1, 3 or 4 channels last; of tensors of PyTorch first.

    Arrays are truth values, whole numbers from 0 to 255, or floats from 0 to 1. They are written as png; other formats need Pillow.
    """
    from exptrack.tracking.drawing import encode_image

    _log_bytes(run, name, partial(encode_image, image))


@_go_on
def log_table(run: ActiveRun, table: object, name: str) -> None:
    """A frame of pandas or polars, a mapping of columns, or a list of mappings or rows, as csv, tsv, json or parquet; csv without a suffix."""
    from exptrack.tracking.tables import encode_table

    _log_bytes(run, name, partial(encode_table, table))


def _as_path(run: ActiveRun, path: object) -> Path | None:
    if run.folder is None or run.is_over:
        return None
    given: object = os.fspath(path) if isinstance(path, os.PathLike) else path
    if isinstance(given, str) and "\0" not in given:
        return Path(given)
    run.warn(f"an artifact is {as_text(path)[:100]!r}: give the path of a file")
    return None


def _check_name(run: ActiveRun, name: object) -> str | None:
    from exptrack.analysis.artifacts import check_name

    try:
        checked = check_name(name)
    except ExptrackError as error:
        run.warn(str(error))
        return None
    if _looks_secret(run, checked):
        run.warn(
            f"artifact '{checked}' looks secret: it is not kept; capture.secrets in exptrack.yaml can let it through"
        )
        return None
    return checked


def _looks_secret(run: ActiveRun, name: str) -> bool:
    from exptrack.analysis.secrets import looks_secret
    from exptrack.tracking.limits import find_limits

    return run.folder is not None and looks_secret(name, find_limits(run.folder).secrets)


def _log_bytes(run: ActiveRun, name: str, encode: Callable[[str], tuple[bytes, str]]) -> None:
    """What `encode` makes for a name, and the suffix that the name lacks for it; ExptrackError says what is wrong with it."""
    if run.folder is None or run.is_over or (checked := _check_name(run, name)) is None:
        return
    try:
        data, suffix = encode(checked)
    except ExptrackError as error:
        run.warn(f"artifact '{checked}' is not kept: {error}")
        return
    if suffix and (checked := _check_name(run, checked + suffix)) is None:
        return
    if _put(run, checked, lambda new: _write(new, data)):
        _tell_large(run, checked, len(data))


def _write(new: Path, data: bytes) -> None:
    new.write_bytes(data)


def _put_file(run: ActiveRun, name: str, source: Path) -> None:
    try:
        reader = _open(source)
    except OSError as error:
        run.warn(f"artifact '{source}' cannot be read: {error.strerror}; it is not kept")
        return
    from exptrack.tracking.copying import copy_file

    with reader:
        size = os.fstat(reader.fileno()).st_size
        if _put(run, name, partial(copy_file, reader, str(source))):
            _tell_large(run, name, size)


def _open(source: Path) -> BinaryIO:
    # A pipe would be waited for.
    if not stat.S_ISREG(source.stat().st_mode):
        raise OSError(errno.EINVAL, "it is no regular file")
    return source.open("rb", buffering=0)


def _put(run: ActiveRun, name: str, write: Callable[[Path], None]) -> bool:
    """Whether the file that `write` makes is in the journal under this name; why not is told."""
    from exptrack.store.journal import ARTIFACTS

    if run.folder is None:
        return False
    new = run.folder / _PARTIAL / f"{os.getpid()}-{os.urandom(6).hex()}"
    target = run.folder / ARTIFACTS / name
    try:
        new.parent.mkdir(exist_ok=True)
        write(new)
        target.parent.mkdir(parents=True, exist_ok=True)
        new.replace(target)
    except _CLASH:
        run.warn(
            f"artifact '{name}' is not kept: the run has a file where that would be a folder, or a folder of this name"
        )
        return False
    except OSError as error:
        _tell_failure(run, name, error)
        return False
    finally:
        with suppress(OSError):
            new.unlink(missing_ok=True)
    run.write("artifact", path=name)
    return True


def _tell_failure(run: ActiveRun, name: str, error: OSError) -> None:
    """Each is named in the record; the user hears of a full disk once."""
    if error.errno in _FULL:
        run.warn(f"artifacts cannot be written down: {error.strerror}; the script goes on")
        run.write("problem", text=f"artifact '{name}' is not kept: {error.strerror}")
    else:
        run.warn(f"artifact '{name}' is not kept: {error.strerror}")


def _tell_large(run: ActiveRun, name: str, size: int) -> None:
    from exptrack.analysis.artifacts import explain_homeless
    from exptrack.analysis.trust import LARGEST_FILE
    from exptrack.tracking.limits import find_limits

    if run.folder is None or size <= LARGEST_FILE:
        return
    limits = find_limits(run.folder)
    if size > limits.size and not limits.has_cache:
        run.warn(explain_homeless(name))
