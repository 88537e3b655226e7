"""Fetch objects without writing a ref, FETCH_HEAD, or anything else of the user's."""

from __future__ import annotations

import os
import re
import shutil
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from exptrack.backends.git import command, network
from exptrack.backends.git.refusals import explain, find_reason, is_broken
from exptrack.backends.git.remotes import GitRemote
from exptrack.backends.git.repository import Repository
from exptrack.errors import RepositoryError
from exptrack.model.progress import Progress

_PREFIX = "fetch-"
_ABANDONED = 24 * 3600.0  # seconds
_PATIENCE = 100  # fetches, to find broken objects among many; one costs about seven among a hundred

# What a user may have set for his own fetches, and that would add to ours or change them.
_WORDS = (
    "fetch", "--stdin", "--no-tags", "--no-prune", "--no-prune-tags", "--refmap=", "--no-recurse-submodules", "--no-auto-maintenance",
    "--no-write-commit-graph", "--no-filter", "--no-show-forced-updates",
)  # fmt: skip
# Git refuses broken objects. These are no danger, and there are old projects whose history has them.
_QUIRKS = (
    "badDate", "badDateOverflow", "badEmail", "badName", "badTimezone", "missingEmail", "missingNameBeforeEmail",
    "missingSpaceBeforeDate", "missingSpaceBeforeEmail", "multipleAuthors", "zeroPaddedDate", "zeroPaddedFilemode",
)  # fmt: skip
# A remote that is a shallow clone; git brings its objects and exits with 0, but they are not whole.
_CUT = re.compile(r"^warning: rejected (\S+) because shallow roots are not allowed", re.MULTILINE)
# Names that no file can have, or not beside each other: only a hostile remote has both `a` and `a/b`.
_UNWRITABLE = re.compile(
    r"cannot lock ref|unable to update local ref|some local refs could not be updated|File name too long"
)
_FOLDERS = {"branch ": "refs/heads/", "tag ": "refs/tags/", "remote-tracking branch ": "refs/remotes/"}
# A fetch has no hook but the one that sees refs change, and no ref of the user's does.
_SETTINGS = ("core.hooksPath=/dev/null", "fetch.fsckObjects=true", *(f"fetch.fsck.{quirk}=warn" for quirk in _QUIRKS))


def fetch_each(
    repository: Repository, remote: GitRemote, oids: Sequence[str], progress: Progress | None, *, is_halving: bool
) -> dict[str, str]:
    """Bring commits and all that they reach; gives why which of them were refused.

    Raises RepositoryError if that does not come about, and, unless it `is_halving` to find those at fault, if one is refused.
    """
    refused: dict[str, str] = {}
    parts = [list(oids)]
    for _ in range(_PATIENCE):
        if not parts:
            return refused
        part = parts.pop()
        done = _fetch(repository, remote, part, progress, "--no-write-fetch-head")
        cut = _CUT.findall(done.err)
        if (done.code or cut) and not (is_halving and (cut or is_broken(done))):
            raise explain(remote, "fetch from", done)
        if not done.code:
            refused |= dict.fromkeys(cut, "the remote has only a part of its history")
        elif len(part) == 1:
            refused[part[0]] = find_reason(done)
        else:
            parts += [part[len(part) // 2 :], part[: len(part) // 2]]
    return refused | {oid: "left out, since too much of what came is broken" for part in parts for oid in part}


def fetch_matching(
    repository: Repository, remote: GitRemote, patterns: Iterable[str], progress: Progress | None, *, is_patient: bool
) -> dict[str, str] | None:
    """Bring the refs that match patterns; gives them with their oids, as FETCH_HEAD in a folder of the moment has them.

    If that does not work for all of them, it is None if it `is_patient`, else a RepositoryError.
    """
    with _scratch(repository) as folder:
        # Git demands a place for what a pattern finds. These refs belong to the folder.
        wanted = [f"+{pattern}:refs/worktree/{pattern}" for pattern in patterns]
        done = _fetch(repository, remote, wanted, progress, git_dir=folder)
        is_cut = _CUT.search(done.err) is not None
        if is_patient and (is_cut or (done.code and (is_broken(done) or _UNWRITABLE.search(done.err)))):
            return None
        if done.code or is_cut:
            raise explain(remote, "fetch from", done)
        try:
            text = (folder / "FETCH_HEAD").read_text(encoding="utf-8", errors="surrogateescape")
        except FileNotFoundError:
            return {}
    lines = (line.split("\t", 2) for line in text.split("\n")[:-1])
    return {_parse_name(what): oid for oid, _, what in lines}


def _parse_name(what: str) -> str:
    """The ref in a line of FETCH_HEAD: `'refs/exptrack/…' of URL`, or `branch 'main' of URL`."""
    kind, _, rest = what.partition("'")
    return _FOLDERS.get(kind, "") + rest.partition(" ")[0][:-1]


def _fetch(
    repository: Repository,
    remote: GitRemote,
    wanted: Iterable[str],
    progress: Progress | None,
    *words: str,
    git_dir: Path | None = None,
) -> command.Done:
    settings = (word for setting in _SETTINGS for word in ("-c", setting))
    arguments = (*settings, *_WORDS, *words, network.progress_word(progress), "--end-of-options", remote.name)
    lines = os.fsencode("".join(f"{word}\n" for word in wanted))
    return network.talk(repository, *arguments, stdin=lines, progress=progress, git_dir=git_dir)


@contextmanager
def _scratch(repository: Repository) -> Iterator[Path]:
    """A folder that git takes for the private one of another work tree: FETCH_HEAD and refs/worktree/ are its own, all else is ours.

    It lies in the repository, and has its HEAD, so that `includeIf` finds the same settings.
    """
    folder = repository.shared / f"{_PREFIX}{os.urandom(8).hex()}"
    try:
        _sweep(repository)
        folder.mkdir(parents=True)
        (folder / "HEAD").write_bytes((repository.git_dir / "HEAD").read_bytes())
        (folder / "commondir").write_bytes(os.fsencode(repository.common_dir) + b"\n")
        if (repository.git_dir / "config.worktree").exists():
            (folder / "config.worktree").symlink_to(repository.git_dir / "config.worktree")
        if (repository.common_dir / "reftable").is_dir():
            (folder / "reftable").mkdir()
    except OSError as error:
        shutil.rmtree(folder, ignore_errors=True)
        raise RepositoryError(f"cannot write below {repository.shared}: {error.strerror}") from error
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _sweep(repository: Repository) -> None:
    """Remove what killed fetches have left."""
    for folder in repository.shared.glob(f"{_PREFIX}*"):
        with suppress(OSError):
            if time.time() - folder.stat().st_mtime > _ABANDONED:
                shutil.rmtree(folder, ignore_errors=True)
