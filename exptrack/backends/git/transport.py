"""Talk to Git remotes: list, fetch and push refs.

Everything goes through the user's own git, so that credentials, ssh, proxies, `insteadOf` and hooks work as ever. Only the refs that are
asked for are read or written: no branch, tag or remote-tracking branch of the user's, and no FETCH_HEAD.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from fnmatch import fnmatchcase
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

from exptrack.backends.git import command, network
from exptrack.backends.git.objects import empty_oid
from exptrack.backends.git.refusals import explain
from exptrack.backends.git.remotes import GitRemote
from exptrack.backends.git.repository import Repository
from exptrack.model.sharing import Progress, Silence

_BATCH = 1000
_BATCH_BYTES = 200_000  # of words; macOS takes a megabyte of them, with the environment
_ATTEMPTS = 3

# What a user may have set for his own fetches and pushes, and that would add to ours or change them.
_FETCH = (
    "fetch", "--stdin", "--no-tags", "--no-prune", "--no-prune-tags", "--refmap=", "--no-recurse-submodules", "--no-auto-maintenance",
    "--no-write-commit-graph", "--no-filter", "--no-show-forced-updates",
)  # fmt: skip
_PUSH = (
    "push", "--porcelain", "--no-follow-tags", "--no-signed", "--recurse-submodules=no", "--no-force-if-includes",
)  # fmt: skip
# Git refuses broken objects. These are no danger, and there are old projects whose history has them.
_QUIRKS = (
    "badDate", "badDateOverflow", "badEmail", "badName", "badTimezone", "missingEmail", "missingNameBeforeEmail",
    "missingSpaceBeforeDate", "missingSpaceBeforeEmail", "multipleAuthors", "zeroPaddedDate", "zeroPaddedFilemode",
)  # fmt: skip


class Outcome(NamedTuple):
    """What a push did: the refs that the remote has (or has no more) as asked, and why the others are not."""

    done: tuple[str, ...] = ()
    rejected: Mapping[str, str] = {}


def list_remote(repository: Repository, remote: GitRemote, *patterns: str) -> dict[str, str]:
    """The refs of a remote with the oid each points at; of those that match one of the patterns, where there are any.

    In a pattern `*` stands for anything, `/` too. The remote sends all of its refs, so for a few of many `fetch_below` is quicker.
    """
    done = network.talk(repository, "ls-remote", "--refs", "--quiet", remote.name)
    if done.code:
        raise explain(remote, "list the runs of", done)
    pairs = (line.partition("\t") for line in os.fsdecode(done.out).split("\n")[:-1])
    found = {name: oid for oid, _, name in pairs}
    if not patterns:
        return found
    exact = [pattern.replace("[", "[[]").replace("?", "[?]") for pattern in patterns]
    return {name: oid for name, oid in found.items() if any(fnmatchcase(name, pattern) for pattern in exact)}


def fetch_objects(
    repository: Repository, remote: GitRemote, refs: Mapping[str, str], progress: Progress | None = None
) -> None:
    """Bring the objects of these refs of the remote, each with the oid that it was listed with. Writes no ref."""
    if refs:
        done = _fetch(repository, remote, dict.fromkeys(refs.values()), progress, "--no-write-fetch-head")
        if done.code:
            raise explain(remote, "fetch from", done)


def fetch_below(
    repository: Repository, remote: GitRemote, patterns: Sequence[str], progress: Progress | None = None
) -> dict[str, str]:
    """Bring the refs that match the patterns (one `*` in each); gives them as `list_remote` does. Writes no ref.

    The remote itself picks them, if it speaks protocol 2. What it has is read from a FETCH_HEAD in a folder of the moment.
    """
    with _scratch(repository) as folder:
        wanted = [
            f"+{pattern}:refs/worktree/{pattern}" for pattern in patterns
        ]  # git demands a place for what a pattern finds
        done = _fetch(repository, remote, wanted, progress, git_dir=str(folder))
        if done.code:
            raise explain(remote, "fetch from", done)
        try:
            text = (folder / "FETCH_HEAD").read_text(encoding="utf-8", errors="surrogateescape")
        except FileNotFoundError:
            return {}
    lines = (line.split("\t", 2) for line in text.split("\n")[:-1])
    return {what.split(" ", 1)[0].strip("'"): oid for oid, _, what in lines}


def push_refs(
    repository: Repository,
    remote: GitRemote,
    created: Mapping[str, str],
    deleted: Mapping[str, str],
    progress: Progress | None = None,
) -> Outcome:
    """Create refs on the remote, and delete others there, in batches that happen as a whole or not at all.

    `created` are refs and their oids, which the remote must not have, or have at this oid; `deleted` are refs and the oids at which they
    must be, if they are there at all. What is otherwise is `rejected`, and then nothing of its batch is done. Raises RepositoryError
    where the remote refuses.
    """
    none = empty_oid(repository)
    changes = [Change(ref, oid, none) for ref, oid in created.items()] + [
        Change(ref, none, oid) for ref, oid in deleted.items()
    ]
    done: list[str] = []
    rejected: dict[str, str] = {}
    for batch in _batches(changes):
        outcome = _push(repository, remote, batch, progress)
        done += outcome.done
        rejected |= outcome.rejected
    return Outcome(tuple(done), rejected)


def push_notes(repository: Repository, remote: GitRemote, ref: str, new: str, old: str | None) -> bool:
    """Point `ref` of the remote at `new` if it is at `old` there (None: if it is not there); False if it is elsewhere by now."""
    return not _push(repository, remote, [Change(ref, new, old or empty_oid(repository))], None).rejected


def _fetch(
    repository: Repository,
    remote: GitRemote,
    wanted: Iterable[str],
    progress: Progress | None,
    *words: str,
    git_dir: str | None = None,
) -> command.Done:
    settings = (word for key in _QUIRKS for word in ("-c", f"fetch.fsck.{key}=warn"))
    stdin = "".join(f"{word}\n" for word in wanted).encode(errors="surrogateescape")
    arguments = (
        "-c", "fetch.fsckObjects=true", *settings, *_FETCH, *words, *_progress_word(progress), "--end-of-options", remote.name,
    )  # fmt: skip
    return network.talk(repository, *arguments, stdin=stdin, progress=progress, git_dir=git_dir)


def _progress_word(progress: Progress | None) -> tuple[str]:
    return ("--no-progress" if isinstance(progress or Silence(), Silence) else "--progress",)


@contextmanager
def _scratch(repository: Repository) -> Iterator[Path]:
    """A folder that git takes for the private one of another work tree: FETCH_HEAD and refs/worktree/ are its own, all else is ours."""
    with TemporaryDirectory(prefix="exptrack-") as name:
        folder = Path(name)
        (folder / "HEAD").write_text("ref: refs/heads/none\n", encoding="utf-8")
        (folder / "commondir").write_bytes(os.fsencode(repository.common_dir) + b"\n")
        if (repository.common_dir / "reftable").is_dir():
            (folder / "reftable").mkdir()
        yield folder


def _batches(changes: Sequence[Change]) -> Iterator[list[Change]]:
    """Creations and deletions apart, few enough for the words of a command."""
    batch: list[Change] = []
    for change in changes:
        if batch and (len(batch) == _BATCH or _is_deletion(batch[0]) != _is_deletion(change)):
            yield batch
            batch = []
        batch.append(change)
    if batch:
        yield batch


def _is_deletion(change: Change) -> bool:
    return not change.new.strip("0")


def _push(repository: Repository, remote: GitRemote, batch: Sequence[Change], progress: Progress | None) -> Outcome:
    none = empty_oid(repository)
    words = [f"--force-with-lease={ref}:{'' if old == none else old}" for ref, _, old in batch]
    pairs = [f":{ref}" if new == none else f"{new}:{ref}" for ref, new, _ in batch]
    done = network.talk(
        repository,
        *_PUSH,
        "--atomic",
        *_progress_word(progress),
        *words,
        "--end-of-options",
        remote.name,
        *pairs,
        progress=progress,
    )
    rows = [line.split("\t") for line in os.fsdecode(done.out).split("\n") if line.count("\t") == 2]
    stale = {pair.rpartition(":")[2]: said for flag, pair, said in rows if flag == "!" and "stale info" in said}
    if stale:
        return Outcome((), stale)
    if done.code:
        raise explain(remote, "push to", done)
    return Outcome(tuple(ref for ref, _, _ in batch))


class Change(NamedTuple):
    """A ref on the remote, the oid it should have (zeros: none), and the one it must have now."""

    ref: str
    new: str
    old: str
