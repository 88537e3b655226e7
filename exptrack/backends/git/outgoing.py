"""Refs of a moment, from which many refs are pushed at once.

Git compares each refspec with each ref on both sides: 1,000 of them took 8 s where there were 10,000 refs, a pattern 0.2 s. But a pattern
would take along a run that was recorded meanwhile, so what it stands for is set up apart, below refs/worktree/exptrack/, which git never packs.

They are written as git keeps loose refs, beside their place, and moved there and away as one folder. By `git update-ref` 1,000 took 0.38 s
on a disk that others use, in this way 0.17.
"""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

from exptrack.backends.git import command
from exptrack.backends.git.refs import list_refs
from exptrack.backends.git.repository import Repository
from exptrack.errors import RepositoryError

_PLACE = "refs/worktree/exptrack/"
_PREFIX = "outgoing-"
_ABANDONED = 3600  # seconds; a push needs them only while it begins
# They may get lost with the machine; to be sure that they do not took 3 s for 1,000 where others use the disk.
_SETTINGS = ("core.packedRefsTimeout=1000", "core.logAllRefUpdates=false", "core.fsync=-reference")
_WORDS = (*(word for setting in _SETTINGS for word in ("-c", setting)), "update-ref", "--stdin")


@contextmanager
def lent(repository: Repository, oids: Mapping[str, str]) -> Iterator[str]:
    """A refspec that creates these refs on a remote, each at its oid, and nothing else."""
    started = f"{int(time.time())}-{os.urandom(8).hex()}"
    copies = {ref.removeprefix("refs/"): oid for ref, oid in oids.items()}
    lend = _lent_by_git if (repository.common_dir / "reftable").is_dir() else _lent_as_files
    with lend(repository, started, copies):
        yield f"{_PLACE}{started}/*:refs/*"


@contextmanager
def _lent_as_files(repository: Repository, started: str, oids: Mapping[str, str]) -> Iterator[None]:
    place = repository.git_dir / _PLACE / started
    apart = repository.private / f"{_PREFIX}{started}"
    _sweep(place.parent, "")
    _sweep(apart.parent, _PREFIX)
    try:
        try:
            _write(apart, oids)
            place.parent.mkdir(parents=True, exist_ok=True)
            apart.rename(place)
        except OSError as error:
            raise RepositoryError(
                f"the refs to push cannot be set up below {place.parent}: {error.strerror}"
            ) from error
        yield
    finally:
        with suppress(OSError):
            place.rename(apart)
        shutil.rmtree(apart, ignore_errors=True)


def _write(top: Path, oids: Mapping[str, str]) -> None:
    for folder in {path.rpartition("/")[0] for path in oids}:
        (top / folder).mkdir(parents=True, exist_ok=True)
    for path, oid in oids.items():
        with open(f"{top}/{path}", "w", encoding="ascii") as file:  # noqa: PTH123 - a Path takes as long as the file
            file.write(f"{oid}\n")


def _sweep(folder: Path, prefix: str) -> None:
    """Remove what killed pushes have left."""
    now = time.time()
    for path in folder.glob(f"{prefix}*"):
        if now - _started(path.name.removeprefix(prefix)) > _ABANDONED:
            shutil.rmtree(path, ignore_errors=True)


def _started(name: str) -> int:
    text = name.partition("-")[0]
    return int(text) if text.isdecimal() else 0


@contextmanager
def _lent_by_git(repository: Repository, started: str, oids: Mapping[str, str]) -> Iterator[None]:
    """The same where git keeps refs in another way."""
    now = time.time()
    left = [ref for ref in list_refs(repository, _PLACE) if now - _started(ref.removeprefix(_PLACE)) > _ABANDONED]
    if left:
        _update(repository, "".join(f"delete {ref}\n" for ref in left))
    refs = {f"{_PLACE}{started}/{path}": oid for path, oid in oids.items()}
    try:
        created = _update(repository, "".join(f"create {ref} {oid}\n" for ref, oid in refs.items()))
        if created.code:
            raise RepositoryError(f"the refs to push cannot be set up below {_PLACE}: {command.reason(created.err)}")
        yield
    finally:
        _update(repository, "".join(f"delete {ref}\n" for ref in refs))


def _update(repository: Repository, lines: str) -> command.Done:
    return command.call(repository.top, *_WORDS, stdin=os.fsencode(lines), environ=repository.environ)
