"""A remote of DVC as the config says now, opened by DVC; what goes wrong with one, in our words."""

from __future__ import annotations

import errno
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Final, NamedTuple

from exptrack.analysis.secrets import mask
from exptrack.backends.dvc.config import split_digest
from exptrack.backends.dvc.parallel import StoppedError
from exptrack.backends.dvc.remoteconfig import find_base, load_config
from exptrack.errors import DataError, explain

NO_REMOTE: Final = "no DVC remote is configured in this clone"
GET_REMOTE: Final = (
    "`git pull` brings it once somebody has committed .dvc/config, or add one with `dvc remote add -d NAME URL`"
)
_LOGGERS: Final = ("dvc", "dvc_data", "dvc_objects", "asyncio")
_EXTRAS: Final = {"webdavs": "webdav", "gcs": "gs", "abfs": "azure"}
_PREPOSITIONS: Final = {"fetch": "from", "push": "to"}
_FULL: Final = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
_LOCKED: Final = {errno.EROFS, errno.EACCES, errno.EPERM}


class Remote(NamedTuple):
    """A remote of DVC: its name, its `dvc_objects.fs.base.FileSystem`, and its path there.

    `shared` says that a group shares a local one, as `cache.shared` does. `doing` is what errors say it was opened for. `is_certain` says
    that its place does not depend on the work tree.
    """

    name: str
    fs: Any
    path: str
    shared: bool = False
    doing: str = "fetch"
    is_certain: bool = True

    @property
    def is_local(self) -> bool:
        return bool(self.fs.protocol == "local")

    def object(self, digest: str, algorithm: str) -> str:
        """Where the data of a digest lies; as in the cache, hashes of DVC 2 (`md5-dos2unix`) have another layout."""
        layout = () if algorithm == "md5-dos2unix" else ("files", "md5")
        return str(self.fs.join(self.path, *layout, *split_digest(digest)))

    def url(self, path: str) -> str:
        """How a path is shown: without credentials."""
        return mask(str(self.fs.unstrip_protocol(path))).removeprefix("file://")

    def is_there(self) -> bool:
        """Whether its folder is there, as far as one can know: one that may not be listed may still be read."""
        with suppress(Exception):
            return not self.fs.CAN_TRAVERSE or bool(self.fs.exists(self.path))
        return True

    def forget(self) -> None:
        """Forget what was listed: s3fs and others answer from what they have seen, also after somebody else wrote."""
        self.fs.fs.invalidate_cache()


@contextmanager
def open_remote(root: Path, name: str | None, path: str, doing: str = "fetch") -> Iterator[Remote]:
    """The remote `name` of the DVC project at `root`, or its default one, for the data of `path`.

    `doing` is a verb for messages: `fetch`, `push`, or another one. Raises DataError.
    """
    # Not by dvc.repo.Repo, which takes four times as long, and a database that several processes share.
    from dvc.exceptions import DvcException
    from dvc.fs import get_cloud_fs

    try:
        config, uncertain = load_config(root)
    except (DvcException, OSError) as error:
        raise DataError(
            f"cannot {doing} {path}: the DVC config in {root} is broken, {said(error)}; mend it with a text editor"
        ) from error
    chosen = _choose(root, name or config["core"].get("remote"), sorted(config["remote"]), path, doing)
    with explained(chosen, path, doing):
        try:
            kind, options, folder = get_cloud_fs(config, name=chosen)
            _refuse_versions(options, _cannot(doing, path, chosen))
            fs = kind(**options)
            close = _connect(fs)
        except ImportError as error:
            raise DataError(
                f"{_cannot(doing, path, chosen)}: {said(error)}; "
                f"install it with `pip install 'exptrack[{_extra(config, chosen)}]'`"
            ) from error
    try:
        yield Remote(chosen, fs, folder, bool(options.get("shared")), doing, chosen.lower() not in uncertain)
    finally:
        close()


def _refuse_versions(options: Mapping[str, Any], cannot: str) -> None:
    for option in ("worktree", "version_aware"):
        if options.get(option):
            raise DataError(
                f"{cannot}, which keeps files and not hashes (`{option}`), so that data of a run could not be told from "
                "that of another; use `dvc push` and `dvc pull` with it, and another remote for runs"
            )


def _extra(config: Mapping[str, Any], name: str) -> str:
    """What brings the library for a remote: the extra is named as DVC's own."""
    scheme = str(config["remote"].get(find_base(config, name.lower()), {}).get("url", "")).partition("://")[0]
    return _EXTRAS.get(scheme, scheme)


def _connect(fs: Any) -> Callable[[], None]:
    """Connect here and not in many threads at once; gives what closes the connection again."""
    from asyncio import run_coroutine_threadsafe

    inner = fs.fs
    if not hasattr(fs, "get_client"):
        return lambda: None
    # HTTP: each thread would have a session of its own, which stays open, and says so on stderr, if the garbage collector finds it in
    # fsspec's thread.
    session = run_coroutine_threadsafe(inner.set_session(), inner.loop).result()
    return lambda: inner.close_session(inner.loop, session)


def _choose(root: Path, name: str | None, names: Sequence[str], path: str, doing: str) -> str:
    why = f"{path} is not in the DVC cache, and" if doing == "fetch" else f"cannot {doing} {path}:"
    where, otherwise = f"{why} the DVC project at {root} has", ""
    if doing == "push":
        otherwise = ", or push the runs without their data (`--no-data`)"
    if not names:
        if doing == "fetch":
            raise DataError(f"{path} is not in the DVC cache, and {NO_REMOTE}: {GET_REMOTE}")
        raise DataError(f"{where} no remote: add one with `dvc remote add -d NAME URL`{otherwise}")
    there = ", ".join(names)
    if name is None:
        raise DataError(f"{where} no default remote: choose one of {there} with `dvc remote default NAME`{otherwise}")
    if name.lower() not in names:
        raise DataError(
            f"{where} no remote '{name}': choose one of {there}, or add it with `dvc remote add {name} URL`"
        )
    return name


def _cannot(doing: str, path: str, name: str) -> str:
    return f"cannot {doing} {path} {_PREPOSITIONS.get(doing, 'in')} the remote '{name}'"


@contextmanager
def explained(name: str, path: str, doing: str = "fetch") -> Iterator[None]:
    """Errors of the many libraries behind DVC's remotes as DataError; only what is not there stays a FileNotFoundError."""
    try:
        yield
    except (FileNotFoundError, DataError, StoppedError, ImportError, NameError):  # the last is a fault of ours
        raise
    except Exception as error:
        advice = "check its url, your credentials and the connection"
        number = getattr(error, "errno", None)
        if number in _FULL:
            advice = "make room there"
        elif number in _LOCKED and doing == "push":
            advice = "you may read it but not write to it, or not even that: check its permissions and your credentials"
        raise DataError(f"{_cannot(doing, path, name)}: {said(error)}; {advice}") from error


def said(error: Exception) -> str:
    """What a library said, in one line and without credentials."""
    return mask(" ".join(explain(error).split()).rstrip(".")) or type(error).__name__


@contextmanager
def quiet() -> Iterator[None]:
    """What DVC and its libraries would log is told by our errors."""
    import logging

    loggers = [logging.getLogger(name) for name in _LOGGERS]
    levels = [logger.level for logger in loggers]
    try:
        for logger in loggers:
            logger.setLevel(logging.CRITICAL + 1)
        yield
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)
