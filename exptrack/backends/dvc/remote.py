"""A remote of DVC as the config says now, opened by DVC; what goes wrong with one, in our words."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Final, NamedTuple

from exptrack.analysis.secrets import mask
from exptrack.errors import DataError, explain

_LOGGERS: Final = ("dvc", "dvc_data", "dvc_objects", "asyncio")


class Remote(NamedTuple):
    """A remote of DVC: its name, its `dvc_objects.fs.base.FileSystem`, and its path there."""

    name: str
    fs: Any
    path: str

    def object(self, digest: str, algorithm: str) -> str:
        """Where the data of a digest lies; as in the cache, hashes of DVC 2 (`md5-dos2unix`) have another layout."""
        layout = () if algorithm == "md5-dos2unix" else ("files", "md5")
        return str(self.fs.join(self.path, *layout, digest[:2], digest[2:]))

    def url(self, path: str) -> str:
        """How a path is shown: without credentials."""
        return mask(str(self.fs.unstrip_protocol(path))).removeprefix("file://")

    def is_there(self) -> bool:
        """Whether its folder is there, as far as one can know: one that may not be listed may still be read."""
        with suppress(Exception):
            return not self.fs.CAN_TRAVERSE or bool(self.fs.exists(self.path))
        return True


@contextmanager
def open_remote(root: Path, name: str | None, path: str) -> Iterator[Remote]:
    """The remote `name` of the DVC project at `root`, or its default one, to fetch the data of `path`. Raises DataError."""
    # Not by dvc.repo.Repo, which takes four times as long, and a database that several processes share.
    from dvc.config import Config
    from dvc.exceptions import DvcException
    from dvc.fs import get_cloud_fs

    try:
        config = Config(str(root / ".dvc"))
    except (DvcException, OSError) as error:
        raise DataError(
            f"cannot fetch {path}: the DVC config in {root} is broken, {said(error)}; mend it with a text editor"
        ) from error
    chosen = _choose(root, name or config["core"].get("remote"), sorted(config["remote"]), path)
    with explained(chosen, path):
        try:
            kind, options, folder = get_cloud_fs(config, name=chosen)
        except ImportError as error:
            scheme = str(config["remote"][chosen.lower()].get("url", "")).partition("://")[0]
            raise DataError(
                f"cannot fetch {path} from the remote '{chosen}': {said(error)}; "
                f"install it with `pip install 'dvc[{scheme}]'`"
            ) from error
        if options.get("version_aware") or options.get("worktree"):
            raise DataError(
                f"cannot fetch {path} from the remote '{chosen}', which keeps files and not hashes; get it with `dvc pull`"
            )
        fs = kind(**options)
        close = _connect(fs)
    try:
        yield Remote(chosen, fs, folder)
    finally:
        close()


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


def _choose(root: Path, name: str | None, names: Sequence[str], path: str) -> str:
    where = f"{path} is not in the DVC cache, and the DVC project at {root} has"
    if not names:
        raise DataError(f"{where} no remote to fetch it from: add one with `dvc remote add -d NAME URL`")
    there = ", ".join(names)
    if name is None:
        raise DataError(f"{where} no default remote: choose one of {there} with `dvc remote default NAME`")
    if name.lower() not in names:
        raise DataError(f"{where} no remote '{name}': choose one of {there}")
    return name


@contextmanager
def explained(name: str, path: str) -> Iterator[None]:
    """Errors of the many libraries behind DVC's remotes as DataError; only what is not there stays a FileNotFoundError."""
    try:
        yield
    except (FileNotFoundError, DataError):
        raise
    except Exception as error:
        raise DataError(
            f"cannot fetch {path} from the remote '{name}': {said(error)}; "
            "check its url, your credentials and the connection"
        ) from error


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
